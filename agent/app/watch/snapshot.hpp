// What the agent says about itself and its topologies at one moment: immutable, shared by the
// metrics page, the API, the status commands and the log. Built on the loop, read anywhere.
#pragma once

#include "agent/app/config/config.hpp"
#include "checks/judge.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace primacy::app {

// Counts of probe durations, in seconds, for a Prometheus histogram.
struct duration_histogram {
    static constexpr std::array<double, 11> bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                      0.05,   0.1,   0.25,   1.0,   2.5};
    std::array<std::uint64_t, bounds.size() + 1> counts{};  // the last one is +Inf; not cumulative
    double sum = 0;

    void observe(double seconds) noexcept;
};

struct probe_statistics {
    duration_histogram durations;  // of good probes
    duration_histogram lateness;   // by how much probes began after they were due
    std::map<checks::probe_failure, std::uint64_t> failures;
};

struct topology_snapshot {
    std::shared_ptr<const topology_config> config;
    checks::observation seen;
    checks::judgement verdict;  // its graph points into `seen`: never copy one without the other
    checks::wall_time judged_at;
    checks::wall_time split_since{};  // of the suspicion or the split brain that stands
    std::uint64_t cycles = 0;         // judgements so far
    probe_statistics probes;
    bool first_round_done = false;  // every server was tried at least once

    topology_snapshot() = default;
    topology_snapshot(const topology_snapshot&) = delete;
};

struct guard_view;  // agent/app/guard/guard_view.hpp
struct job_view;    // agent/app/osc/job_view.hpp

struct agent_snapshot {
    std::string agent;  // its name
    std::string version;
    checks::wall_time started_at;
    checks::wall_time taken_at;
    checks::wall_time last_cycle_at;
    bool last_reload_successful = true;
    checks::wall_time last_reload_at;
    std::size_t configured_topologies = 0;  // some of them may not have been judged yet
    std::vector<std::shared_ptr<const topology_snapshot>> topologies;
    // By topology; none in a look without an agent.
    std::map<std::string, std::shared_ptr<const guard_view>> guards;

    // Schema changes; null in a look without an agent.
    std::shared_ptr<const std::vector<job_view>> jobs;

    const guard_view* guard_of(const std::string& topology) const {
        auto found = guards.find(topology);
        return found == guards.end() ? nullptr : found->second.get();
    }
};

}  // namespace primacy::app
