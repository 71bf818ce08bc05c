// How long to wait before the next attempt: doubles up to a cap, and is spread out, so that a
// thousand connections lost in one moment do not come back in one moment.
// Pure: the caller brings the randomness and does the waiting.
#pragma once

#include <chrono>

namespace primacy::rt {

struct backoff {
    std::chrono::nanoseconds base = std::chrono::milliseconds(200);
    std::chrono::nanoseconds cap = std::chrono::seconds(10);

    // The wait after the given number of failed attempts in a row, the first being 1: between half
    // of min(cap, base * 2^(attempt - 1)) and all of it, as `random_unit` goes from 0 to 1.
    std::chrono::nanoseconds next(unsigned attempt, double random_unit) const noexcept;
};

}  // namespace primacy::rt
