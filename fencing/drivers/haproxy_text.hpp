// What HAProxy's runtime interface answers, read into values. Pure; what it sends is data, and the
// worst of it is an error of class protocol.
#pragma once

#include "agent/rt/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace primacy::fencing {

struct haproxy_server_state {
    std::string address;  // "10.0.0.1:3306", as HAProxy resolved it
    // Taken out by an administrator. What a check, a DNS record or a tracked server did to it they
    // can undo, so it does not count.
    bool in_maintenance = false;
};

// Each answer ends with an empty line; without it the end is missing.
bool is_complete(std::string_view answer) noexcept;

// The answer to a command that has nothing to tell when all is well. Errors: config (no such
// backend or server), denied (the socket's level is too low), protocol (anything else).
rt::result<void> read_acknowledgement(std::string_view answer);

// Of `show servers state BACKEND`, format version 1, columns by name. Errors as above.
rt::result<haproxy_server_state> read_servers_state(std::string_view answer,
                                                    std::string_view backend,
                                                    std::string_view server);

// Sessions of the server now, of `show stat BACKEND 4 -1` (CSV). Errors as above.
rt::result<std::uint64_t> read_current_sessions(std::string_view answer, std::string_view backend,
                                                std::string_view server);

}  // namespace primacy::fencing
