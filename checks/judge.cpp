#include "checks/judge.hpp"

#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

#include <algorithm>

namespace primacy::checks {

std::string_view to_string(topology_state state) noexcept {
    switch (state) {
        case topology_state::healthy: return "healthy";
        case topology_state::degraded: return "degraded";
        case topology_state::no_writer: return "no_writer";
        case topology_state::split_brain: return "split_brain";
        case topology_state::unknown: return "unknown";
    }
    return "unknown";
}

const std::vector<topology_state>& all_topology_states() {
    static const std::vector<topology_state> states = {
        topology_state::healthy, topology_state::degraded, topology_state::no_writer,
        topology_state::split_brain, topology_state::unknown};
    return states;
}

namespace {

// What it does is known: it was read, or it was stopped.
bool settled(const observation& seen, const topology_graph& graph, const stopped_servers& stopped,
             const std::string& name) {
    for (std::size_t i = 0; i < seen.servers.size(); ++i)
        if (seen.servers[i].name == name) return graph.members[i].known() || stopped.contains(name);
    return true;  // no longer configured: nothing to wait for
}

void forget_stopped_that_were_read(const observation& seen, const topology_graph& graph,
                                   stopped_servers& stopped) {
    std::erase_if(stopped, [&](const auto& each) {
        for (std::size_t i = 0; i < seen.servers.size(); ++i)
            if (seen.servers[i].name == each.first)
                return graph.members[i].known() && seen.servers[i].newest.started_at > each.second;
        return true;  // no longer configured
    });
}

// More writers than expected strengthen the suspicion. Fewer end it, but only when every server
// that was part of it has been read again: an unknown one is no all-clear.
void judge_split(const observation& seen, const topology_graph& graph, judging_state& now,
                 const judging_policy& policy, std::vector<std::string>& events) {
    auto writers = graph.writers();
    if (graph.writer_groups.size() > static_cast<std::size_t>(policy.expected_writers)) {
        bool was_confirmed = now.split.confirmed, was_suspected = now.split.suspected;
        now.split = strengthen(std::move(now.split), seen, writers, policy);
        if (!was_suspected) now.split_writers.clear();
        for (std::size_t i : writers) {
            const auto& name = seen.servers[i].name;
            if (std::find(now.split_writers.begin(), now.split_writers.end(), name) ==
                now.split_writers.end())
                now.split_writers.push_back(name);
        }
        if (now.split.confirmed && !was_confirmed) {
            ++now.split_brains_total;
            events.push_back("split brain confirmed: " + words::list(now.split_writers));
        } else if (!was_suspected) {
            events.push_back("split brain suspected: " + words::list(now.split_writers));
        }
        return;
    }
    if (!now.split.suspected) return;
    for (const auto& name : now.split_writers)
        if (!settled(seen, graph, now.stopped, name)) return;
    events.push_back(now.split.confirmed ? "split brain is over" : "split brain suspicion cleared");
    now.split = {};
    now.split_writers.clear();
}

void judge_no_writer(const observation& seen, const topology_graph& graph, judging_state& now,
                     const judging_policy& policy, std::vector<std::string>& events) {
    if (!graph.writer_groups.empty()) {
        if (now.no_writer.confirmed) events.push_back("there is a writer again");
        now.no_writer = {};
        return;
    }
    if (graph.known_count() < graph.members.size()) {
        // An unknown server may be the writer. What was confirmed does not outlive a blind spot.
        if (seen.at - now.no_writer.last_counted > policy.stale_after()) now.no_writer = {};
        return;
    }
    std::vector<std::size_t> all(graph.members.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = i;
    bool was_confirmed = now.no_writer.confirmed;
    now.no_writer = strengthen(std::move(now.no_writer), seen, all, policy);
    if (now.no_writer.confirmed && !was_confirmed) events.push_back("no server is writable");
}

std::vector<history_comparison> compare_with_writer(const observation& seen,
                                                    const topology_graph& graph) {
    std::vector<history_comparison> result;
    auto writers = graph.writers();
    if (writers.size() != 1) return result;
    for (std::size_t i = 0; i < seen.servers.size(); ++i)
        result.push_back(i == writers.front() ? history_comparison{}
                                              : beyond(seen, i, writers.front()));
    return result;
}

void apply_rules(const rules::input& in, judgement& result) {
    for (const auto& rule : rules::registry()) {
        rules::output out = rule.judge(in);
        result.rules.push_back({rule.code, out.findings.size(), std::move(out.cannot_say)});
        for (auto& found : out.findings)
            result.findings.push_back(std::move(found));
    }
    std::stable_sort(result.findings.begin(), result.findings.end(),
                     [](const finding& a, const finding& b) { return a.level > b.level; });
}

bool somebody_should_look(const std::vector<finding>& findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [](const finding& f) { return f.level != severity::info; });
}

// The sentence of the rule, so that headline and finding never say two things.
std::string sentence_of(const judgement& result, finding_code code) {
    for (const auto& found : result.findings)
        if (found.code == code) return found.reason;
    return std::string(to_string(code));
}

// A server that was the primary and cannot be read while another one writes: the incumbent, from
// the first poll on, and after its successor is confirmed the former one.
std::optional<std::string> hidden_primary(const observation& seen, const topology_graph& graph,
                                          const judging_state& now) {
    const watch_state& watch = now.watch;
    if (watch.who && !settled(seen, graph, now.stopped, watch.who->server))
        return watch.who->server;
    for (const auto& former : watch.formers)
        if (!settled(seen, graph, now.stopped, former.server)) return former.server;
    return std::nullopt;
}

void conclude(const observation& seen, const topology_graph& graph, const judging_policy& policy,
              judgement& result) {
    auto unseen = seen.servers.size() - graph.known_count();
    auto say = [&](topology_state state, std::string reason) {
        result.state = state;
        result.reason = std::move(reason);
    };
    std::string writers = words::list(result.writers);
    bool one = result.writers.size() == 1;
    if (result.next.split.confirmed)
        return say(topology_state::split_brain, sentence_of(result, finding_code::split_brain));
    if (result.writers.empty()) {
        if (unseen > 0)
            return say(topology_state::unknown, "no writer is visible, and " +
                                                    words::count(unseen, "server") +
                                                    " could not be read");
        if (result.next.no_writer.confirmed)
            return say(topology_state::no_writer, "no server is writable");
        return say(topology_state::degraded, "no server is writable; not confirmed yet");
    }
    if (auto hidden = hidden_primary(seen, graph, result.next))
        return say(topology_state::unknown, writers + (one ? " is" : " are") +
                                                " writable, and whether " + *hidden +
                                                " still is cannot be seen");
    if (2 * graph.known_count() < graph.members.size())
        return say(topology_state::unknown, writers + (one ? " is" : " are") + " writable, and " +
                                                words::count(unseen, "server") + " of " +
                                                std::to_string(seen.servers.size()) +
                                                " could not be read");
    if (result.next.split.suspected)
        return say(topology_state::degraded, "split brain suspected, not confirmed: " +
                                                 words::list(result.next.split_writers));
    if (graph.writer_groups.size() < static_cast<std::size_t>(policy.expected_writers))
        return say(topology_state::degraded,
                   "only " + writers + (one ? " is" : " are") + " writable");
    if (somebody_should_look(result.findings))
        return say(topology_state::degraded,
                   writers + (one ? " is" : " are") + " writable; there are findings");
    say(topology_state::healthy,
        one ? writers + " is the only writable primary" : writers + " are the expected writers");
}

// The next moment at which time alone changes the outcome.
std::optional<moment> wake_up(const observation& seen, const judgement& result,
                              const judging_policy& policy) {
    std::optional<moment> earliest;
    auto consider = [&](std::optional<moment> when) {
        if (when && *when > seen.at && (!earliest || *when < *earliest)) earliest = when;
    };
    consider(confirmable_at(result.next.split, policy));
    consider(confirmable_at(result.next.no_writer, policy));
    consider(confirmable_at(result.next.watch.succession, policy));
    for (std::size_t i = 0; i < seen.servers.size(); ++i)
        if (result.graph.members[i].facts)
            consider(seen.servers[i].newest.started_at + policy.stale_after() +
                     std::chrono::milliseconds(1));
    return earliest;
}

}  // namespace

watch_memory remember(const judging_state& state) {
    const watch_state& watch = state.watch;
    watch_memory memory{watch.who, watch.watched_until, watch.formers, true};
    if (!state.split.confirmed) return memory;
    std::string incumbent = watch.who ? watch.who->server : "";
    for (const auto& writer : state.split_writers) {
        bool listed = std::any_of(memory.formers.begin(), memory.formers.end(),
                                  [&](const auto& former) { return former.server == writer; });
        if (writer != incumbent && !listed) memory.formers.push_back({writer, incumbent});
    }
    return memory;
}

judgement judge(const observation& seen, const judging_state& before,
                const judging_policy& policy) {
    judgement result;
    result.next = before;
    result.graph = draw(seen, policy, before.writers);
    const topology_graph& graph = result.graph;
    result.next.writers = remember_writers(seen, graph, before.writers);
    forget_stopped_that_were_read(seen, graph, result.next.stopped);

    judge_split(seen, graph, result.next, policy, result.events);
    judge_no_writer(seen, graph, result.next, policy, result.events);
    auto watched = watch(seen, graph, before.watch, result.next.split, result.next.stopped, policy);
    result.next.watch = std::move(watched.next);
    result.events.insert(result.events.end(), watched.events.begin(), watched.events.end());

    for (std::size_t i : graph.writers())
        result.writers.push_back(seen.servers[i].name);
    auto beyond_writer = compare_with_writer(seen, graph);
    rules::input in{seen, graph, result.next, policy, beyond_writer};
    result.errant.resize(seen.servers.size());
    for (std::size_t i = 0; i < beyond_writer.size(); ++i)
        if (beyond_writer[i].decided() && !in.fed_from_outside(i))
            result.errant[i] = beyond_writer[i].transactions;

    apply_rules(in, result);
    conclude(seen, graph, policy, result);
    result.judge_again_at = wake_up(seen, result, policy);
    return result;
}

}  // namespace primacy::checks
