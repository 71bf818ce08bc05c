#include "agent/rt/clock.hpp"

#include <ctime>

namespace primacy::rt {

boot_clock::time_point boot_clock::now() noexcept {
    timespec spec{};
    ::clock_gettime(CLOCK_BOOTTIME, &spec);
    return time_point(std::chrono::seconds(spec.tv_sec) + std::chrono::nanoseconds(spec.tv_nsec));
}

}  // namespace primacy::rt
