// Time as data: pure code is told the time, it never reads a clock.
#pragma once

#include <chrono>

namespace primacy::checks {

// A clock without now(): the shell fills it from CLOCK_BOOTTIME, a scenario from its own story.
struct moment_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<moment_clock>;
    static constexpr bool is_steady = true;
};

using moment = moment_clock::time_point;
using duration = std::chrono::nanoseconds;
// Wall time, for what people read and for what crosses a restart; seconds since the epoch.
using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

}  // namespace primacy::checks
