#include "agent/rt/backoff.hpp"

#include <algorithm>

namespace primacy::rt {

std::chrono::nanoseconds backoff::next(unsigned attempt, double random_unit) const noexcept {
    auto longest = std::min(base, cap);
    // Compared before it is doubled, so that no number of attempts can overflow it.
    // 64 doublings are as good as any larger number, also of nothing.
    for (unsigned failed = 1; failed < std::min(attempt, 64u) && longest < cap; ++failed)
        longest = longest > cap / 2 ? cap : longest * 2;
    // Written so that a NaN counts as 0.
    const double unit = random_unit > 0 ? std::min(random_unit, 1.0) : 0.0;
    const double half = static_cast<double>(longest.count()) / 2;
    return std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(half + half * unit));
}

}  // namespace primacy::rt
