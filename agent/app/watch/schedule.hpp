// A fixed schedule without drift: ticks at first + k * interval, whatever happened in between.
// Pure; the caller brings the time.
#pragma once

#include "agent/rt/deadline.hpp"

namespace primacy::app {

struct fixed_schedule {
    rt::time_point first;
    rt::steady_clock::duration interval;

    // The first tick after `now`. Ticks that were missed are not made up for.
    rt::time_point after(rt::time_point now) const noexcept {
        if (now < first) return first;
        return first + ((now - first) / interval + 1) * interval;
    }
};

}  // namespace primacy::app
