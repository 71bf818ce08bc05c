#include "agent/app/watch/snapshot.hpp"

#include <algorithm>

namespace primacy::app {

void duration_histogram::observe(double seconds) noexcept {
    auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
    ++counts[static_cast<std::size_t>(bucket)];
    sum += seconds;
}

}  // namespace primacy::app
