// Hosts and addresses as they are written in a configuration. Knows nothing of sockets: nothing is
// resolved and nothing is opened.
#pragma once

#include "agent/rt/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace primacy::app {

struct host_port {
    std::string host;  // an IPv6 address without its brackets
    std::uint16_t port = 0;
};

// Errors are errc::config, and their message continues "expected …": what is wrong with the text.
// A host name, an IPv4 or an IPv6 address; without brackets and without a port.
rt::result<void> check_host(std::string_view text);

// "10.0.0.9:3306", "[::1]:3306" or "db9.example:3306".
rt::result<host_port> parse_host_port(std::string_view text);

// What an HTTP listener takes: "127.0.0.1:9963", "[::1]:9963", "localhost:9963", ":9963".
rt::result<host_port> parse_listen(std::string_view text);

// "10.0.0.1:3306" or "[::1]:3306".
std::string address_text(std::string_view host, std::uint16_t port);

// The same text for each way to write the same address: letter case, zeros of IPv6, a trailing dot,
// localhost for 127.0.0.1. Names are not resolved.
std::string canonical_address(std::string_view host, std::uint16_t port);

// True for 127.0.0.0/8, ::1 and localhost.
bool is_loopback(std::string_view host);

}  // namespace primacy::app
