// A small HTTP/1.1 server for one listener: a TCP address, with TLS and basic auth when asked for,
// or a unix socket. Whatever a client does costs that client's own bounded share and delays nobody.
// Knows nothing of replication, metrics or configuration files. Used on the loop's thread only.
#pragma once

#include "agent/app/http/options.hpp"
#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace primacy::app::http {

// For tests and for metrics; all but `open` only ever grow.
struct server_counts {
    std::size_t open = 0;               // clients being served now
    std::uint64_t accepted = 0;         // clients that were served
    std::uint64_t turned_away = 0;      // clients that were one too many
    std::uint64_t accept_failures = 0;  // mostly: no file descriptor left
};

class server {
public:
    // "127.0.0.1:9963", "[::1]:9963", "localhost:9963" or ":9963". Errors: config, denied, io; each
    // a sentence that names the address, file or user.
    static rt::result<server> listen_tcp(boost::asio::any_io_executor executor,
                                         std::string_view address, server_options options,
                                         handler handle);
    // Mode 0660. A dead process's file is replaced, a live one's is an error. Errors as above.
    static rt::result<server> listen_unix(boost::asio::any_io_executor executor,
                                          const std::string& path, server_options options,
                                          handler handle);

    server(server&&) noexcept = default;
    server& operator=(server&&) = delete;
    ~server();

    // Serves until stop(), or until it is cancelled, which is a stop() without patience. Returns
    // when every session has ended. To be awaited once.
    boost::asio::awaitable<void> run();

    // Takes no more clients, lets the answers that are under way finish until `patience`, then ends
    // everything. Removes the unix socket. Calling it again can only shorten the patience.
    void stop(rt::deadline patience);

    // Reads the certificate files again; on an error the old ones stay. No TLS: nothing to do.
    rt::result<> reload_tls();
    // From the next request on. On an error the old ones stay. Whether passwords are asked for at
    // all is decided when listening.
    rt::result<> replace_users(user_hashes users);

    // "127.0.0.1:9963" with the port that it really has, or the path.
    const std::string& address() const;
    server_counts counts() const;

private:
    class impl;
    explicit server(std::shared_ptr<impl> made);
    std::shared_ptr<impl> impl_;
};

}  // namespace primacy::app::http
