// One client's conversation: requests in, answers out, one at a time and each within its deadline.
// Knows nothing of other clients. Lives on the loop's thread and is owned by the server.
#pragma once

#include "agent/app/http/basic_auth.hpp"
#include "agent/app/http/connection.hpp"
#include "agent/app/http/options.hpp"
#include "agent/app/http/request_reader.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <array>
#include <memory>
#include <string>

namespace primacy::app::http {

// What the sessions of one listener share. Outlives them all; read anew for every request.
struct session_context {
    limits bounds;
    bool allow_post = false;
    handler handle;
    std::shared_ptr<basic_auth> auth;  // null: whoever can connect may ask
};

class session {
public:
    session(const session_context& shared, std::shared_ptr<connection> link, std::string peer);

    // Serves until the client, a bound or finish() ends it.
    boost::asio::awaitable<void> serve();
    // Answers nothing but `sentence` and closes: the client is one too many.
    boost::asio::awaitable<void> turn_away(unsigned status, std::string_view sentence);

    // Ends the session as soon as no answer is under way; at once when none is.
    void finish();
    // Ends it now: closes the connection and cancels a handler that still runs.
    void abort();

    boost::asio::cancellation_slot slot() { return cancel_.slot(); }
    const std::string& peer() const { return peer_; }

private:
    boost::asio::awaitable<read_step> next_request();
    boost::asio::awaitable<bool> answer_one(parsed_request asked);
    boost::asio::awaitable<response> respond(parsed_request& asked);
    boost::asio::awaitable<response> handle_safely(request asked);
    boost::asio::awaitable<bool> send(const response& answer, bool head_only, bool keep_alive);

    const session_context& shared_;
    std::shared_ptr<connection> link_;
    std::string peer_;
    request_reader reader_;
    boost::asio::cancellation_signal cancel_;
    std::size_t served_ = 0;
    bool answering_ = false;
    bool finishing_ = false;
    std::array<char, 8 * 1024> received_;
};

}  // namespace primacy::app::http
