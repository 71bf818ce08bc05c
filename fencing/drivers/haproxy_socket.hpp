// One command to HAProxy's runtime interface, on a connection of its own. Knows no command.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/resolver.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>

namespace primacy::fencing {

struct haproxy_address {
    std::string socket;  // wins over host and port
    std::string host;
    std::uint16_t port = 0;

    // For sentences.
    std::string text() const;
};

struct haproxy_answer {
    rt::result<std::string> text;  // at most 64 KiB, as it came
    bool sent = false;             // the command may have reached HAProxy
};

// Returns by the deadline, with the connection closed; being cancelled is errc::cancelled.
boost::asio::awaitable<haproxy_answer> ask_haproxy(rt::resolver& names, haproxy_address where,
                                                   std::string command, rt::deadline until);

}  // namespace primacy::fencing
