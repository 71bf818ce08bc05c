// What must hold for a text before it is read as TOML. Knows nothing of keys.
#pragma once

#include "agent/app/config/problem.hpp"

#include <optional>
#include <string_view>

namespace primacy::app {

// The first thing that keeps the text from being read: a byte order mark, a NUL, bytes that are not
// UTF-8, a quote left open, a text over several lines (no key takes one), a letter beyond ASCII
// outside of quotes, or more levels than any configuration has (the TOML library takes its trees
// apart by recursion, and a line of dots would use up the stack).
std::optional<config_problem> check_document_text(std::string_view text);

}  // namespace primacy::app
