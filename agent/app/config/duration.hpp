// Durations as people write them: "250ms", "2s", "10m", "1h".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace primacy::app {

// A whole number and one of ms, s, m, h; no sign, no space, at most a year. Nothing for all else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The same in the largest unit that holds it whole: "90s", "10m", "0s".
std::string to_text(std::chrono::milliseconds length);

}  // namespace primacy::app
