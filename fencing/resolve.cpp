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

std::string extraction(const planning& in, std::size_t loser, const std::string& gtids) {
    const auto* facts = in.seen.servers[loser].last_good.facts.get();
    if (!facts || gtids.empty()) return "";
    if (facts->kind == flavor::mysql)
        return "mysqlbinlog --verbose --include-gtids='" + gtids + "' BINLOG…";
    return "mariadb-binlog --verbose BINLOG…   # look for " + gtids;
}

loss loss_of(const planning& in, std::size_t loser) {
    loss made;
    made.server = in.name(loser);
    if (!in.known(loser)) {  // an old reading says nothing about what was written since
        made.cannot_say = "it cannot be read";
        return made;
    }
    auto extra = beyond(in.seen, loser, in.keep);
    made.cannot_say = extra.cannot_say;
    made.transactions = extra.transactions;
    made.gtids = extra.text;
    made.extract = extraction(in, loser, extra.text);
    return made;
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
        if (i == in.keep || (!in.known(i) && is_stopped(in, in.name(i)))) continue;
        if (!in.known(i)) {
            plan.refusal = deal_with_unknown(in, i, plan);
        } else if (in.writable(i)) {
            plan.fences.push_back(
                {in.name(i), rungs_of(in, in.name(i), false), "", false, true, {}});
            plan.losses.push_back(loss_of(in, i));
            if (plan.fences.back().rungs.empty())
                plan.refusal = in.name(i) + " has no rung; give it one in its \"fence\"";
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
    for (const auto& lost : plan.losses) {
        text += "  " + lost.server;
        if (!lost.cannot_say.empty())
            text += ": what it holds beyond " + plan.survivor +
                    " is not known: " + lost.cannot_say + "\n";
        else if (lost.transactions == 0)
            text += " holds nothing that " + plan.survivor + " lacks\n";
        else
            text += " holds " + words::count(lost.transactions, "transaction") + " that " +
                    plan.survivor + " lacks: " + lost.gtids + "\n    " + lost.extract + "\n";
    }
    text += plan.survivor_is_writable ? plan.survivor + " is writable already"
                                      : "then open " + plan.survivor + " for writing";
    return text;
}

}  // namespace primacy::fencing
