// The lease in a simulated world: contention, voters that hang, and random histories in which
// everything goes wrong that may.
#include "fencing/lease.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/fencing/lease_world.hpp"

#include <doctest/doctest.h>

using namespace primacy::fencing;
using namespace primacy::tests;

TEST_CASE("two contenders: one gets it, and when it dies the other one does") {
    lease_world world(policy_of(3, 2s), {1.0, 1.0}, random_seed());
    world.run(10s);
    REQUIRE(world.held(0) != world.held(1));
    const std::size_t holder = world.held(0) ? 0 : 1;
    const std::size_t other = 1 - holder;
    world.agents[holder].lease.want(false, world.local(world.agents[holder]));
    world.run(5s);
    CHECK(world.held(other));
    CHECK(world.fault == "");
}

TEST_CASE("two of four voters each is nobody's majority, and does not last") {
    lease_world world(policy_of(4, 2s), {1.0, 1.0}, random_seed());
    world.run(20s);
    CHECK(world.held(0) != world.held(1));
    CHECK(world.fault == "");
}

TEST_CASE("a voter that hangs delays nobody") {
    lease_world world(policy_of(3, 2s), {1.0}, random_seed());
    world.agents[0].links[1].up = false;
    // Look and take need a few messages; the vote settles for a ttl.
    world.run(2s + 500ms);
    CHECK(world.held(0));
}

namespace {

// One random mishap, or its end.
void disturb(lease_world& world, const lease_policy& policy, std::mt19937_64& random) {
    auto below = [&random](std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
    };
    auto& agent = world.agents[below(world.agents.size())];
    auto& voter = world.voters[below(world.voters.size())];
    auto& link = agent.links[below(world.voters.size())];
    switch (below(12)) {
        case 0: agent.paused_until = world.now() + policy.ttl * below(16) / 8; break;
        case 1: voter.restart(); break;
        case 2: voter.end_session(voter.owner); break;
        case 3:
        case 4: link.up = false; break;
        case 5:
            for (auto& each : agent.links)
                each.up = false;
            break;
        case 6: world.restart_agent(below(world.agents.size())); break;
        case 7: voter.lets_go_after = policy.ttl * (2 + below(20)) / 10; break;
        case 8:
        case 9:
            // The worst moment: the locks are free at once, and who had them does not know yet.
            for (std::size_t i = 0; i < world.voters.size(); ++i)
                world.voters[i].end_session(agent.links[i].session);
            agent.paused_until = world.now() + policy.ttl * 3 / 2;
            break;
        case 10: agent.lease.want(below(3) != 0, world.local(agent)); break;
        default:
            for (auto& each : agent.links)
                each.up = true;
            agent.lease.want(true, world.local(agent));
    }
}

}  // namespace

TEST_CASE("random histories: never two that act, and one in the end") {
    auto random = seeded_random();
    std::uint64_t acquisitions = 0;
    for (int history = 0; history < 50; ++history) {
        CAPTURE(history);
        const std::size_t voters = history % 3 == 0 ? 5 : 3;
        const auto policy = policy_of(voters, 2s);
        std::vector<double> rates;
        for (int agent = 0; agent < 2 + history % 2; ++agent)
            rates.push_back(1 + policy.drift * (static_cast<double>(random() % 3) - 1));
        lease_world world(policy, rates, random());
        world.stop_time = policy.ttl / 8 - 10ms;
        world.slowest_message = history % 4 == 0 ? duration(600ms) : duration(20ms);
        for (int i = 0; i < 60; ++i) {
            world.run(duration(random() % 1'500'000'000));
            disturb(world, policy, random);
            REQUIRE(world.fault == "");
        }
        for (auto& agent : world.agents) {
            agent.paused_until = moment{};
            agent.lease.want(true, world.local(agent));
            for (auto& link : agent.links)
                link.up = true;
        }
        for (auto& voter : world.voters)
            voter.lets_go_after = policy.ttl;
        world.slowest_message = 20ms;
        world.run(30s);
        std::size_t holders = 0;
        for (std::size_t i = 0; i < world.agents.size(); ++i) {
            holders += world.held(i) ? 1 : 0;
            acquisitions += world.agents[i].acquisitions;
        }
        REQUIRE(world.fault == "");
        REQUIRE(holders == 1);
    }
    // The histories are not empty ones.
    CHECK(acquisitions > 200);
}
