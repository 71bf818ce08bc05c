#include "fencing/resolve.hpp"

#include "checks/history.hpp"
#include "checks/words.hpp"

#include <algorithm>

namespace primacy::fencing {

using namespace primacy::checks;

namespace {

struct planning {
    const observation& seen;
    const judgement& verdict;
    const fence_state& state;
    const fencing_policy& policy;
    std::size_t keep;

    const std::string& name(std::size_t i) const { return seen.servers[i].name; }
    bool known(std::size_t i) const { return verdict.graph.members[i].known(); }
    bool writable(std::size_t i) const { return known(i) && *verdict.graph.members[i].may_write; }
};

// Somebody has seen it write: the split brain's, the former primaries', the incumbent.
bool was_a_writer(const planning& in, const std::string& server) {
    const auto& next = in.verdict.next;
    if (next.watch.who && next.watch.who->server == server) return true;
    for (const auto& former : next.watch.formers)
        if (former.server == server) return true;
    return std::find(next.split_writers.begin(), next.split_writers.end(), server) !=
           next.split_writers.end();
}

// It cannot be read, and was proved to be stopped before; or a person has just said so.
bool is_stopped(const planning& in, const std::string& server) {
    return in.verdict.next.stopped.contains(server) || in.state.stopped(server);
}

std::vector<rung> rungs_of(const planning& in, const std::string& server, bool without_sql) {
    std::vector<rung> rungs;
    auto ladder = in.policy.ladders.find(server);
    if (ladder == in.policy.ladders.end()) return rungs;
    for (const auto& each : ladder->second)
        if (!without_sql || !each.needs_sql) rungs.push_back(each);
    return rungs;
}

loss loss_of(const planning& in, std::size_t loser) {
    auto extra = beyond(in.seen, loser, in.keep);
    if (in.known(loser)) return loss_from(in.name(loser), extra);
    loss made;  // an old reading does not say what was written since
    made.server = in.name(loser);
    made.cannot_say = "it cannot be read";
    if (extra.decided() && extra.transactions > 0)
        made.cannot_say += "; when it was read last, it held " + extra.text;
    return made;
}

// Galera members of one component write as one: to keep one of them is to keep them all.
bool writes_as_one_with_the_survivor(const planning& in, std::size_t i) {
    for (const auto& group : in.verdict.graph.writer_groups) {
        auto has = [&](std::size_t which) {
            return std::find(group.begin(), group.end(), which) != group.end();
        };
        if (has(i) && has(in.keep)) return true;
    }
    return false;
}

// Why a server that cannot be read stands in the way; empty: it was dealt with in `plan`.
std::string deal_with_unknown(const planning& in, std::size_t i, resolve_plan& plan) {
    const std::string& server = in.name(i);
    std::string hint =
        "; make sure that it is stopped, then `primacy confirm-fenced " + server + "`";
    if (!was_a_writer(in, server)) return server + " cannot be read and may be writable" + hint;
    auto rungs = rungs_of(in, server, true);
    if (rungs.empty())
        return server + " was a writer, cannot be read, and has no rung that works without SQL" +
               hint;
    plan.fences.push_back({server, std::move(rungs), "", true, true, {}});
    plan.losses.push_back(loss_of(in, i));
    return "";
}

}  // namespace

resolve_plan plan_resolve(const observation& seen, const judgement& verdict,
                          const fence_state& state, const fencing_policy& policy,
                          const std::string& keep) {
    resolve_plan plan;
    plan.survivor = keep;
    auto found = std::find_if(seen.servers.begin(), seen.servers.end(),
                              [&](const auto& server) { return server.name == keep; });
    if (found == seen.servers.end()) {
        plan.refusal = "there is no server " + keep;
        return plan;
    }
    planning in{seen, verdict, state, policy,
                static_cast<std::size_t>(found - seen.servers.begin())};
    if (!in.known(in.keep)) {
        plan.refusal = keep + " cannot be read, so it cannot be opened: " +
                       verdict.graph.members[in.keep].why_unknown;
        return plan;
    }
    plan.survivor_is_writable = in.writable(in.keep);
    for (std::size_t i = 0; i < seen.servers.size() && plan.refusal.empty(); ++i) {
        if (i == in.keep || writes_as_one_with_the_survivor(in, i)) continue;
        const std::string& name = in.name(i);
        bool harmless = in.known(i) ? !in.writable(i) : is_stopped(in, name);
        if (harmless) {
            if (!in.state.stopped(name)) continue;
            plan.losses.push_back(loss_of(in, i));
            plan.losses.back().after_stop = true;
        } else if (!in.known(i)) {
            plan.refusal = deal_with_unknown(in, i, plan);
        } else {
            plan.fences.push_back({name, rungs_of(in, name, false), "", false, true, {}});
            plan.losses.push_back(loss_of(in, i));
            if (plan.fences.back().rungs.empty())
                plan.refusal = name + " has no rung; give it one in its \"fence\"";
        }
    }
    return plan;
}

std::string text_of(const resolve_plan& plan) {
    if (!plan.refusal.empty()) return plan.refusal;
    std::string text;
    for (const auto& fence : plan.fences) {
        std::string rungs;
        for (const auto& each : fence.rungs)
            rungs += (rungs.empty() ? "" : ", then ") + each.name;
        text += "stop " + fence.server + " by " + rungs + "\n";
    }
    for (const auto& lost : plan.losses)
        text += text_of(lost, plan.survivor) + "\n";
    text += plan.survivor_is_writable ? plan.survivor + " is writable already"
                                      : "then open " + plan.survivor + " for writing";
    return text;
}

std::string agreement_of(const resolve_plan& plan) {
    std::string text;
    for (const auto& fence : plan.fences)
        text += "stop " + fence.server + ", ";
    return text + (plan.survivor_is_writable ? "leave " : "open ") + plan.survivor;
}

}  // namespace primacy::fencing
