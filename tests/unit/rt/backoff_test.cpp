#include "agent/rt/backoff.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>

using namespace primacy::rt;
using namespace std::chrono_literals;

TEST_CASE("backoff doubles from the base to the cap") {
    const backoff wait{200ms, 5s};
    CHECK(wait.next(1, 1.0) == 200ms);
    CHECK(wait.next(2, 1.0) == 400ms);
    CHECK(wait.next(5, 1.0) == 3200ms);
    CHECK(wait.next(6, 1.0) == 5s);
    CHECK(wait.next(7, 1.0) == 5s);
}

TEST_CASE("backoff is spread over the upper half of the wait") {
    const backoff wait{200ms, 5s};
    CHECK(wait.next(1, 0.0) == 100ms);
    CHECK(wait.next(1, 0.5) == 150ms);
    CHECK(wait.next(9, 0.0) == 2500ms);
}

TEST_CASE("backoff takes any number of attempts and any number as randomness") {
    const backoff wait{200ms, 5s};
    CHECK(wait.next(0, 1.0) == 200ms);
    CHECK(wait.next(std::numeric_limits<unsigned>::max(), 1.0) == 5s);
    CHECK(wait.next(1, -3.0) == 100ms);
    CHECK(wait.next(1, 7.0) == 200ms);
    CHECK(wait.next(1, std::nan("")) == 100ms);
    const backoff endless{1s, std::chrono::nanoseconds::max()};
    CHECK(endless.next(1000, 0.0) > 24h);
}

TEST_CASE("backoff with a base above the cap, or none, waits for the cap, or not at all") {
    const backoff impatient{10s, 1s};
    CHECK(impatient.next(1, 1.0) == 1s);
    const backoff none{0ms, 1s};
    CHECK(none.next(std::numeric_limits<unsigned>::max(), 1.0) == 0ms);
}
