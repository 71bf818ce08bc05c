// The judgement of one topology: pure, total and deterministic. It is told the time, what was seen,
// what it concluded before and the rules a person set; it says what holds now and why.
#pragma once

#include "checks/confirmation.hpp"
#include "checks/finding.hpp"
#include "checks/history.hpp"
#include "checks/incumbency.hpp"
#include "checks/observation.hpp"
#include "checks/topology.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::checks {

enum class topology_state {
    healthy,      // as many writable primaries as expected, nothing to look at
    degraded,     // the expected writers are there, and somebody should look at something
    no_writer,    // every server was read, and none may be written; confirmed
    split_brain,  // more writable primaries than expected; confirmed
    unknown       // what was seen does not allow to say who writes
};
std::string_view to_string(topology_state state) noexcept;
const std::vector<topology_state>& all_topology_states();

// What a judgement needs to remember until the next one.
struct judging_state {
    confirmation split;
    std::vector<std::string> split_writers;  // servers of the suspected or confirmed split brain
    confirmation no_writer;
    watch_state watch;
    channels_of_writers writers;
    stopped_servers stopped;
    std::uint64_t split_brains_total = 0;  // confirmed since the agent started
};

// What must survive a restart. A split brain that stands is remembered by its writers: until each
// is seen harmless, those beside the incumbent are former primaries that nobody has seen.
watch_memory remember(const judging_state& state);

// One line of `explain`: what a rule concluded.
struct rule_report {
    finding_code code;
    std::size_t found = 0;
    std::string cannot_say;  // why it could not judge, when it could not
};

struct judgement {
    topology_state state = topology_state::unknown;
    std::string reason;  // one sentence for `state`
    std::vector<std::string> writers;
    topology_graph graph;           // points into the observation that was judged
    std::vector<finding> findings;  // most urgent first
    // Per server: transactions that it holds and the one writer lacks; absent when not decided.
    std::vector<std::optional<std::uint64_t>> errant;
    std::vector<rule_report> rules;
    judging_state next;
    // Without any new reading, the judgement may change at this moment; judge again then.
    std::optional<moment> judge_again_at;
    // Things that happened between the last judgement and this one, for the log.
    std::vector<std::string> events;
};

judgement judge(const observation& seen, const judging_state& before, const judging_policy& policy);

}  // namespace primacy::checks
