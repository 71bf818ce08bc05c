#include "fencing/ladder.hpp"

#include <doctest/doctest.h>

using namespace primacy::fencing;
using namespace primacy::checks;
using namespace std::chrono_literals;

namespace {

const moment start = moment(100s);

std::vector<rung> three_rungs() {
    return {{"sql", true, 5s}, {"db1-ssh", false, 10s}, {"db1-bmc", false, 30s}};
}

rung_report report(rung_outcome outcome, const std::string& sentence = "so it was") {
    return {outcome,
            outcome == rung_outcome::confirmed ? rung_failure::none : rung_failure::timeout,
            sentence,
            {}};
}

}  // namespace

TEST_CASE("the first rung that is confirmed ends the climb") {
    ladder climb(three_rungs(), start + 90s);
    auto first = climb.next(start, "", false);
    CHECK(first.what == ladder_step::run);
    CHECK(first.rung == 0);
    CHECK(first.until == start + 5s);
    climb.ended(report(rung_outcome::confirmed, "read_only is 1"));
    CHECK(climb.next(start + 1s, "", false).what == ladder_step::finish);
    CHECK(climb.finished());
    auto result = climb.result();
    CHECK(result.stage == fence_stage::confirmed);
    CHECK(result.rung == "sql");
    CHECK(result.sentence == "read_only is 1");
}

TEST_CASE("everything but confirmed goes on to the next rung") {
    for (auto outcome : {rung_outcome::partial, rung_outcome::failed, rung_outcome::unknown}) {
        ladder climb(three_rungs(), start + 90s);
        climb.next(start, "", false);
        climb.ended(report(outcome));
        auto second = climb.next(start + 5s, "", false);
        CHECK(second.what == ladder_step::run);
        CHECK(second.rung == 1);
    }
}

TEST_CASE("a rung that is unknown is looked at again when the server is seen stopped") {
    ladder climb(three_rungs(), start + 90s);
    climb.next(start, "", false);
    climb.ended(report(rung_outcome::unknown));
    auto again = climb.next(start + 5s, "", true);
    CHECK(again.what == ladder_step::verify);
    CHECK(again.rung == 0);
    SUBCASE("and its effect had come late: no harder rung is needed") {
        climb.ended(report(rung_outcome::confirmed, "it is read-only after all"));
        CHECK(climb.next(start + 6s, "", true).what == ladder_step::finish);
        CHECK(climb.result().stage == fence_stage::confirmed);
        CHECK(climb.result().rung == "sql");
    }
    SUBCASE("and it has had none: the climb goes on, and asks no second time") {
        climb.ended(report(rung_outcome::failed));
        auto next = climb.next(start + 6s, "", true);
        CHECK(next.what == ladder_step::run);
        CHECK(next.rung == 1);
    }
}

TEST_CASE("after the last rung what is unknown is looked at once more") {
    ladder climb({{"sql", true, 5s}}, start + 90s);
    climb.next(start, "", false);
    climb.ended(report(rung_outcome::unknown));
    CHECK(climb.next(start + 5s, "", false).what == ladder_step::verify);
    climb.ended(report(rung_outcome::failed, "it is writable"));
    CHECK(climb.next(start + 6s, "", false).what == ladder_step::finish);
    // It had no answer then, and may have its effect a moment after the look.
    CHECK(climb.result().stage == fence_stage::unknown);
    CHECK(climb.result().sentence == "it is writable; what was done to it may still take effect");
    CHECK(climb.result().tried.size() == 2);
}

TEST_CASE("it stops when it must not go on, with what it has") {
    ladder climb(three_rungs(), start + 90s);
    climb.next(start, "", false);
    climb.ended(report(rung_outcome::unknown, "no answer"));
    CHECK(climb.next(start + 5s, "the lease was lost", false).what == ladder_step::finish);
    CHECK(climb.result().stage == fence_stage::unknown);
    CHECK(climb.result().sentence == "no answer; it stopped there: the lease was lost");
    CHECK(climb.result().interrupted);
    CHECK(climb.next(start + 6s, "", false).what == ladder_step::finish);
}

TEST_CASE("a climb that was stopped before its first rung has done nothing") {
    ladder climb(three_rungs(), start + 90s);
    CHECK(climb.next(start, "maintenance has begun", false).what == ladder_step::finish);
    CHECK(climb.result().stage == fence_stage::failed);
    CHECK(climb.result().tried.empty());
    CHECK(climb.result().sentence == "nothing was tried; it stopped there: maintenance has begun");
}

TEST_CASE("what was reached is the best that any rung came to") {
    ladder climb({{"sql", true, 5s}, {"proxy", false, 5s}}, start + 90s);
    climb.next(start, "", false);
    climb.ended(report(rung_outcome::partial, "accounts remain"));
    climb.next(start + 1s, "", false);
    climb.ended(report(rung_outcome::failed, "refused"));
    CHECK(climb.next(start + 2s, "", false).what == ladder_step::finish);
    CHECK(climb.result().stage == fence_stage::partial);
    CHECK(climb.result().rung == "sql");
}

TEST_CASE("time is shared so that later rungs keep theirs") {
    SUBCASE("enough for all: each its own timeout") {
        ladder climb(three_rungs(), start + 90s);
        CHECK(climb.next(start, "", false).until == start + 5s);
    }
    SUBCASE("too little: an equal part, never more than its own") {
        ladder climb(three_rungs(), start + 9s);
        CHECK(climb.next(start, "", false).until == start + 3s);
        climb.ended(report(rung_outcome::failed));
        CHECK(climb.next(start + 3s, "", false).until == start + 6s);
        climb.ended(report(rung_outcome::failed));
        CHECK(climb.next(start + 6s, "", false).until == start + 9s);
    }
    SUBCASE("what an early rung did not use is there for the later ones") {
        ladder climb(three_rungs(), start + 30s);
        climb.next(start, "", false);
        climb.ended(report(rung_outcome::failed));
        climb.next(start + 100ms, "", false);
        climb.ended(report(rung_outcome::failed));
        CHECK(climb.next(start + 200ms, "", false).until == start + 30s);
    }
}

TEST_CASE("when its time is over the climb ends, whatever is left") {
    ladder climb(three_rungs(), start + 5s);
    climb.next(start, "", false);
    climb.ended(report(rung_outcome::unknown, "no answer"));
    CHECK(climb.next(start + 5s, "", false).what == ladder_step::finish);
    CHECK(climb.result().sentence ==
          "no answer; it stopped there: the time of the whole ladder is over");
}

TEST_CASE("a ladder that was begun because nobody saw the server ends when it is seen stopped") {
    ladder climb(three_rungs(), start + 90s, true);
    climb.next(start, "", false);
    auto outcome = rung_outcome::failed;
    SUBCASE("after a rung that certainly did nothing") {
        climb.ended(report(outcome));
    }
    SUBCASE("after a look at what one that is unknown has done") {
        outcome = rung_outcome::unknown;
        climb.ended(report(outcome));
        CHECK(climb.next(start + 5s, "", true).what == ladder_step::verify);
        climb.ended(report(outcome));
    }
    CHECK(climb.next(start + 5s, "", true).what == ladder_step::finish);
    CHECK(climb.result().stage == stage_of(outcome));
    CHECK(climb.result().sentence ==
          "so it was; it stopped there: it is seen again, and takes no writes");
}

TEST_CASE("of a server that is seen, read-only for ordinary accounts is not enough") {
    ladder climb(three_rungs(), start + 90s);
    climb.next(start, "", false);
    climb.ended(report(rung_outcome::partial));
    CHECK(climb.next(start + 5s, "", true).what == ladder_step::run);
}
