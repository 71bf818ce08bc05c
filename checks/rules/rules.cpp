#include "checks/rules/rules.hpp"

#include "checks/words.hpp"

namespace primacy::checks::rules {

std::vector<std::string> input::names(const std::vector<std::size_t>& of) const {
    std::vector<std::string> result;
    for (std::size_t i : of)
        result.push_back(name(i));
    return result;
}

namespace {

std::string follows(const input& in, std::size_t i) {
    const auto& here = in.graph.members[i];
    if (here.facts->channels.empty()) return "replicates from nobody";
    std::string text;
    for (std::size_t c = 0; c < here.facts->channels.size(); ++c) {
        const channel& link = here.facts->channels[c];
        std::string source = here.sources[c]
                                 ? in.name(*here.sources[c])
                                 : link.source_host + ":" + std::to_string(link.source_port);
        if (!text.empty()) text += ", ";
        text += (link.replicating() ? "replicates from " : "replication from ") + source;
        if (!link.replicating())
            text += " is not running (IO " + std::string(to_string(link.io)) + ", SQL " +
                    std::string(to_string(link.sql)) + ")";
    }
    return text;
}

}  // namespace

std::string input::describe(std::size_t i) const {
    const auto& server = seen.servers[i];
    const auto& here = graph.members[i];
    if (!here.facts) {
        bool failed = server.newest.failure != probe_failure::none &&
                      server.newest.failure != probe_failure::not_yet;
        std::string text = server.name + (failed ? ": could not be read (" : ": unknown (") +
                           here.why_unknown + ")";
        if (server.last_good.good())
            text += "; last read " + words::seconds(seen.at - server.last_good.finished_at) +
                    " ago with read_only=" + server.last_good.facts->read_only.text;
        return text;
    }
    std::string text = server.name + ": read_only=" + here.facts->read_only.text;
    if (here.facts->super_read_only)
        text += ", super_read_only=" + here.facts->super_read_only->text;
    if (here.facts->offline_mode && here.facts->offline_mode->is_on()) text += ", offline_mode=ON";
    return text + ", " + follows(*this, i) + ", read " +
           words::seconds(seen.at - server.newest.finished_at) + " ago";
}

bool input::fed_from_outside(std::size_t i) const {
    std::vector<bool> visited(seen.servers.size(), false);
    std::vector<std::size_t> todo = {i};
    while (!todo.empty()) {
        std::size_t here = todo.back();
        todo.pop_back();
        // What a writer has from outside is part of the history that others are compared with.
        if (visited[here] || (here != i && graph.members[here].writable_primary())) continue;
        visited[here] = true;
        for (const auto& source : graph.members[here].sources) {
            if (!source) return true;
            todo.push_back(*source);
        }
    }
    return false;
}

const std::vector<registered>& registry() {
    static const std::vector<registered> all = {
        {finding_code::split_brain, split_brain, "more writable primaries than expected"},
        {finding_code::former_primary_unseen, former_primary_unseen,
         "a former primary that cannot be seen while another one writes"},
        {finding_code::no_writer, no_writer, "fewer writable primaries than expected"},
        {finding_code::server_unknown, server_unknown, "servers that could not be read"},
        {finding_code::diverged, diverged, "two histories that each hold what the other lacks"},
        {finding_code::duplicate_server_id, duplicate_server_id, "two servers with one identity"},
        {finding_code::galera_two_components, galera_two_components,
         "two Galera components that both take writes"},
        {finding_code::galera_non_primary, galera_non_primary,
         "Galera nodes outside the primary component"},
        {finding_code::writable_replica, writable_replica, "replicas that clients can write to"},
        {finding_code::replication_stopped, replication_stopped, "channels that do not run"},
        {finding_code::errant_transactions, errant_transactions,
         "transactions that a replica holds and the writer lacks"},
        {finding_code::lag_high, lag_high, "replicas behind their source"},
        {finding_code::lag_unknown, lag_unknown, "running replicas that do not tell their lag"},
        {finding_code::circular_replication, circular_replication,
         "servers that replicate in a circle"},
        {finding_code::semisync_degraded, semisync_degraded,
         "semi-sync that fell back to asynchronous"},
        {finding_code::clock_skew, clock_skew, "server clocks away from the agent's"},
        {finding_code::version_mismatch, version_mismatch,
         "replicas older than their source, and mixed flavours"},
        {finding_code::bypass_accounts, bypass_accounts, "accounts that write through read_only"},
        {finding_code::boots_writable, boots_writable, "servers that start writable"},
    };
    return all;
}

}  // namespace primacy::checks::rules
