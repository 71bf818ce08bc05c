#include "checks/incumbency.hpp"

#include "checks/words.hpp"

#include <algorithm>
#include <functional>

namespace primacy::checks {

namespace {

std::optional<std::size_t> index_of(const observation& seen, const std::string& name) {
    for (std::size_t i = 0; i < seen.servers.size(); ++i)
        if (seen.servers[i].name == name) return i;
    return std::nullopt;
}

// The latest moment since when a majority of the servers has been read. It goes by when readings
// began, not by when we judge: behind a cut the last good ones look fresh until the first timeout.
std::optional<moment> majority_read_at(const observation& seen) {
    std::vector<moment> began;
    for (const server_view& server : seen.servers)
        if (server.last_good.good()) began.push_back(server.last_good.started_at);
    std::size_t majority = seen.servers.size() / 2 + 1;
    if (began.size() < majority) return std::nullopt;
    std::sort(began.begin(), began.end(), std::greater<>());
    return began[majority - 1];
}

// Step 1: is the watch unbroken? A gap casts doubt on the memory, until the same server is seen
// again as the only writable primary.
void keep_watch(const observation& seen, watch_result& result, const judging_policy& policy) {
    watch_state& now = result.next;
    auto read_at = majority_read_at(seen);
    if (now.watched_until && now.who && now.who->watched) {
        moment watched_again = read_at && *read_at > *now.watched_until ? *read_at : seen.at;
        duration gap = watched_again - *now.watched_until;
        if (gap > policy.watch_gap()) {
            now.who->watched = false;
            now.doubted_at = seen.at;
            now.who->doubt = "for " + words::seconds(gap) +
                             " or more this agent could not read a majority of the servers";
            result.events.push_back("incumbent " + now.who->server +
                                    " is uncertain: " + now.who->doubt);
        }
    }
    if (read_at && (!now.watched_until || *read_at > *now.watched_until))
        now.watched_until = read_at;
}

// Step 2: formers that are seen again and harmless are no longer a danger.
void clear_formers(const observation& seen, const topology_graph& graph,
                   const stopped_servers& stopped, watch_result& result) {
    std::erase_if(result.next.formers, [&](const unseen_former& former) {
        auto index = index_of(seen, former.server);
        if (!index) return true;  // no longer configured
        if (stopped.contains(former.server)) {
            result.events.push_back("former primary " + former.server + " was stopped");
            return true;
        }
        const member& here = graph.members[*index];
        if (!here.known() || here.role == server_role::primary) return false;
        result.events.push_back("former primary " + former.server + " was seen again, " +
                                (*here.may_write ? "replicating" : "read-only"));
        return true;
    });
}

// The one writable primary that is visible, when there is exactly one. Of a Galera component the
// present incumbent speaks for all, else its first member. A suspicion that was not confirmed does
// not stand in the way: if the other writer has gone dark meanwhile, that is what has to be told.
std::optional<std::size_t> sole_writer(const observation& seen, const topology_graph& graph,
                                       const watch_state& now, const confirmation& split,
                                       const judging_policy& policy) {
    if (policy.expected_writers != 1 || split.confirmed || graph.writer_groups.size() != 1)
        return std::nullopt;
    const auto& group = graph.writer_groups.front();
    for (std::size_t i : group)
        if (now.who && seen.servers[i].name == now.who->server) return i;
    return group.front();
}

bool somebody_receives_from(const topology_graph& graph, std::size_t source) {
    return !graph.members[source].replicas.empty();
}

// Why it is not certain that nobody else writes; empty: it is. To be certain takes a look at every
// server after the last gap: while a network heals piece by piece, a majority is soon visible, and
// the server that took over meanwhile may be the last one to be seen. `dark` is the predecessor of
// a server that took over; it may stay dark if nothing shows that it lives.
std::string why_uncertain(const observation& seen, const topology_graph& graph,
                          const watch_state& now, const stopped_servers& stopped,
                          std::optional<std::size_t> dark = {}) {
    for (std::size_t i = 0; i < seen.servers.size(); ++i) {
        const auto& server = seen.servers[i];
        if (stopped.contains(server.name)) continue;
        if (graph.members[i].known()) {
            if (now.doubted_at && server.newest.started_at < *now.doubted_at)
                return server.name + " has not been read since the gap";
        } else if (i != dark) {
            return server.name + " is unknown, and may be writable";
        } else if (alive_but_unreadable(server.newest.failure)) {
            return server.name + " is alive, cannot be read, and may be writable";
        } else if (somebody_receives_from(graph, i)) {
            return "a replica still receives from " + server.name + ", which cannot be read";
        }
    }
    return "";
}

void settle(watch_state& now, const std::string& writer, std::string doubt) {
    now.who = incumbent{writer, doubt.empty(), std::move(doubt)};
    if (now.who->watched) now.doubted_at.reset();
    now.successor.clear();
    now.succession = {};
    std::erase_if(now.formers, [&](const unseen_former& f) { return f.server == writer; });
}

// Another server is the confirmed sole writer now. The members of a Galera component take over from
// one another all the time, and the component itself vouches that a missing one does not write.
void succeed(const observation& seen, const topology_graph& graph, std::size_t writer,
             const stopped_servers& stopped, watch_result& result) {
    watch_state& now = result.next;
    const std::string& name = seen.servers[writer].name;
    std::string old = now.who->server;
    auto index = index_of(seen, old);
    bool dark = index && !graph.members[*index].known() && !stopped.contains(old);
    const auto& galera = graph.members[writer].facts->details.galera;
    bool vouched = galera && galera->in_primary_component();
    std::string doubt = why_uncertain(seen, graph, now, stopped, index);
    if (dark && !vouched) {
        now.formers.push_back({old, name});
        result.events.push_back(name + " is now the only visible writer, and " + old +
                                ", the former one, cannot be seen");
    } else {
        result.events.push_back("incumbent changed from " + old + " to " + name);
    }
    settle(now, name, vouched ? "" : doubt);
}

bool takes_over_at_once(const topology_graph& graph, std::size_t writer) {
    const auto& galera = graph.members[writer].facts->details.galera;
    return galera && galera->in_primary_component();
}

}  // namespace

watch_state recall(watch_memory memory) {
    watch_state state;
    state.who = std::move(memory.who);
    state.formers = std::move(memory.formers);
    if (memory.same_boot) {
        state.watched_until = memory.watched_until;
    } else if (state.who) {
        state.who->watched = false;
        state.who->doubt = "the host was rebooted and nobody watched";
    }
    if (state.who && state.who->watched && !state.watched_until) {
        state.who->watched = false;
        state.who->doubt = "the agent was restarted and its proof of watch is gone";
    }
    return state;
}

watch_result watch(const observation& seen, const topology_graph& graph, const watch_state& before,
                   const confirmation& split, const stopped_servers& stopped,
                   const judging_policy& policy) {
    watch_result result{before, {}};
    watch_state& now = result.next;
    keep_watch(seen, result, policy);
    clear_formers(seen, graph, stopped, result);

    auto writer = sole_writer(seen, graph, now, split, policy);
    if (!writer) {
        now.successor.clear();
        now.succession = {};
        return result;
    }
    const std::string& name = seen.servers[*writer].name;
    if (!now.who) {
        settle(now, name, why_uncertain(seen, graph, now, stopped));
        result.events.push_back("incumbent is " + name);
    } else if (now.who->server == name) {
        std::string doubt = now.who->watched ? "" : why_uncertain(seen, graph, now, stopped);
        if (!now.who->watched && doubt.empty())
            result.events.push_back("incumbent " + name + " is certain again");
        settle(now, name, doubt.empty() ? "" : now.who->doubt);
    } else {
        if (now.successor != name) now.succession = {};
        now.successor = name;
        now.succession = strengthen(now.succession, seen, {*writer}, policy);
        if (now.succession.confirmed || takes_over_at_once(graph, *writer))
            succeed(seen, graph, *writer, stopped, result);
    }
    return result;
}

}  // namespace primacy::checks
