// The two clocks that leave this folder: boot time for evidence, wall time for people.
#pragma once

#include <chrono>

namespace primacy::rt {

// CLOCK_BOOTTIME: never steps, and goes on while the machine is suspended, so that an agent that
// slept through an hour knows that its evidence is an hour old.
struct boot_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<boot_clock>;
    static constexpr bool is_steady = true;
    static time_point now() noexcept;
};

using wall_clock = std::chrono::system_clock;

}  // namespace primacy::rt
