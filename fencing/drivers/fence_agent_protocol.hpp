// How a fence agent is spoken to: `key=value` lines on standard input, never an argument, always an
// explicit action (the agent's own default is reboot). Knows nothing of what is asked for.
#pragma once

#include "agent/rt/process.hpp"

#include <map>
#include <string>
#include <string_view>

namespace primacy::fencing {

// Whether a line of the protocol can hold it.
bool fits_a_line(std::string_view text);

// The options, the password when there is one, then the action: the last of two wins.
// Each part fits_a_line().
std::string agent_input(const std::map<std::string, std::string>& options,
                        std::string_view password, std::string_view action);

// `agent`: a name of /usr/sbin, or an absolute path. It gets no secret but through `input`.
rt::command agent_command(const std::string& agent, std::string input);

// What an agent complains of may quote its input.
std::string without_password(std::string text, std::string_view password);

}  // namespace primacy::fencing
