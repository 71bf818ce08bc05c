// What a good configuration means, in words for a person: the answer of `primacy check-config`.
#pragma once

#include "agent/app/config/config.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace primacy::app {

// The longest time from a second writer's appearance to its confirmation, readings not counted: the
// poll that has yet to come, then confirm_polls and confirm_for.
std::chrono::milliseconds longest_confirmation(const topology_config& topology);

// What follows from the values and may surprise; one sentence each.
std::vector<std::string> notes_on(const topology_config& topology,
                                  const std::vector<method_config>& methods);

// Some aligned lines for the agent and each topology, each ending in a newline. No secrets.
std::string describe(const config& value);

}  // namespace primacy::app
