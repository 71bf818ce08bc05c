#include "fencing/second_look.hpp"

#include <doctest/doctest.h>

using namespace primacy::fencing;

namespace {

const rung_report off = {rung_outcome::confirmed,
                         rung_failure::none,
                         "the BMC says twice that its power is off",
                         {{"power", "off"}}};

rung_report look(rung_outcome outcome, rung_failure reason) {
    return {outcome, reason, "what was seen", {}};
}

}  // namespace

TEST_CASE("a server that says nothing contradicts nobody") {
    for (auto reason : {rung_failure::unreachable, rung_failure::timeout, rung_failure::cancelled,
                        rung_failure::internal, rung_failure::not_found}) {
        auto report = after_second_look(off, look(rung_outcome::unknown, reason));
        CHECK(report.outcome == rung_outcome::confirmed);
        CHECK(report.reason == rung_failure::none);
        CHECK(report.sentence == off.sentence);
        CHECK(report.facts == off.facts);
    }
}

TEST_CASE("a server that is seen writable was not stopped") {
    auto report = after_second_look(off, look(rung_outcome::failed, rung_failure::still_alive));
    // Not failed: what the device did may have an effect yet.
    CHECK(report.outcome == rung_outcome::unknown);
    CHECK(report.reason == rung_failure::still_alive);
    CHECK(report.sentence ==
          "the BMC says twice that its power is off; but the server still answers: what was seen");
}

TEST_CASE("a server that answers and cannot be looked into may be writing") {
    for (auto reason :
         {rung_failure::denied, rung_failure::refused, rung_failure::protocol, rung_failure::tls}) {
        auto report = after_second_look(off, look(rung_outcome::unknown, reason));
        CHECK(report.outcome == rung_outcome::unknown);
        CHECK(report.reason == rung_failure::still_alive);
    }
}

TEST_CASE("a server that answers and is proved to take no writes is stopped all the same") {
    auto report = after_second_look(off, look(rung_outcome::confirmed, rung_failure::none));
    CHECK(report.outcome == rung_outcome::confirmed);
    auto open = after_second_look(off, look(rung_outcome::partial, rung_failure::bypass));
    CHECK(open.outcome == rung_outcome::partial);
    CHECK(open.reason == rung_failure::bypass);
}

TEST_CASE("what was not confirmed stays as it was said") {
    for (auto outcome : {rung_outcome::failed, rung_outcome::partial, rung_outcome::unknown}) {
        rung_report said = {outcome, rung_failure::timeout, "so it was", {}};
        auto report =
            after_second_look(said, look(rung_outcome::failed, rung_failure::still_alive));
        CHECK(report.outcome == outcome);
        CHECK(report.reason == rung_failure::timeout);
        CHECK(report.sentence == "so it was");
    }
}
