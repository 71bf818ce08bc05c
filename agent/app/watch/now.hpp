// The two clocks as the pure code takes them: read here, handed on as values.
#pragma once

#include "agent/rt/clock.hpp"
#include "agent/rt/deadline.hpp"
#include "checks/moment.hpp"

namespace primacy::app {

inline checks::moment boot_now() {
    return checks::moment(rt::boot_clock::now().time_since_epoch());
}

inline checks::wall_time wall_now() {
    return std::chrono::time_point_cast<checks::wall_time::duration>(rt::wall_clock::now());
}

// That moment of the boot clock, for whoever waits for it.
inline rt::deadline deadline_of(checks::moment until) {
    return rt::deadline::after(until - boot_now());
}

}  // namespace primacy::app
