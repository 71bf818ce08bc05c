#include "checks/topology.hpp"

#include "checks/history.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace primacy::checks {

std::string_view to_string(server_role role) noexcept {
    switch (role) {
        case server_role::primary: return "primary";
        case server_role::writable_replica: return "writable_replica";
        case server_role::replica: return "replica";
        case server_role::relay: return "relay";
        case server_role::standalone: return "standalone";
        case server_role::unknown: return "unknown";
    }
    return "unknown";
}

const std::vector<server_role>& all_server_roles() {
    static const std::vector<server_role> roles = {
        server_role::primary, server_role::writable_replica, server_role::replica,
        server_role::relay,   server_role::standalone,       server_role::unknown};
    return roles;
}

std::size_t topology_graph::known_count() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(), [](const member& m) { return m.known(); }));
}

std::vector<std::size_t> topology_graph::writers() const {
    std::vector<std::size_t> all;
    for (const auto& group : writer_groups)
        all.insert(all.end(), group.begin(), group.end());
    std::sort(all.begin(), all.end());
    return all;
}

namespace {

// Identity changes rarely, so the last good reading names a server even while it is unknown.
const server_facts* identity_of(const server_view& server) {
    return server.last_good.facts.get();
}

template <class Matches>
std::optional<std::size_t> only_match(const observation& seen, std::size_t except,
                                      Matches matches) {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < seen.servers.size(); ++i) {
        if (i == except || !matches(seen.servers[i])) continue;
        if (found) return std::nullopt;
        found = i;
    }
    return found;
}

}  // namespace

std::optional<std::size_t> source_of(const channel& link, std::size_t replica,
                                     const observation& seen) {
    if (auto found = only_match(seen, replica, [&](const server_view& s) {
            return s.port == link.source_port && s.host == link.source_host;
        }))
        return found;
    if (!link.source_uuid.empty())
        if (auto found = only_match(seen, replica, [&](const server_view& s) {
                auto* facts = identity_of(s);
                return facts && facts->uuid == link.source_uuid;
            }))
            return found;
    if (link.source_server_id != 0)
        if (auto found = only_match(seen, replica, [&](const server_view& s) {
                auto* facts = identity_of(s);
                return facts && facts->server_id == link.source_server_id;
            }))
            return found;
    return std::nullopt;
}

namespace {

bool has_unknown_thread(const server_facts& facts) {
    return std::any_of(facts.channels.begin(), facts.channels.end(), [](const channel& link) {
        return link.io == io_thread::unknown || link.sql == sql_thread::unknown;
    });
}

// Names the setting that could not be understood.
std::string unknown_setting(const server_facts& facts) {
    auto say = [](const char* name, const switch_setting& setting) {
        return std::string("its setting ") + name + "=\"" + setting.text +
               "\" is a word that we do not know";
    };
    if (facts.read_only.value == switch_setting::state::unknown)
        return say("read_only", facts.read_only);
    if (facts.super_read_only && facts.super_read_only->value == switch_setting::state::unknown)
        return say("super_read_only", *facts.super_read_only);
    if (facts.offline_mode && facts.offline_mode->value == switch_setting::state::unknown)
        return say("offline_mode", *facts.offline_mode);
    if (facts.is_being_closed())
        return "its super_read_only is being set to ON by a statement that still waits";
    return "it did not tell all of its settings";
}

void learn(member& here, const server_view& server, moment at, const judging_policy& policy) {
    const attempt& newest = server.newest;
    if (!newest.good()) {
        here.why_unknown =
            newest.failure == probe_failure::not_yet ? "it has not been read yet" : newest.error;
        return;
    }
    if (at - newest.started_at > policy.stale_after()) {
        here.why_unknown = "its last good reading is too old to count";
        return;
    }
    here.facts = newest.facts.get();
    here.may_write = here.facts->writable();
    if (!here.may_write) here.why_unknown = unknown_setting(*here.facts);
    if (here.may_write == true && has_unknown_thread(*here.facts)) {
        here.may_write.reset();
        here.why_unknown =
            "it is writable, and the state of its replication is a word that we do "
            "not know";
    }
    // A Galera node answers every client with an error while it is outside the primary component or
    // still joins.
    const auto& galera = here.facts->details.galera;
    if (here.may_write && galera && galera->provider_on &&
        !(galera->in_primary_component() && galera->ready))
        here.may_write = false;
}

bool named_by_address(const channel& link, const server_view& member) {
    return link.source_port == member.port && link.source_host == member.host;
}

// A writable server that seems, by an id alone, to follow a member which is itself set up to follow
// that server, though not just now: either a stranger outside bears the member's server_id, or a
// pair of co-masters has lost one direction. In both cases this server is a writer, not a replica.
void forget_doubtful_sources(const observation& seen, topology_graph& graph, std::size_t i) {
    member& here = graph.members[i];
    if (here.may_write != true) return;
    for (std::size_t c = 0; c < here.sources.size(); ++c) {
        if (!here.sources[c]) continue;
        std::size_t source = *here.sources[c];
        const member& there = graph.members[source];
        if (named_by_address(here.facts->channels[c], seen.servers[source])) continue;
        for (std::size_t k = 0; k < there.sources.size(); ++k)
            if (there.sources[k] == i && !there.facts->channels[k].replicating()) {
                here.sources[c].reset();
                std::erase(graph.members[source].replicas, i);
                break;
            }
    }
}

// Follows active replication from `start`; a walk that comes back to `start` is a circle.
bool comes_back(const topology_graph& graph, std::size_t start, std::vector<std::size_t>& path) {
    std::vector<bool> visited(graph.members.size(), false);
    std::vector<std::size_t> stack = {start};
    std::map<std::size_t, std::size_t> came_from;
    while (!stack.empty()) {
        std::size_t here = stack.back();
        stack.pop_back();
        const member& replica = graph.members[here];
        for (std::size_t c = 0; c < replica.sources.size(); ++c) {
            auto source = replica.sources[c];
            if (!source || !replica.facts || !replica.facts->channels[c].replicating()) continue;
            if (*source == start) {
                for (std::size_t step = here; step != start; step = came_from[step])
                    path.push_back(step);
                path.push_back(start);
                return true;
            }
            if (visited[*source]) continue;
            visited[*source] = true;
            came_from[*source] = here;
            stack.push_back(*source);
        }
    }
    return false;
}

void find_circles(topology_graph& graph) {
    for (std::size_t i = 0; i < graph.members.size(); ++i) {
        if (graph.members[i].in_circle) continue;
        std::vector<std::size_t> path;
        if (!comes_back(graph, i, path)) continue;
        for (std::size_t step : path)
            graph.members[step].in_circle = true;
        std::sort(path.begin(), path.end());
        graph.circles.push_back(std::move(path));
    }
}

// A channel counts as replicating when both threads run, whether or not we can reach its source:
// data flows to it, so its source lives. Were it judged by our own reach, a replica that somebody
// left writable would turn into "the new primary" whenever we are cut off from the real one
// (docs/decisions/0002).
bool replicates_from_member(const member& here) {
    for (std::size_t c = 0; c < here.sources.size(); ++c)
        if (here.sources[c] && here.facts->channels[c].replicating()) return true;
    return false;
}

std::string channel_key(const channel& link) {
    return link.name + "|" + link.source_host + ":" + std::to_string(link.source_port);
}

// See remember_writers().
bool only_reconnected(const observation& seen, std::size_t i, const member& here,
                      const channels_of_writers& writers) {
    auto known = writers.find(seen.servers[i].name);
    if (known == writers.end()) return false;
    bool proved_clean = true;
    for (std::size_t c = 0; c < here.sources.size(); ++c) {
        const channel& link = here.facts->channels[c];
        if (!here.sources[c] || !link.replicating()) continue;
        if (!known->second.contains(channel_key(link))) return false;
        proved_clean = proved_clean && nothing_of_its_own(seen, i, *here.sources[c]);
    }
    return !proved_clean;
}

server_role role_of(const observation& seen, std::size_t i, const member& here,
                    const channels_of_writers& writers) {
    if (!here.known()) return server_role::unknown;
    if (*here.may_write) {
        bool follows = replicates_from_member(here) && !here.in_circle &&
                       !only_reconnected(seen, i, here, writers);
        return follows ? server_role::writable_replica : server_role::primary;
    }
    if (here.facts->channels.empty()) return server_role::standalone;
    return here.replicas.empty() ? server_role::replica : server_role::relay;
}

// What identifies a writer: servers with one key write as one. A Galera component is one writer,
// and so is one server that is configured under two names.
std::string writer_key(const server_facts& facts, std::size_t i) {
    const auto& galera = facts.details.galera;
    if (galera && galera->in_primary_component())
        return "galera " + galera->cluster_uuid + "/" + std::to_string(galera->conf_id);
    if (!facts.uuid.empty()) return "uuid " + facts.uuid;
    return "server " + std::to_string(i);
}

// Two halves of a broken cluster can happen to number their views alike; then more members show one
// view than that view says it has, and each is counted for itself.
bool more_than_the_view_has(const topology_graph& graph, const std::vector<std::size_t>& group) {
    const auto& galera = graph.members[group.front()].facts->details.galera;
    if (!galera || !galera->in_primary_component()) return false;
    return std::any_of(group.begin(), group.end(), [&](std::size_t i) {
        auto size = graph.members[i].facts->details.galera->cluster_size;
        return size > 0 && group.size() > static_cast<std::size_t>(size);
    });
}

void group_writers(topology_graph& graph) {
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < graph.members.size(); ++i)
        if (graph.members[i].writable_primary())
            groups[writer_key(*graph.members[i].facts, i)].push_back(i);
    for (auto& [key, group] : groups) {
        if (more_than_the_view_has(graph, group))
            for (std::size_t i : group)
                graph.writer_groups.push_back({i});
        else
            graph.writer_groups.push_back(std::move(group));
    }
    std::sort(graph.writer_groups.begin(), graph.writer_groups.end());
}

}  // namespace

topology_graph draw(const observation& seen, const judging_policy& policy,
                    const channels_of_writers& writers) {
    topology_graph graph;
    graph.members.resize(seen.servers.size());
    for (std::size_t i = 0; i < seen.servers.size(); ++i)
        learn(graph.members[i], seen.servers[i], seen.at, policy);
    for (std::size_t i = 0; i < graph.members.size(); ++i) {
        member& here = graph.members[i];
        if (!here.facts) continue;
        for (const channel& link : here.facts->channels) {
            auto source = source_of(link, i, seen);
            here.sources.push_back(source);
            if (source && link.replicating()) graph.members[*source].replicas.push_back(i);
        }
    }
    for (std::size_t i = 0; i < graph.members.size(); ++i)
        forget_doubtful_sources(seen, graph, i);
    find_circles(graph);
    for (std::size_t i = 0; i < graph.members.size(); ++i)
        graph.members[i].role = role_of(seen, i, graph.members[i], writers);
    group_writers(graph);
    return graph;
}

channels_of_writers remember_writers(const observation& seen, const topology_graph& graph,
                                     channels_of_writers before) {
    for (std::size_t i = 0; i < graph.members.size(); ++i) {
        const member& here = graph.members[i];
        if (!here.known()) continue;  // what it was is still the last that we know of it
        const std::string& name = seen.servers[i].name;
        if (!here.writable_primary()) {
            before.erase(name);
            continue;
        }
        auto& channels = before[name];
        channels.clear();
        for (const channel& link : here.facts->channels)
            channels.insert(channel_key(link));
    }
    return before;
}

}  // namespace primacy::checks
