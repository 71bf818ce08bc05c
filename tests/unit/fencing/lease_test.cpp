#include "fencing/lease.hpp"

#include "tests/unit/fencing/lease_world.hpp"

#include <doctest/doctest.h>

using namespace primacy::fencing;
using namespace primacy::tests;

namespace {

// One agent, whose voters are played by the test. Time stands still but for wait().
struct desk {
    lease subject;
    moment now = moment(1h);

    explicit desk(std::size_t voters = 3) : subject(policy_of(voters)) { subject.want(true, now); }
    lease_task asks(std::size_t voter) { return subject.next(voter, now).what; }
    void answer(std::size_t voter, lease_answer what, duration ago = 0ms) {
        subject.report({voter, what, now - ago, now, "no answer"}, 0.5);
    }
    void wait(duration time) {
        now += time;
        subject.pass_time(now, 0.5);
    }
    // Connects, looks and takes, on each of these.
    void take(std::initializer_list<std::size_t> voters) {
        for (auto voter : voters)
            answer(voter, lease_answer::connected);
        for (auto voter : voters)
            answer(voter, lease_answer::free);
        for (auto voter : voters) {
            REQUIRE(asks(voter) == lease_task::take);
            answer(voter, lease_answer::ours);
        }
    }
    void ping(std::initializer_list<std::size_t> voters) {
        for (auto voter : voters)
            answer(voter, lease_answer::ours);
    }
    // Pings these voters until their votes have settled.
    void settle(std::initializer_list<std::size_t> voters) {
        for (int quarter = 0; quarter < 4; ++quarter) {
            wait(2s);
            ping(voters);
        }
    }
    lease_view view() const { return subject.view(now); }
};

}  // namespace

TEST_CASE("a majority is one of the configured voters, not of those that answer") {
    CHECK(policy_of(1).needed() == 1);
    CHECK(policy_of(2).needed() == 2);
    CHECK(policy_of(3).needed() == 2);
    CHECK(policy_of(4).needed() == 3);
    CHECK(policy_of(5).needed() == 3);
}

TEST_CASE("the margin covers two clocks at their bounds and leaves an eighth to stop") {
    for (auto ttl : {2s, 8s, 60s}) {
        const auto policy = policy_of(3, ttl);
        const double drift = policy.drift;
        const std::chrono::duration<double> trusted = policy.ttl - policy.margin();
        const std::chrono::duration<double> settles = policy.settling();
        const std::chrono::duration<double> stops = policy.ttl / 8;
        CHECK((trusted / (1 - drift) + stops).count() <= (settles / (1 + drift)).count());
        CHECK(policy.ping_interval() + policy.answer_limit() < policy.ttl - policy.margin());
    }
}

TEST_CASE("an agent that does not want the lease opens no session") {
    lease subject(policy_of(3));
    for (std::size_t voter = 0; voter < 3; ++voter) {
        CHECK(subject.next(voter, moment(1h)).what == lease_task::wait);
        CHECK(subject.next(voter, moment(1h)).until == moment::max());
    }
    CHECK(subject.view(moment(1h)).why == "the lease is not asked for");
}

TEST_CASE("a lease is acquired by a majority, after the time of whoever had it before") {
    desk one;
    for (std::size_t voter = 0; voter < 3; ++voter)
        CHECK(one.asks(voter) == lease_task::connect);
    one.answer(0, lease_answer::connected);
    CHECK(one.asks(0) == lease_task::look);
    one.answer(0, lease_answer::free);
    // One free lock is no reason to take it: it may be the one that the holder is about to renew.
    CHECK(one.asks(0) == lease_task::wait);
    one.answer(1, lease_answer::connected);
    one.answer(1, lease_answer::free);
    CHECK(one.asks(0) == lease_task::take);
    one.answer(0, lease_answer::ours);
    one.answer(1, lease_answer::ours);
    CHECK_FALSE(one.view().held);
    CHECK(one.view().votes == 2);
    CHECK(one.view().why ==
          "has 2 of 3 voters and waits 8.0 s for whoever had them before to stop");
    for (int quarter = 0; quarter < 3; ++quarter) {
        one.wait(2s);
        CHECK(one.asks(0) == lease_task::ping);
        one.ping({0, 1});
        CHECK_FALSE(one.view().held);
    }
    one.wait(1999ms);
    CHECK_FALSE(one.view().held);
    one.wait(1ms);
    CHECK(one.view().held);
    CHECK(one.view().epoch == 1);
    CHECK(one.view().acquired_at == one.now);
    CHECK(one.view().why.empty());
    // The last pings were sent 2 s ago: 8 s, less 0.16 s of drift, less 1 s to stop.
    CHECK(one.view().valid_until == one.now - 2s + 6840ms);
}

TEST_CASE("a holder that is cut off stops by itself, counting from when it last asked") {
    desk one;
    one.take({0, 1, 2});
    one.settle({0, 1, 2});
    REQUIRE(one.view().held);
    one.wait(2s);
    one.answer(0, lease_answer::ours, 300ms);
    one.answer(1, lease_answer::ours, 400ms);
    one.answer(2, lease_answer::ours, 1900ms);
    // The second of the three ends the majority.
    const moment end = one.now - 400ms + 6840ms;
    CHECK(one.view().valid_until == end);
    one.wait(end - one.now - 1ns);
    CHECK(one.view().held);
    one.wait(1ns);
    CHECK_FALSE(one.view().held);
    for (std::size_t voter = 0; voter < 3; ++voter)
        CHECK(one.asks(voter) == lease_task::close);
}

TEST_CASE("one of three voters may go; with the second the lease goes at once") {
    desk one;
    one.take({0, 1, 2});
    one.settle({0, 1, 2});
    one.answer(2, lease_answer::lost);
    CHECK(one.view().held);
    CHECK(one.view().votes == 2);
    one.answer(1, lease_answer::lost);
    CHECK_FALSE(one.view().held);
    CHECK(one.view().why.find("lost the majority: db2: no answer; db3: no answer") == 0);
    CHECK(one.asks(0) == lease_task::close);
}

TEST_CASE("a ping that finds another's lock is a lost vote") {
    desk one;
    one.take({0, 1});
    one.settle({0, 1});
    REQUIRE(one.view().held);
    one.answer(0, lease_answer::taken);
    CHECK_FALSE(one.view().held);
    CHECK(one.asks(0) == lease_task::close);
}

TEST_CASE("a voter that joins later counts only when its vote has settled") {
    desk one;
    one.take({0, 1});
    one.settle({0, 1});
    one.answer(2, lease_answer::connected);
    CHECK(one.asks(2) == lease_task::take);
    one.answer(2, lease_answer::ours);
    CHECK(one.view().votes == 3);
    one.answer(1, lease_answer::lost);
    CHECK_FALSE(one.view().held);
}

TEST_CASE("a paused holder knows by its clock, and late answers do not revive it") {
    desk one;
    one.take({0, 1, 2});
    one.settle({0, 1, 2});
    const auto epoch = one.view().epoch;
    const auto sent = one.now;
    one.now += 1h;  // nothing ran meanwhile
    CHECK_FALSE(one.view().held);
    CHECK(one.view().why.find("was the agent paused?") != std::string::npos);
    // Answers that were waiting in the sockets, and one that was asked for after the pause.
    one.subject.report({0, lease_answer::ours, sent, one.now, ""}, 0.5);
    one.answer(1, lease_answer::ours);
    one.answer(2, lease_answer::ours);
    CHECK_FALSE(one.view().held);
    for (std::size_t voter = 0; voter < 3; ++voter) {
        CHECK(one.asks(voter) == lease_task::close);
        one.answer(voter, lease_answer::lost);
    }
    one.wait(10s);
    one.take({0, 1});
    one.settle({0, 1});
    CHECK(one.view().held);
    CHECK(one.view().epoch == epoch + 1);
    CHECK(one.view().acquired_at > sent + 1h + 8s);
}

TEST_CASE("a lease that ran out for a moment is not the same lease when a later vote settles") {
    desk one;
    one.take({0, 1});
    one.settle({0, 1});
    one.answer(2, lease_answer::connected);
    one.answer(2, lease_answer::ours);
    // db1 is pinged no more, db2 is; the vote of db3 settles 8 s after now, too late by 1.16 s.
    for (int i = 0; i < 4; ++i) {
        one.now += 2s;
        one.subject.report({1, lease_answer::ours, one.now, one.now, ""}, 0.5);
        if (i < 3) CHECK(one.view().held);
        one.subject.report({2, lease_answer::ours, one.now, one.now, ""}, 0.5);
    }
    CHECK_FALSE(one.view().held);
}

TEST_CASE("who cannot have a majority gives back what it has, and pauses") {
    desk one;
    for (std::size_t voter = 0; voter < 3; ++voter)
        one.answer(voter, lease_answer::connected);
    for (std::size_t voter = 0; voter < 3; ++voter)
        one.answer(voter, lease_answer::free);
    one.answer(0, lease_answer::ours);
    one.answer(1, lease_answer::taken);
    CHECK(one.asks(0) == lease_task::wait);
    SUBCASE("when the last voter has answered") {
        one.answer(2, lease_answer::taken);
        CHECK(one.asks(0) == lease_task::close);
    }
    SUBCASE("when the last voter does not answer") {
        one.wait(1s);
        CHECK(one.asks(0) == lease_task::close);
        // Its answer comes after all: that lock too is given back.
        one.answer(2, lease_answer::ours);
        CHECK(one.asks(2) == lease_task::close);
    }
    one.answer(0, lease_answer::lost);
    CHECK(one.view().votes == 0);
    one.answer(0, lease_answer::connected);
    one.answer(0, lease_answer::free);
    one.answer(1, lease_answer::free);
    CHECK(one.asks(0) == lease_task::wait);
}

TEST_CASE("an agent that stops wanting the lease gives it back at once") {
    desk one;
    one.take({0, 1, 2});
    one.settle({0, 1, 2});
    one.subject.want(false, one.now);
    CHECK_FALSE(one.view().held);
    for (std::size_t voter = 0; voter < 3; ++voter)
        CHECK(one.asks(voter) == lease_task::close);
}

TEST_CASE("the sentence says what stands in the way") {
    desk one;
    one.answer(0, lease_answer::connected);
    one.subject.report({1, lease_answer::lost, one.now, one.now, "connect to db2: refused"}, 0);
    CHECK(one.view().why ==
          "reaches 1 of 3 voters, 2 are needed: db2: connect to db2: refused; db3 has no session");
    one.answer(0, lease_answer::taken);
    CHECK(one.view().why ==
          "another agent has the lock on 1 of 3 voters, and 2 free ones are needed");
}

namespace {

// The same clock, seen by an agent on which it goes at another rate.
moment shown(moment true_time, double rate) {
    const std::chrono::duration<double, std::nano> since = true_time.time_since_epoch();
    return moment(std::chrono::duration_cast<duration>(since * rate));
}

void take_the_only_voter(lease& subject, moment now) {
    subject.want(true, now);
    for (auto answer : {lease_answer::connected, lease_answer::free, lease_answer::ours})
        subject.report({0, answer, now, now, ""}, 0);
}

void ping_the_only_voter(lease& subject, moment now) {
    subject.report({0, lease_answer::ours, now, now, ""}, 0);
}

}  // namespace

TEST_CASE("a slow holder has stopped before a quick one starts that got its vote at once") {
    const auto policy = policy_of(1);
    const double slow = 1 - policy.drift;
    const double quick = 1 + policy.drift;
    lease holder(policy);
    lease next(policy);
    moment now = moment(1h);
    take_the_only_voter(holder, shown(now, slow));
    for (int i = 0; i < 5; ++i) {
        now += 2s;
        ping_the_only_voter(holder, shown(now, slow));
    }
    REQUIRE(holder.view(shown(now, slow)).held);
    // In this moment the voter restarts, and gives its lock away before the holder knows.
    const moment proof = now;
    take_the_only_voter(next, shown(now, quick));
    moment last_held{};
    moment first_held = moment::max();
    for (; now < proof + 10s; now += 1ms) {
        if (holder.view(shown(now, slow)).held) last_held = now;
        if ((now - proof) % 1s == 0s) ping_the_only_voter(next, shown(now, quick));
        next.pass_time(shown(now, quick), 0);
        if (next.view(shown(now, quick)).held) first_held = std::min(first_held, now);
    }
    CHECK(last_held > proof + 6s);
    CHECK(first_held < proof + 8s);
    CHECK(first_held - last_held > policy.ttl / 8);
}
