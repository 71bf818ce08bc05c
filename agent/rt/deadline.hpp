// A point in time by which something must have happened; passed by value to every await.
#pragma once

#include <chrono>

namespace primacy::rt {

using steady_clock = std::chrono::steady_clock;
using time_point = steady_clock::time_point;

// The earlier of two deadlines wins whenever one call is made on behalf of another.
struct deadline {
    time_point at;

    static deadline after(steady_clock::duration wait) { return {steady_clock::now() + wait}; }
    bool passed() const { return steady_clock::now() >= at; }
    steady_clock::duration left() const {
        auto rest = at - steady_clock::now();
        return rest > steady_clock::duration::zero() ? rest : steady_clock::duration::zero();
    }
    deadline sooner(deadline other) const { return at < other.at ? *this : other; }
};

}  // namespace primacy::rt
