// The command line's side of the control socket: one request, one answer.
// Knows nothing of what the answers mean.
#pragma once

#include "agent/app/http/message.hpp"
#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>

namespace primacy::app::http {

// Any status is an answer; look at it. `target` is path and query, already percent-encoded.
// Errors: refused (no socket there, or nobody answers on it; `native` is ENOENT or ECONNREFUSED),
// denied (not in the socket's group), too_many_connections (its queue is full), timeout, lost,
// protocol, limit (more than `largest` bytes), usage (a path or target that cannot be).
boost::asio::awaitable<rt::result<response>> get_unix(std::string path, std::string target,
                                                      rt::deadline until,
                                                      std::size_t largest = 32 * 1024 * 1024);

// The same with a JSON body. After timeout or lost what was asked for may have been done.
boost::asio::awaitable<rt::result<response>> post_unix(std::string path, std::string target,
                                                       std::string body, rt::deadline until);

}  // namespace primacy::app::http
