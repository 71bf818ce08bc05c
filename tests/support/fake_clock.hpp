// Time that moves only when a test says so. Its time_point is a type of its own, so that real and
// fake time cannot be mixed. Timers on it fire in the first io_context::poll() after advance();
// run() would spin, because the loop is told that no timer is worth sleeping for.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/wait_traits.hpp>

#include <chrono>

namespace primacy::tests {

struct fake_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<fake_clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept { return now_; }
    static void advance(duration by) noexcept { now_ += by; }
    // Every test starts at the same moment.
    static void reset() noexcept { now_ = time_point(std::chrono::hours(1)); }

private:
    static inline thread_local time_point now_{std::chrono::hours(1)};
};

}  // namespace primacy::tests

template <>
struct boost::asio::wait_traits<primacy::tests::fake_clock> {
    using duration = primacy::tests::fake_clock::duration;
    static duration to_wait_duration(const duration&) { return duration::zero(); }
    static duration to_wait_duration(const primacy::tests::fake_clock::time_point&) {
        return duration::zero();
    }
};

namespace primacy::tests {

using fake_timer = boost::asio::basic_waitable_timer<fake_clock>;

}  // namespace primacy::tests
