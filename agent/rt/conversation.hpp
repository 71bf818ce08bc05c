// One question to a program that answers on a stream socket and closes: a text out, everything that
// comes back. HAProxy's runtime interface and gh-ost's socket are of that kind. Knows no question.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <string>
#include <vector>

namespace primacy::rt {

using stream_endpoint = boost::asio::generic::stream_protocol::endpoint;
stream_endpoint unix_endpoint(const std::string& path);

struct told_answer {
    result<std::string> text;  // at most 64 KiB, as it came
    bool sent = false;         // the question may have reached the other side
};

// On a connection of its own to the first of the endpoints that takes one. Returns by the deadline,
// with the connection closed. `peer` names the other side in sentences. Errors: refused (no socket
// there, or nobody behind it), denied, timeout, lost, limit, cancelled; what was sent may have been
// done whatever the error.
boost::asio::awaitable<told_answer> ask_once(std::vector<stream_endpoint> where, std::string peer,
                                             std::string question, deadline until);

}  // namespace primacy::rt
