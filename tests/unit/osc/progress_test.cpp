#include "osc/progress.hpp"

#include "tests/support/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace primacy::osc;
using namespace primacy::tests;
using namespace std::chrono_literals;
using primacy::checks::duration;
using primacy::checks::moment;

namespace {

moment at(double seconds) {
    return moment(std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds)));
}

double seconds(duration length) {
    return std::chrono::duration<double>(length).count();
}

copy_sample sample(double when, std::uint64_t copied, std::uint64_t estimated,
                   bool paused = false) {
    return {.at = at(when), .copied = copied, .estimated = estimated, .paused = paused};
}

copy_sample without_estimate(double when, std::uint64_t copied) {
    auto one = sample(when, copied, 0);
    one.estimated.reset();
    return one;
}

}  // namespace

TEST_CASE("an even copy") {
    progress_estimator progress;
    CHECK(!progress.view().ratio);
    progress.add(sample(0, 0, 100'000));
    CHECK(progress.view().ratio == 0);
    CHECK(!progress.view().rows_per_second);
    CHECK(!progress.view().eta);
    for (int i = 1; i <= 30; ++i)
        progress.add(sample(i, 1000 * i, 100'000));
    const auto seen = progress.view();
    CHECK(seen.copied == 30'000);
    CHECK(seen.ratio == 0.3);
    REQUIRE(seen.rows_per_second);
    CHECK(*seen.rows_per_second == doctest::Approx(1000));
    REQUIRE(seen.eta);
    CHECK(seconds(*seen.eta) == doctest::Approx(70));
    CHECK(!seen.done);
}

TEST_CASE("100 % is not the end, and the end is 100 %") {
    progress_estimator progress;
    for (int i = 0; i <= 20; ++i)
        progress.add(sample(i, 1000 * i, 20'000));
    CHECK(progress.view().ratio == 0.999);
    CHECK(!progress.view().eta);
    progress.add(sample(21, 22'015, 20'000));
    CHECK(progress.view().ratio == 0.999);
    CHECK(progress.view().copied == 22'015);
    CHECK(!progress.view().eta);
    // The estimate grew: there is an ETA again.
    progress.add(sample(22, 23'000, 30'000));
    CHECK(progress.view().eta);
    auto last = sample(23, 24'000, 30'000);
    last.done = true;
    progress.add(last);
    CHECK(progress.view().ratio == 1);
    CHECK(progress.view().eta == duration::zero());
    CHECK(progress.view().done);
    // A line that comes late does not undo it.
    progress.add(sample(24, 24'000, 30'000, true));
    CHECK(progress.view().done);
    CHECK(progress.view().ratio == 1);
    CHECK(!progress.view().paused);
}

TEST_CASE("an empty table, an unknown number of rows") {
    progress_estimator progress;
    progress.add(sample(0, 0, 0));
    CHECK(!progress.view().ratio);
    for (int i = 1; i < 20; ++i)
        progress.add(without_estimate(i, 1000 * i));
    CHECK(!progress.view().ratio);
    CHECK(!progress.view().eta);
    REQUIRE(progress.view().rows_per_second);
    CHECK(*progress.view().rows_per_second == doctest::Approx(1000));
    auto last = without_estimate(20, 20'000);
    last.done = true;
    progress.add(last);
    CHECK(progress.view().ratio == 1);
}

TEST_CASE("the count never falls, and what comes from the past is not looked at") {
    progress_estimator progress;
    progress.add(sample(10, 5000, 100'000));
    progress.add(sample(9, 9000, 100'000));
    CHECK(progress.view().copied == 5000);
    progress.add(sample(11, 4000, 90'000));
    CHECK(progress.view().copied == 5000);
    CHECK(progress.view().estimated == 90'000);
    progress.add(without_estimate(12, 6000));
    CHECK(progress.view().estimated == 90'000);
    // Several lines of one second.
    progress.add(sample(12, 7000, 100'000));
    progress.add(sample(12, 8000, 100'000));
    CHECK(progress.view().copied == 8000);
}

TEST_CASE("a pause counts neither as time nor as slowness") {
    progress_estimator progress;
    for (int i = 0; i <= 20; ++i)
        progress.add(sample(i, 1000 * i, 100'000));
    for (int i = 21; i <= 3620; ++i)
        progress.add(sample(i, 20'000, 100'000, true));
    CHECK(progress.view().paused);
    CHECK(!progress.view().eta);
    CHECK(*progress.view().rows_per_second == doctest::Approx(1000));
    progress.add(sample(3621, 20'000, 100'000));
    progress.add(sample(3622, 21'000, 100'000));
    const auto seen = progress.view();
    CHECK(!seen.paused);
    REQUIRE(seen.eta);
    CHECK(seconds(*seen.eta) == doctest::Approx(79));
}

TEST_CASE("standing still without a pause is slowness") {
    progress_estimator progress;
    for (int i = 0; i <= 20; ++i)
        progress.add(sample(i, 1000 * i, 100'000));
    for (int i = 21; i <= 45; ++i)
        progress.add(sample(i, 20'000, 100'000));
    const auto seen = progress.view();
    CHECK(*seen.rows_per_second == doctest::Approx(5000.0 / 30));
    REQUIRE(seen.eta);
    CHECK(seconds(*seen.eta) > 200);
    // For ever: nobody can tell any more.
    for (int i = 46; i <= 4000; ++i)
        progress.add(sample(i, 20'000, 100'000));
    CHECK(*progress.view().rows_per_second == 0);
    CHECK(!progress.view().eta);
}

TEST_CASE("a copy that is throttled half of the time, in short turns, is told with its pauses") {
    progress_estimator progress;
    std::uint64_t copied = 0;
    for (int i = 0; i <= 60; ++i) {
        progress.add(sample(i, copied, 1'000'000, i % 2 == 1));
        copied += i % 2 == 0 ? 2000 : 0;
    }
    CHECK(*progress.view().rows_per_second == doctest::Approx(2000));
    CHECK(progress.view().eta);
}

TEST_CASE("a reader that starts in the middle of a copy") {
    progress_estimator progress;
    for (int i = 0; i <= 10; ++i)
        progress.add(sample(1000 + i, 500'000 + 100 * i, 1'000'000));
    const auto seen = progress.view();
    CHECK(*seen.rows_per_second == doctest::Approx(100));
    CHECK(seconds(*seen.eta) == doctest::Approx(4990));
}

TEST_CASE("a change of speed for good is followed") {
    progress_estimator progress;
    std::uint64_t copied = 0;
    for (int i = 0; i <= 1000; ++i) {
        progress.add(sample(i, copied, 10'000'000));
        copied += i < 200 ? 10'000 : 1'000;
    }
    const auto seen = progress.view();
    CHECK(*seen.rows_per_second == doctest::Approx(1000));
    CHECK(seconds(*seen.eta) == doctest::Approx((10'000'000.0 - 2'800'000) / 1000).epsilon(0.01));
}

TEST_CASE("a week of samples takes no more memory than an hour, and loses no accuracy") {
    progress_estimator progress;
    for (std::uint64_t i = 0; i <= 200'000; ++i)
        progress.add(sample(static_cast<double>(i), i * 50, 20'000'000));
    CHECK(*progress.view().rows_per_second == doctest::Approx(50));
    CHECK(seconds(*progress.view().eta) == doctest::Approx(200'000));
}

namespace {

// A speed that varies moderately: noise of each second, a wave, a slow drift.
struct changing_speed {
    double base, wave, period, phase, drift, noise;

    explicit changing_speed(std::mt19937_64& random) {
        const auto between = [&random](double low, double high) {
            return std::uniform_real_distribution<double>(low, high)(random);
        };
        base = between(100, 50'000);
        wave = between(0, 0.1);
        period = between(5, 400);
        phase = between(0, 2 * std::numbers::pi);
        drift = between(-0.1, 0.1);
        noise = between(0, 0.2);
    }

    double rows(double second, double part, std::mt19937_64& random) const {
        const double swing = wave * std::sin(2 * std::numbers::pi * second / period + phase);
        const double chance = std::uniform_real_distribution<double>(-noise, noise)(random);
        return base * (1 + swing + drift * part + chance);
    }
};

struct told {
    double copying_seconds;  // so far
    double ratio;
    std::optional<double> eta;
};

}  // namespace

TEST_CASE("after 20 % of a copy the ETA is right within 25 %, pauses or not") {
    auto random = seeded_random();
    double worst = 0;
    for (int round = 0; round < 300; ++round) {
        const changing_speed speed(random);
        const double seconds_wanted = std::uniform_real_distribution<double>(60, 1500)(random);
        const double all = speed.base * seconds_wanted;
        const auto cadence = std::uniform_int_distribution<int>(1, 5)(random);
        std::vector<told> views;
        progress_estimator progress;
        double copied = 0;
        double copying = 0;
        bool paused = false;
        int changed = 0;
        for (int second = 0; copied < all; ++second) {
            // A pause that begins and ends between two samples is slowness to whoever sees those.
            if (second - changed >= 10 && random() % 40 == 0) {
                paused = !paused;
                changed = second;
            }
            if (second % cadence == 0) {
                progress.add(sample(second, static_cast<std::uint64_t>(copied),
                                    static_cast<std::uint64_t>(all), paused));
                const auto seen = progress.view();
                REQUIRE(std::abs(*seen.ratio - std::min(copied / all, 0.999)) < 0.002);
                REQUIRE((!paused || !seen.eta));
                views.push_back({copying, copied / all,
                                 seen.eta ? std::optional(seconds(*seen.eta)) : std::nullopt});
                if (!paused) REQUIRE((seen.eta || copied / all < 0.2));
            }
            if (paused) continue;
            copied += speed.rows(copying, copied / all, random);
            copying += 1;
        }
        for (const auto& view : views) {
            const double left = copying - view.copying_seconds;
            // Of the last seconds the samples themselves are too coarse.
            if (view.ratio < 0.2 || !view.eta || left < std::max(5.0 * cadence, 0.05 * copying))
                continue;
            // One second is the grain of this world: it ends with a whole one.
            const double error = (std::abs(*view.eta - left) - 1) / left;
            worst = std::max(worst, error);
            REQUIRE_MESSAGE(error <= 0.25, "round " << round << ": told " << *view.eta
                                                    << " s, it took " << left << " s, at "
                                                    << view.ratio);
        }
    }
    MESSAGE("worst error of an ETA: " << worst);
}
