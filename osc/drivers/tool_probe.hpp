// Which gh-ost and pt-online-schema-change are here, by starting them and hearing what they say.
// Knows nothing of servers.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/process.hpp"
#include "osc/facts.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace primacy::osc {

// `configured` is a name to be found in PATH, or a path. Each call starts at most two or three
// programs that do nothing but answer; one that hangs is killed at the deadline. What is wrong is
// in the result's `problem`.
boost::asio::awaitable<tool_facts> probe_gh_ost(rt::process_runner& runner, std::string configured,
                                                rt::deadline until);
boost::asio::awaitable<tool_facts> probe_pt_osc(rt::process_runner& runner, std::string configured,
                                                rt::deadline until);

// "1.1.10 (git commit: …)", "pt-online-schema-change 3.2.1": the first number with dots.
std::optional<tool_version> version_in(std::string_view text);

// The absolute path of a program; empty when there is none that we may start.
std::string find_program(const std::string& configured);

}  // namespace primacy::osc
