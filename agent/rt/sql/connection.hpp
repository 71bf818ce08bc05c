// One connection to one MariaDB or MySQL server, on libmariadb's non-blocking API. The only user of
// mysql.h. Knows nothing of replication: it opens, asks, and classes what went wrong.
//
// Rules, each with a test: a deadline that passes ends the connection for good; one operation at a
// time; a name is resolved by our own resolver under the same deadline, never by the library; the
// certificate is checked against the name that was configured; nothing leaks, also when the
// connection is destroyed in the middle of an operation.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"
#include "agent/rt/sql/endpoint.hpp"
#include "agent/rt/sql/row.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace primacy::rt::sql {

class network;

// An answer larger than this ends the connection with errc::limit.
struct answer_limits {
    std::size_t bytes = 16 << 20;
    std::size_t row_count = 10'000;
};

class connection {
public:
    connection(boost::asio::any_io_executor executor, network& shared);
    ~connection();
    connection(connection&&) noexcept;
    connection& operator=(connection&&) noexcept;

    // Connects and logs in. On an error the object can be used for another open().
    boost::asio::awaitable<result<void>> open(const endpoint& where, deadline until);

    // Sends one statement and reads its whole answer into `answer` (its capacity is reused). An
    // error of class query or denied that the server reported leaves the connection usable; every
    // other one ends it.
    boost::asio::awaitable<result<void>> query(std::string_view statement, rows& answer,
                                               deadline until, answer_limits limits = {});

    // True from a good open() until close() or an error that ends the connection.
    bool usable() const noexcept;
    // The server's own number of this session; 0 before the first open. Kept after the end, so that
    // a successor can look for what it left behind.
    std::uint64_t session_id() const noexcept;
    bool encrypted() const noexcept;
    // Says good-bye if the connection is usable, else just closes.
    void close() noexcept;

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace primacy::rt::sql
