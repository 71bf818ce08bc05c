// The rules: each looks at one judgement's input and reports findings of its one code, or why it
// cannot say. One file per rule; rules.cpp lists them. A rule that lacks a fact says so, it never
// fills in "down" or "fine".
#pragma once

#include "checks/finding.hpp"
#include "checks/judge.hpp"
#include "checks/observation.hpp"
#include "checks/topology.hpp"

#include <string>
#include <vector>

namespace primacy::checks::rules {

struct input {
    const observation& seen;
    const topology_graph& graph;
    const judging_state& state;  // already updated by this judgement
    const judging_policy& policy;
    // Per server, what it holds beyond the writer; empty unless there is exactly one writer.
    const std::vector<history_comparison>& beyond_writer;

    const std::string& name(std::size_t i) const { return seen.servers[i].name; }
    std::vector<std::string> names(const std::vector<std::size_t>& of) const;
    // "db2: read_only=OFF, replicates from db1, read 0.3 s ago"
    std::string describe(std::size_t i) const;
    // Some channel on the way from the writers to `i` comes from outside the topology, running or
    // not: what it brought is nobody's mistake here.
    bool fed_from_outside(std::size_t i) const;
};

struct output {
    std::vector<finding> findings;
    std::string cannot_say;  // empty: the rule could judge all that it looks at
};

using rule = output (*)(const input&);

struct registered {
    finding_code code;
    rule judge;
    const char* looks_at;  // what the rule does, for `explain` and the documentation
};

const std::vector<registered>& registry();

output split_brain(const input&);
output former_primary_unseen(const input&);
output no_writer(const input&);
output server_unknown(const input&);
output diverged(const input&);
output duplicate_server_id(const input&);
output galera_two_components(const input&);
output galera_non_primary(const input&);
output writable_replica(const input&);
output replication_stopped(const input&);
output errant_transactions(const input&);
output lag_high(const input&);
output lag_unknown(const input&);
output circular_replication(const input&);
output semisync_degraded(const input&);
output clock_skew(const input&);
output version_mismatch(const input&);
output bypass_accounts(const input&);
output boots_writable(const input&);

}  // namespace primacy::checks::rules
