// A world for the lease: voters that grant locks, agents with clocks that run fast or slow, and all
// that can happen between them. True time is known here only.
#pragma once

#include "fencing/lease.hpp"

#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace primacy::tests {

using checks::duration;
using checks::moment;
using namespace std::chrono_literals;

inline fencing::lease_policy policy_of(std::size_t voters, duration ttl = 8s) {
    fencing::lease_policy policy;
    for (std::size_t i = 1; i <= voters; ++i)
        policy.voters.push_back("db" + std::to_string(i));
    policy.ttl = ttl;
    return policy;
}

// A server, as far as it holds locks: one lock, sessions by number, 0 is nobody.
struct simulated_voter {
    std::uint64_t owner = 0;
    std::set<std::uint64_t> alive;
    moment owner_spoke{};
    duration lets_go_after{};  // its wait_timeout on its own clock, in true time

    void end_session(std::uint64_t number) {
        alive.erase(number);
        if (owner == number) owner = 0;
    }
    void restart() {
        alive.clear();
        owner = 0;
    }
};

// What an agent has under way with one voter.
struct simulated_link {
    bool up = true;
    std::uint64_t session = 0;
    bool busy = false;
    fencing::lease_task what = fencing::lease_task::wait;
    moment sent_local{};
    moment limit_local{};
    moment arrives{};  // at the voter
    moment returns{};
    bool arrived = false;
    bool answered = false;  // the answer is on this machine, read or not
    fencing::lease_answer answer = fencing::lease_answer::lost;
};

struct simulated_agent {
    fencing::lease lease;
    double rate;  // of its clock: local seconds in one true second
    std::vector<simulated_link> links;
    moment paused_until{};
    bool held_before = false;
    moment last_held{};  // true time
    std::uint64_t acquisitions = 0;

    simulated_agent(const fencing::lease_policy& policy, double clock_rate)
        : lease(policy), rate(clock_rate), links(policy.voters.size()) {}
};

class lease_world {
public:
    lease_world(fencing::lease_policy policy, std::vector<double> rates, std::uint64_t seed)
        : policy_(std::move(policy)), random_(seed) {
        voters.resize(policy_.voters.size());
        for (auto& voter : voters)
            voter.lets_go_after = policy_.ttl;
        for (double rate : rates) {
            agents.emplace_back(policy_, rate);
            agents.back().lease.want(true, local(agents.back()));
        }
    }

    std::vector<simulated_voter> voters;
    std::vector<simulated_agent> agents;
    duration slowest_message = 20ms;
    // How long an agent may go on with what it had begun while it held the lease.
    duration stop_time{};
    // "" while never two acted at the same true time, else what was seen.
    std::string fault;

    moment now() const { return now_; }
    moment local(const simulated_agent& agent) const {
        auto true_ns = static_cast<double>(now_.time_since_epoch().count());
        return moment(duration(static_cast<duration::rep>(true_ns * agent.rate)));
    }
    bool held(std::size_t agent) const {
        return agents[agent].lease.view(local(agents[agent])).held;
    }
    double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

    void run(duration time) {
        for (const moment end = now_ + time; now_ < end; now_ += 5ms)
            tick();
    }

    // The agent's process dies and another one takes its place; its sessions end with it.
    void restart_agent(std::size_t number) {
        simulated_agent& agent = agents[number];
        for (std::size_t i = 0; i < voters.size(); ++i)
            if (agent.links[i].up) voters[i].end_session(agent.links[i].session);
        auto before = agent;
        agent = simulated_agent(policy_, before.rate);
        agent.acquisitions = before.acquisitions;
        for (std::size_t i = 0; i < voters.size(); ++i)
            agent.links[i].up = before.links[i].up;
        agent.lease.want(true, local(agent));
    }

private:
    void tick() {
        for (auto& voter : voters)
            if (voter.owner != 0 && now_ - voter.owner_spoke > voter.lets_go_after)
                voter.end_session(voter.owner);
        for (auto& agent : agents) {
            for (std::size_t i = 0; i < voters.size(); ++i)
                carry(agent.links[i], voters[i]);
            if (agent.paused_until <= now_) act(agent);
        }
        watch();
    }

    // Messages travel whether or not the agent is awake.
    void carry(simulated_link& link, simulated_voter& voter) {
        if (!link.busy || link.answered) return;
        if (!link.up) {
            link.returns = moment::max();
            if (!link.arrived) link.arrives = moment::max();
            return;
        }
        if (!link.arrived && link.arrives <= now_) {
            link.arrived = true;
            link.answer = judge(link, voter);
        }
        if (link.arrived && link.returns <= now_) link.answered = true;
    }

    fencing::lease_answer judge(simulated_link& link, simulated_voter& voter) {
        using fencing::lease_answer;
        using fencing::lease_task;
        if (link.what == lease_task::connect) {
            link.session = ++last_session_;
            voter.alive.insert(link.session);
            return lease_answer::connected;
        }
        if (voter.alive.count(link.session) == 0) return lease_answer::lost;
        if (link.what == lease_task::take && voter.owner == 0) voter.owner = link.session;
        if (voter.owner == link.session) voter.owner_spoke = now_;
        if (voter.owner == link.session) return lease_answer::ours;
        return voter.owner == 0 ? lease_answer::free : lease_answer::taken;
    }

    void act(simulated_agent& agent) {
        const moment here = local(agent);
        agent.lease.pass_time(here, chance());
        for (std::size_t i = 0; i < voters.size(); ++i) {
            simulated_link& link = agent.links[i];
            if (link.busy && !link.answered && here < link.limit_local) continue;
            if (link.busy) conclude(agent, i);
            const auto errand = agent.lease.next(i, here);
            if (errand.what != fencing::lease_task::wait) begin(agent, i, errand.what);
        }
    }

    void conclude(simulated_agent& agent, std::size_t number) {
        simulated_link& link = agent.links[number];
        const auto answer = link.answered ? link.answer : fencing::lease_answer::lost;
        if (answer == fencing::lease_answer::lost) drop(link, voters[number]);
        link.busy = false;
        agent.lease.report({number, answer, link.sent_local, local(agent), "no answer"}, chance());
    }

    // A good-bye that the network swallows leaves the session to the voter's timer.
    void drop(simulated_link& link, simulated_voter& voter) {
        if (link.up) voter.end_session(link.session);
        link.session = 0;
    }

    void begin(simulated_agent& agent, std::size_t number, fencing::lease_task what) {
        simulated_link& link = agent.links[number];
        const moment here = local(agent);
        if (what == fencing::lease_task::close) {
            drop(link, voters[number]);
            agent.lease.report({number, fencing::lease_answer::lost, here, here, ""}, chance());
            return;
        }
        link.busy = true;
        link.arrived = link.answered = false;
        link.what = what;
        link.sent_local = here;
        link.limit_local = here + policy_.answer_limit();
        link.arrives = now_ + delay();
        link.returns = link.arrives + delay();
    }

    duration delay() {
        return duration(
            static_cast<duration::rep>(static_cast<double>(slowest_message.count()) * chance()));
    }

    void watch() {
        for (std::size_t i = 0; i < agents.size(); ++i) {
            const bool holds = held(i);
            agents[i].acquisitions += holds && !agents[i].held_before ? 1 : 0;
            agents[i].held_before = holds;
            if (holds) agents[i].last_held = now_;
            for (std::size_t j = 0; holds && j < agents.size(); ++j)
                if (j != i && agents[j].last_held != moment{} &&
                    now_ <= agents[j].last_held + stop_time && fault.empty())
                    fault = "agents " + std::to_string(i) + " and " + std::to_string(j) +
                            " act at the same time, at " +
                            std::to_string(now_.time_since_epoch().count() / 1'000'000) + " ms";
        }
    }

    fencing::lease_policy policy_;
    std::mt19937_64 random_;
    moment now_ = moment(1h);
    std::uint64_t last_session_ = 0;
};

}  // namespace primacy::tests
