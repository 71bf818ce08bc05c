#include "osc/throttle.hpp"

#include "tests/support/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

using namespace primacy::osc;
using namespace primacy::tests;
using namespace std::chrono_literals;
using primacy::checks::duration;
using primacy::checks::moment;

namespace {

using cause = throttle_cause;

// A job, asked about at times of our choice.
struct asked {
    throttle_policy policy;
    throttle_state state;
    throttle_input seen;

    asked() {
        seen.writer = writer_sight::clear;
        seen.lags = {{"db2", 0.1, ""}, {"db3", 0.2, ""}};
        seen.loads = {{"Threads_running", 5, 25}};
    }

    throttle_answer at(duration time) {
        seen.at = moment(time);
        return decide_throttle(seen, policy, state);
    }
};

}  // namespace

TEST_CASE("all is well: 200, the worst lag and its limit") {
    asked job;
    const auto answer = job.at(0s);
    CHECK(answer.http_status == 200);
    CHECK(answer.go());
    CHECK(answer.value == 0.2);
    CHECK(answer.threshold == 1.5);
    CHECK(answer.message == "");
    CHECK(answer.cause == cause::none);
    CHECK(answer.cut_over_allowed);
    CHECK(answer.cut_over_refused_because == "");
}

TEST_CASE("no replica and no load to watch is nothing to wait for") {
    asked job;
    job.seen.lags.clear();
    job.seen.loads.clear();
    CHECK(job.at(0s).http_status == 200);
    CHECK(job.at(0s).value == 0);
}

TEST_CASE("what forbids, and how it is told") {
    const auto refused = [](auto&& change, int status, cause why, const std::string& message) {
        asked job;
        change(job.seen);
        const auto answer = job.at(0s);
        CHECK_MESSAGE(answer.http_status == status, message);
        CHECK(answer.cause == why);
        CHECK(answer.message == message);
        CHECK(!answer.cut_over_allowed);
        CHECK(answer.cut_over_refused_because == message);
        CHECK(job.state.throttled == (status != 404));
    };
    refused([](auto& seen) { seen.job_exists = false; }, 404, cause::no_such_job,
            "there is no such job");
    refused([](auto& seen) { seen.writer = writer_sight::split_brain_confirmed; }, 417,
            cause::split_brain_confirmed, "more than one server of the topology takes writes");
    refused([](auto& seen) { seen.writer = writer_sight::split_brain_suspected; }, 417,
            cause::split_brain_suspected,
            "more than one server of the topology may be taking writes");
    refused([](auto& seen) { seen.writer = writer_sight::unknown; }, 500, cause::writer_unknown,
            "it is not known which server takes writes");
    refused([](auto& seen) { seen.paused_by_user = true; }, 417, cause::paused_by_user,
            "the job is paused by a person");
    refused([](auto& seen) { seen.maintenance = true; }, 417, cause::maintenance,
            "the topology is in maintenance");
    refused(
        [](auto& seen) {
            seen.lags[1] = {"db3", {}, "it does not replicate"};
        },
        500, cause::lag_unknown, "the lag of db3 is not known: it does not replicate");
    refused([](auto& seen) { seen.lags[0].seconds.reset(); }, 500, cause::lag_unknown,
            "the lag of db2 is not known");
    refused([](auto& seen) { seen.loads[0].value.reset(); }, 500, cause::load_unknown,
            "Threads_running could not be read");
    refused([](auto& seen) { seen.lags[1].seconds = 4.25; }, 429, cause::lag,
            "db3 lags by 4.3 s (limit 1.5 s)");
    refused([](auto& seen) { seen.loads[0].value = 25; }, 429, cause::load,
            "Threads_running is 25 (limit 25)");
}

TEST_CASE("the reading that decides is the value that is told") {
    asked job;
    job.seen.loads[0].value = 30;
    auto answer = job.at(0s);
    CHECK(answer.value == 30);
    CHECK(answer.threshold == 25);
    CHECK(answer.subject == "Threads_running");
    job.seen.lags[0].seconds = 7;
    answer = job.at(1s);
    CHECK(answer.value == 7);
    CHECK(answer.threshold == 1.5);
    CHECK(answer.subject == "db2");
}

TEST_CASE("a lag that is no number is not known") {
    for (const double lag :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        asked job;
        job.seen.lags[0].seconds = lag;
        CHECK(job.at(0s).http_status == 500);
        CHECK(job.at(0s).value == 0.2);
    }
}

TEST_CASE("nothing is assumed: a fresh input forbids") {
    throttle_state state;
    CHECK(decide_throttle({}, {}, state).http_status == 500);
    CHECK(throttle_answer{}.http_status == 500);
}

TEST_CASE("a closed window forbids the cut-over and not the copy") {
    asked job;
    job.seen.window_closed = true;
    const auto answer = job.at(0s);
    CHECK(answer.go());
    CHECK(!answer.cut_over_allowed);
    CHECK(answer.cut_over_refused_because == "the cut-over's window is closed");
}

TEST_CASE("throttled, it goes on until the lag is well below its limit") {
    asked job;
    job.seen.lags[0].seconds = 1.6;
    CHECK(job.at(0s).cause == cause::lag);
    job.seen.lags[0].seconds = 1.4;
    const auto answer = job.at(1s);
    CHECK(answer.http_status == 429);
    CHECK(answer.cause == cause::settling);
    CHECK(answer.message ==
          "throttled before by lag; all is below its limit, but not yet for 10 s");
    CHECK(answer.value == 1.4);
    job.seen.lags[0].seconds = 1.0;
    CHECK(job.at(2s).http_status == 429);
    CHECK(job.at(3900ms).http_status == 429);
    CHECK(job.at(4s).http_status == 200);
    // It was released: what is only below the limit is good enough again.
    job.seen.lags[0].seconds = 1.4;
    CHECK(job.at(5s).http_status == 200);
}

TEST_CASE("or until it has been below its limit for long enough") {
    asked job;
    job.seen.lags[0].seconds = 1.6;
    job.at(0s);
    job.seen.lags[0].seconds = 1.4;
    CHECK(job.at(1s).http_status == 429);
    CHECK(job.at(10900ms).http_status == 429);
    job.seen.lags[0].seconds = 1.6;
    CHECK(job.at(10950ms).cause == cause::lag);
    job.seen.lags[0].seconds = 1.4;
    CHECK(job.at(12s).http_status == 429);
    CHECK(job.at(21900ms).http_status == 429);
    CHECK(job.at(22s).http_status == 200);
}

TEST_CASE("after two writers, or what was unknown, calm alone is not enough") {
    for (const bool writers : {true, false}) {
        asked job;
        if (writers)
            job.seen.writer = writer_sight::split_brain_suspected;
        else
            job.seen.lags[0].seconds.reset();
        job.at(0s);
        job.seen.writer = writer_sight::clear;
        job.seen.lags[0].seconds = 0.0;
        CHECK(job.at(1s).cause == cause::settling);
        CHECK(job.at(10900ms).cause == cause::settling);
        CHECK(job.at(11s).go());
        // Forgotten with the release: the next lag is a lag.
        job.seen.lags[0].seconds = 2.0;
        CHECK(job.at(12s).cause == cause::lag);
        job.seen.lags[0].seconds = 0.0;
        job.at(13s);
        CHECK(job.at(15s).go());
    }
}

TEST_CASE("a person who resumes waits for nothing when all is calm") {
    asked job;
    job.seen.paused_by_user = true;
    for (int i = 0; i < 100; ++i)
        CHECK(job.at(std::chrono::seconds(i)).http_status == 417);
    job.seen.paused_by_user = false;
    CHECK(job.at(100s).go());
    // And otherwise for what is not.
    job.seen.paused_by_user = true;
    job.seen.lags[0].seconds = 9.0;
    job.at(101s);
    job.seen.paused_by_user = false;
    CHECK(job.at(102s).cause == cause::lag);
}

TEST_CASE("a limit that nothing can be below throttles for ever") {
    asked job;
    job.seen.loads[0] = {"Threads_running", 0, 0};
    CHECK(job.at(0s).http_status == 429);
    CHECK(job.at(1000s).http_status == 429);
}

TEST_CASE("noise around the limit does not make it flutter") {
    auto random = seeded_random();
    int raw_changes = 0;
    int changes = 0;
    for (int round = 0; round < 50; ++round) {
        asked job;
        bool went = true;
        bool was_below = true;
        for (int second = 0; second < 600; ++second) {
            // A new reading each second, asked about ten times.
            job.seen.lags[0].seconds = std::uniform_real_distribution<double>(0.9, 2.1)(random);
            const bool below = *job.seen.lags[0].seconds <= job.policy.lag_limit_seconds;
            raw_changes += below != was_below;
            was_below = below;
            for (int tenth = 0; tenth < 10; ++tenth) {
                const bool go = job.at(1s * second + 100ms * tenth).go();
                changes += go != went;
                went = go;
                // Never 200 while the reading itself forbids.
                REQUIRE((!go || below));
            }
        }
    }
    MESSAGE("changes of the readings: " << raw_changes << ", of the answers: " << changes);
    CHECK(raw_changes > 10'000);
    CHECK(changes < raw_changes / 20);
}

TEST_CASE("a slow wave is followed, twice for each of its turns") {
    asked job;
    int changes = 0;
    bool went = true;
    double throttled = 0;
    for (int second = 0; second < 1200; ++second) {
        // Up from 0 to 3 s and down again in 120 s.
        const int place = second % 120;
        job.seen.lags[0].seconds = place < 60 ? place * 0.05 : (120 - place) * 0.05;
        const bool go = job.at(std::chrono::seconds(second)).go();
        changes += go != went;
        went = go;
        throttled += go ? 0 : 1;
    }
    CHECK(changes == 20);
    CHECK(throttled / 1200 < 0.62);
}

TEST_CASE("whatever comes, 200 is only said when everything is known and below its limit") {
    auto random = seeded_random();
    for (int round = 0; round < 300; ++round) {
        asked job;
        duration now{};
        for (int step = 0; step < 200; ++step) {
            now += std::chrono::milliseconds(random() % 3000);
            auto& seen = job.seen;
            const auto chance = [&random](unsigned one_in) { return random() % one_in == 0; };
            if (chance(5)) seen.writer = static_cast<writer_sight>(chance(2) ? 0 : random() % 4);
            if (chance(20)) seen.paused_by_user = !seen.paused_by_user;
            if (chance(20)) seen.maintenance = !seen.maintenance;
            for (auto& lag : seen.lags)
                lag.seconds = chance(20) ? std::nullopt
                                         : std::optional(static_cast<double>(random() % 200) / 100);
            for (auto& load : seen.loads)
                load.value = chance(20) ? std::nullopt : std::optional(random() % 30);
            const auto answer = job.at(now);
            const bool good =
                seen.writer == writer_sight::clear && !seen.paused_by_user && !seen.maintenance &&
                std::all_of(seen.lags.begin(), seen.lags.end(),
                            [](const auto& lag) { return lag.seconds && *lag.seconds <= 1.5; }) &&
                seen.loads[0].value && *seen.loads[0].value < 25;
            REQUIRE((!answer.go() || good));
            REQUIRE(answer.go() == answer.message.empty());
            REQUIRE(answer.go() == !job.state.throttled);
            REQUIRE((good || answer.cause != cause::settling));
        }
        // And it always comes back once all is well for long enough.
        job.seen.writer = writer_sight::clear;
        job.seen.paused_by_user = job.seen.maintenance = false;
        for (auto& lag : job.seen.lags)
            lag.seconds = 0.1;
        job.seen.loads[0].value = 1;
        job.at(now + 1s);
        REQUIRE(job.at(now + 1s + job.policy.hold).go());
    }
}
