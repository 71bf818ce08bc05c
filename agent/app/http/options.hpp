// What a listener is told when it is made: bounds, files, users and who answers.
// Plain values; knows nothing of how they are kept.
#pragma once

#include "agent/app/http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace boost::asio {
class thread_pool;
}

namespace primacy::app::http {

// Bounds on what one client can cost. A bound that is passed ends that client, nobody else.
struct limits {
    std::size_t header_bytes = 8 * 1024;  // request line and fields together
    std::size_t target_bytes = 2 * 1024;
    std::size_t body_bytes = 64 * 1024;
    std::size_t connections = 64;           // served at once; as many again may hear a refusal
    std::size_t connections_per_peer = 16;  // by address; a unix socket has no such bound
    std::size_t requests_per_connection = 1000;
    // More than connections_per_peer, so that one guessing address cannot use all of them up.
    std::size_t password_checks = 32;
    std::chrono::milliseconds read = std::chrono::seconds(5);    // TLS handshake; whole request
    std::chrono::milliseconds write = std::chrono::seconds(10);  // the whole response
    std::chrono::milliseconds idle = std::chrono::seconds(30);   // between two requests
    std::chrono::milliseconds linger = std::chrono::seconds(1);  // for the client's own goodbye
};

struct tls_files {
    std::string cert_file;       // PEM: the certificate, then its intermediates
    std::string key_file;        // PEM without a passphrase; wider than 0640 is refused
    std::string client_ca_file;  // PEM; when given, a client must show a certificate that it signed
};

using user_hashes = std::map<std::string, std::string>;  // name to bcrypt hash ($2y$ or $2b$)

// May take its time; it has its own deadline. It is cancelled when a stop() runs out of patience.
// An exception becomes status 500.
using handler = std::function<boost::asio::awaitable<response>(request)>;

struct server_options {
    limits bounds;
    bool allow_post = false;
    std::string socket_group = "primacy";  // unix socket only; no such group: our own
    std::optional<tls_files> tls;          // TCP only
    user_hashes users;                     // not empty: basic auth
    // Computes password hashes; needed with users. Outlives the server, and is joined before the
    // executor's context is destroyed.
    boost::asio::thread_pool* pool = nullptr;
};

}  // namespace primacy::app::http
