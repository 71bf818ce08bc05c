#include "agent/app/guard/guard_view.hpp"
#include "agent/app/metrics/layout.hpp"

#include <functional>

namespace primacy::app::metrics {

namespace {

// Without a guard's word every series is there all the same, and says "nothing".
const guard_view& guard_of(const page& from, const topology_entry& topology) {
    static const guard_view nothing;
    const auto* found = from.agent.guard_of(topology.from->config->name);
    return found ? *found : nothing;
}

fencing::fence_stage stage_of(const guard_view& guard, const std::string& server) {
    auto record = guard.state.servers.find(server);
    auto stage =
        record == guard.state.servers.end() ? fencing::fence_stage::none : record->second.stage;
    bool wanted = guard.decision.what == fencing::action::wait;
    for (const auto& plan : guard.decision.fences)
        if (wanted && plan.server == server && stage == fencing::fence_stage::none)
            stage = fencing::fence_stage::requested;
    return stage;
}

fence_statistics statistics_of(const guard_view& guard, const std::string& server) {
    auto found = guard.servers.find(server);
    return found == guard.servers.end() ? fence_statistics{} : found->second;
}

template <double (*value)(const guard_view&)>
void each_guard(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        to.sample(topology.labels, value(guard_of(from, topology)));
}

template <double (*value)(const fence_statistics&)>
void each_fenced_server(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers)
            to.sample(server.labels, value(statistics_of(guard_of(from, topology), server.name)));
}

double maintenance(const guard_view& guard) {
    return guard.in_maintenance;
}
double armed(const guard_view& guard) {
    return guard.armed;
}
double budget(const guard_view& guard) {
    return guard.budget_left;
}
double lease_held(const guard_view& guard) {
    return guard.lease.held;
}
double lease_expiry(const guard_view& guard) {
    return guard.lease_expiry ? unix_seconds(*guard.lease_expiry) : 0;
}
double attempts(const fence_statistics& server) {
    return static_cast<double>(server.attempts);
}
double last_duration(const fence_statistics& server) {
    return server.last_seconds;
}
double last_confirmed(const fence_statistics& server) {
    return server.last_confirmed_at ? unix_seconds(*server.last_confirmed_at) : 0;
}

void fence_state(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers)
            for (auto stage : fencing::all_fence_stages()) {
                std::string labels = server.labels;
                add_label(labels, "state", fencing::to_string(stage));
                to.sample(labels, stage == stage_of(guard_of(from, topology), server.name));
            }
}

void failures(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers) {
            auto counted = statistics_of(guard_of(from, topology), server.name);
            for (auto reason : fencing::all_rung_failures()) {
                std::string labels = server.labels;
                add_label(labels, "reason", fencing::to_string(reason));
                to.sample(labels, static_cast<double>(counted.failures[reason]));
            }
        }
}

void method_up(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.from->config->servers) {
            const auto& known = guard_of(from, topology).methods;
            for (const auto& method : server.fence) {
                std::string labels = topology.labels;
                add_label(labels, "server", server.name);
                add_label(labels, "method", method);
                auto found = known.find({server.name, method});
                to.sample(labels, found != known.end() && found->second.up);
            }
        }
}

}  // namespace

std::vector<family> fence_families() {
    using enum family_type;
    return {
        {"primacy_maintenance", gauge, "topology",
         "1 while a person has paused the agent's acting.", each_guard<maintenance>},
        {"primacy_fencing_armed", gauge, "topology",
         "1 while the agent would fence by itself: mode enforce, the lease, no maintenance, a "
         "journal that can be written.",
         each_guard<armed>},
        {"primacy_fence_state", gauge, "topology, server, state",
         "1 for what the newest fence of the server came to, 0 for the others.", fence_state},
        {"primacy_fence_attempts_total", counter, "topology, server",
         "Rungs that were tried on the server.", each_fenced_server<attempts>},
        {"primacy_fence_failures_total", counter, "topology, server, reason",
         "Rungs that did not confirm, by reason.", failures},
        {"primacy_fence_duration_seconds", gauge, "topology, server",
         "How long the server's newest ladder took.", each_fenced_server<last_duration>},
        {"primacy_fence_last_confirmed_timestamp_seconds", gauge, "topology, server",
         "When a fence of the server was last confirmed, as Unix time; 0 for never since the "
         "agent started.",
         each_fenced_server<last_confirmed>},
        {"primacy_fence_budget_remaining", gauge, "topology",
         "Fences that may still begin within the window.", each_guard<budget>},
        {"primacy_fence_method_up", gauge, "topology, server, method",
         "1 when the method answered its last check and could be used; 0 before the first one.",
         method_up},
        {"primacy_lease_held", gauge, "topology", "1 while this agent holds the lease.",
         each_guard<lease_held>},
        {"primacy_lease_expiry_timestamp_seconds", gauge, "topology",
         "Until when the lease is held if no voter answers any more, as Unix time; 0 while it is "
         "not held.",
         each_guard<lease_expiry>},
    };
}

}  // namespace primacy::app::metrics
