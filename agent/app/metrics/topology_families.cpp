#include "agent/app/metrics/layout.hpp"

#include <array>

namespace primacy::app::metrics {

namespace {

using checks::finding_code;
using checks::severity;

const checks::judgement& verdict(const topology_entry& topology) {
    return topology.from->verdict;
}

double servers(const topology_entry& topology) {
    return static_cast<double>(topology.servers.size());
}

double writable_servers(const topology_entry& topology) {
    double count = 0;
    for (const auto& server : topology.servers)
        count += server.known() && *server.now->may_write;
    return count;
}

double writable_primaries(const topology_entry& topology) {
    return static_cast<double>(verdict(topology).graph.writer_groups.size());
}

double unknown_servers(const topology_entry& topology) {
    double count = 0;
    for (const auto& server : topology.servers)
        count += !server.known();
    return count;
}

double split_brain(const topology_entry& topology) {
    return verdict(topology).next.split.confirmed;
}

double split_brain_suspected(const topology_entry& topology) {
    const auto& split = verdict(topology).next.split;
    return split.suspected && !split.confirmed;
}

double split_brains(const topology_entry& topology) {
    return static_cast<double>(verdict(topology).next.split_brains_total);
}

double last_judged(const topology_entry& topology) {
    return unix_seconds(topology.from->judged_at);
}

void state(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (auto one : checks::all_topology_states()) {
            std::string labels = topology.labels;
            add_label(labels, "state", checks::to_string(one));
            to.sample(labels, one == verdict(topology).state);
        }
}

void incumbent(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies) {
        const auto& who = verdict(topology).next.watch.who;
        std::string labels = topology.labels;
        add_label(labels, "server", who ? who->server : "");
        to.sample(labels, 1);
    }
}

// The severities that a finding's rule may give it; a unit test reads the rules and compares.
std::vector<severity> possible_severities(finding_code code) {
    using enum severity;
    switch (code) {
        case finding_code::split_brain: return {warning, critical};
        case finding_code::former_primary_unseen: return {critical};
        case finding_code::no_writer: return {warning, critical};
        case finding_code::server_unknown: return {warning};
        case finding_code::diverged: return {critical};
        case finding_code::duplicate_server_id: return {critical};
        case finding_code::galera_two_components: return {warning, critical};
        case finding_code::galera_non_primary: return {warning};
        case finding_code::writable_replica: return {warning};
        case finding_code::replication_stopped: return {info, warning, critical};
        case finding_code::errant_transactions: return {warning};
        case finding_code::lag_high: return {warning};
        case finding_code::lag_unknown: return {warning};
        case finding_code::circular_replication: return {info, warning};
        case finding_code::semisync_degraded: return {warning};
        case finding_code::clock_skew: return {warning};
        case finding_code::version_mismatch: return {warning};
        case finding_code::bypass_accounts: return {info};
        case finding_code::boots_writable: return {info};
    }
    return {};
}

void write_findings(const topology_entry& topology, finding_code code, page_writer& to) {
    constexpr std::array levels = {severity::info, severity::warning, severity::critical};
    std::array<double, levels.size()> counts{};
    std::array<bool, levels.size()> shown{};
    for (auto level : possible_severities(code))
        shown[static_cast<std::size_t>(level)] = true;
    for (const auto& found : verdict(topology).findings)
        if (found.code == code) ++counts[static_cast<std::size_t>(found.level)];
    for (std::size_t i = 0; i < levels.size(); ++i) {
        if (!shown[i] && counts[i] == 0) continue;
        std::string labels = topology.labels;
        add_label(labels, "code", checks::to_string(code));
        add_label(labels, "severity", checks::to_string(levels[i]));
        to.sample(labels, counts[i]);
    }
}

void findings(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (auto code : checks::all_finding_codes())
            write_findings(topology, code, to);
}

}  // namespace

std::vector<family> topology_families() {
    using enum family_type;
    return {
        {"primacy_topology_servers", gauge, "topology", "Servers of the topology's configuration.",
         each_topology<servers>},
        {"primacy_topology_writable_servers", gauge, "topology",
         "Servers that are seen to take writes, writable replicas included.",
         each_topology<writable_servers>},
        {"primacy_topology_writable_primaries", gauge, "topology",
         "Writable primaries; the members of one Galera component count as one.",
         each_topology<writable_primaries>},
        {"primacy_topology_unknown_servers", gauge, "topology",
         "Servers of which it is not known whether they may be written to.",
         each_topology<unknown_servers>},
        {"primacy_topology_split_brain", gauge, "topology",
         "1 while a split brain is confirmed: more writable primaries than expected.",
         each_topology<split_brain>},
        {"primacy_topology_split_brain_suspected", gauge, "topology",
         "1 while a split brain is seen and not yet confirmed; 0 again once it is.",
         each_topology<split_brain_suspected>},
        {"primacy_split_brains_total", counter, "topology",
         "Split brains that were confirmed since the agent started.", each_topology<split_brains>},
        {"primacy_topology_state", gauge, "topology, state",
         "1 for the state that the topology is in, 0 for the others.", state},
        {"primacy_topology_incumbent_info", gauge, "topology, server",
         "Always 1; the server that was last the only writable primary, empty before there was "
         "one.",
         incumbent},
        {"primacy_topology_last_judged_timestamp_seconds", gauge, "topology",
         "When the topology was last judged, as Unix time; 0 before the first judgement.",
         each_topology<last_judged>},
        {"primacy_findings", gauge, "topology, code, severity",
         "Findings that stand, by code and severity.", findings},
    };
}

}  // namespace primacy::app::metrics
