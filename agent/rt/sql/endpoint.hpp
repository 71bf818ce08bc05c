// How to reach and log in to one MariaDB or MySQL server, as plain values. Apart from
// connection.hpp so that what only carries these values, as the configuration does, needs no Asio.
#pragma once

#include <cstdint>
#include <string>

namespace primacy::rt::sql {

enum class tls_mode {
    disabled,   // never
    preferred,  // if the server offers it; its certificate is not checked
    required,   // or no connection; its certificate is not checked
    verify      // or no connection; the certificate must be trusted and bear the server's name
};

struct tls_options {
    tls_mode mode = tls_mode::preferred;
    std::string ca;    // PEM file of trusted authorities; empty: the system's, for verify
    std::string cert;  // client certificate and key, PEM files; both or none
    std::string key;

    bool operator==(const tls_options&) const = default;
};

struct endpoint {
    std::string host;  // a name or an address; unused when socket is set
    std::uint16_t port = 3306;
    std::string socket;  // path of a unix socket; wins over host and port
    std::string user;
    std::string password;
    tls_options tls;

    // "10.0.0.1:3306", "[::1]:3306" or the socket's path, for messages.
    std::string address() const;
    bool operator==(const endpoint&) const = default;
};

}  // namespace primacy::rt::sql
