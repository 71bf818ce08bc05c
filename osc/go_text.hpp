// How Go programs write a length of time ("146h50m49s", "1.5s", "100ms"). Pure. Our own reports
// write checks::words::seconds() instead.
#pragma once

#include "checks/moment.hpp"

#include <optional>
#include <string_view>

namespace primacy::osc {

// Only what Go's Duration.String() prints, to the letter, or that without its fraction: hours and
// minutes are always followed by seconds, units smaller than a second stand alone. Anything else,
// a text that was cut off above all, is none.
std::optional<checks::duration> parse_go_duration(std::string_view text);

}  // namespace primacy::osc
