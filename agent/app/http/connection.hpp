// One accepted or made socket, plain or TLS, where every operation has a deadline that no trickle
// of bytes extends. Knows nothing of HTTP. Used on one thread, one operation at a time.
#pragma once

#include "agent/rt/deadline.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace primacy::app::http {

// `size` bytes moved before `failed`. A passed deadline shows as any error; ask the deadline
// itself.
struct transfer {
    boost::system::error_code failed;
    std::size_t size = 0;
};

class connection : public std::enable_shared_from_this<connection> {
public:
    using socket = boost::asio::generic::stream_protocol::socket;

    // `tls` null means plain. Always held by a shared_ptr: a timer may outlive the conversation.
    connection(socket connected, std::shared_ptr<boost::asio::ssl::context> tls);

    // True at once on a plain connection. Past the deadline the connection is closed.
    boost::asio::awaitable<bool> handshake(rt::deadline until);
    // Past the deadline only the receiving side is shut, so that an answer can still be sent.
    boost::asio::awaitable<transfer> read_some(std::span<char> into, rt::deadline until);
    // All of `head` and `body`, or failed. Past the deadline the connection is closed.
    boost::asio::awaitable<bool> write(std::string_view head, std::string_view body,
                                       rt::deadline until);
    // Says goodbye and waits for the client's, so that a reset does not take back the last answer.
    boost::asio::awaitable<void> linger(rt::deadline until);
    // Ends whatever is under way. May be called at any time, again and again.
    void close();

private:
    enum class expiry {
        shut_receive,  // reads end as at the end of the stream
        close,         // everything ends
    };
    // Armed for as long as it lives, however the operation ends.
    class alarm {
    public:
        alarm(connection& watched, rt::deadline until, expiry what);
        alarm(const alarm&) = delete;
        ~alarm();

    private:
        connection& watched_;
    };
    void expire(std::uint64_t generation, expiry what);

    socket socket_;
    std::shared_ptr<boost::asio::ssl::context> context_;
    std::optional<boost::asio::ssl::stream<socket&>> tls_;
    boost::asio::steady_timer timer_;
    std::uint64_t generation_ =
        0;  // tells the armed deadline from one that fired a moment too late
};

}  // namespace primacy::app::http
