#include "fencing/verdict.hpp"

#include "checks/words.hpp"
#include "fencing/keep_rules.hpp"

#include <algorithm>

namespace primacy::fencing {

using namespace primacy::checks;

std::string_view to_string(action what) noexcept {
    switch (what) {
        case action::none: return "none";
        case action::alert: return "alert";
        case action::wait: return "wait";
        case action::fence: return "fence";
    }
    return "none";
}

namespace {

struct deciding {
    const observation& seen;
    const judgement& verdict;
    const fence_state& state;
    const lease_view& lease;
    const fencing_policy& policy;
    decision& made;

    std::optional<std::size_t> index_of(const std::string& name) const {
        for (std::size_t i = 0; i < seen.servers.size(); ++i)
            if (seen.servers[i].name == name) return i;
        return std::nullopt;
    }
    void again_at(moment when) const {
        if (when > seen.at && (!made.decide_again_at || when < *made.decide_again_at))
            made.decide_again_at = when;
    }
};

void say(decision& made, action what, std::string reason) {
    made.what = what;
    made.reason = std::move(reason);
}

std::vector<std::string> names_of(const observation& seen, const std::vector<std::size_t>& which) {
    std::vector<std::string> names;
    for (std::size_t i : which)
        names.push_back(seen.servers[i].name);
    return names;
}

// The ladder without rungs that were confirmed before and did not hold, and for a server that
// cannot be read without those that need SQL.
std::vector<rung> usable_rungs(const deciding& in, const std::string& server, bool unseen) {
    std::vector<rung> usable;
    auto ladder = in.policy.ladders.find(server);
    if (ladder == in.policy.ladders.end()) return usable;
    auto record = in.state.servers.find(server);
    for (const rung& each : ladder->second) {
        bool failed_to_hold =
            record != in.state.servers.end() && record->second.did_not_hold.contains(each.name);
        if (!failed_to_hold && !(unseen && each.needs_sql)) usable.push_back(each);
    }
    return usable;
}

void plan_fence(deciding& in, const std::string& server, bool unseen, std::string why) {
    in.made.fences.push_back(
        {server, usable_rungs(in, server, unseen), std::move(why), unseen, false, {}});
}

// --- what stands in the way

std::string rungs_missing(const deciding& in, const fence_plan& plan) {
    if (!plan.rungs.empty()) return "";
    auto record = in.state.servers.find(plan.server);
    if (record != in.state.servers.end() && !record->second.did_not_hold.empty())
        return plan.server +
               " was fenced before and opened again by somebody, and it has no further rung; "
               "find out who opens it";
    if (plan.unseen)
        return plan.server +
               " has no rung that works without SQL; give it one (ssh, ipmi, "
               "fence-agent, exec)";
    return plan.server + " has no rung; give it one in its \"fence\"";
}

std::string cooling_down(const deciding& in, const fence_plan& plan) {
    auto record = in.state.servers.find(plan.server);
    if (record == in.state.servers.end() || record->second.stage == fence_stage::none) return "";
    if (record->second.stage == fence_stage::in_progress) return "";
    // It was not the server or its devices that made it end; crashes are bounded by the budget.
    if (record->second.interrupted) return "";
    // A fence that held until now is no reason to wait with one that goes a rung further.
    if (record->second.did_not_hold.contains(record->second.rung)) return "";
    // What failed without SQL says nothing about SQL, now that the server can be read.
    if (record->second.unseen && !plan.unseen) return "";
    moment over = record->second.ended_at + in.policy.cooldown;
    if (in.seen.at >= over) return "";
    in.again_at(over);
    return "the last fence of " + plan.server + " ended as " +
           std::string(to_string(record->second.stage)) +
           "; the next try waits for the cooldown of " + words::seconds(in.policy.cooldown);
}

// How many fences may still begin now.
int budget_left(const deciding& in) {
    int recent = 0;
    moment oldest = in.seen.at;
    for (moment started : in.state.started)
        if (started > in.seen.at - in.policy.per) {
            ++recent;
            oldest = std::min(oldest, started);
        }
    if (recent >= in.policy.max_fences) in.again_at(oldest + in.policy.per);
    return std::max(0, in.policy.max_fences - recent);
}

// From a part of the topology nobody is stopped, unless a person said whom to keep.
std::string too_little_seen(const deciding& in) {
    const auto& asked = in.made.rules;
    bool by_person =
        !asked.empty() && asked.back().rule == keep_rule::pin && !asked.back().keeps.empty();
    if (by_person || in.verdict.graph.majority_known()) return "";
    return "this agent reads only " + std::to_string(in.verdict.graph.known_count()) + " of " +
           words::count(in.seen.servers.size(), "server");
}

std::string without_lease(const deciding& in) {
    if (!in.policy.enforce || !in.policy.needs_lease) return "";
    if (!in.lease.valid(in.seen.at))
        return "this agent does not hold the lease" +
               (in.lease.why.empty() ? "" : ": " + in.lease.why);
    return "";
}

// Whoever gets the lease first when a network heals must look again before it acts.
std::string not_read_since_lease(const deciding& in) {
    if (!in.policy.needs_lease) return "";
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto& newest = in.seen.servers[i].newest;
        if (newest.started_at < in.lease.acquired_at)
            return in.seen.servers[i].name + " has not been asked since the lease was taken";
    }
    return "";
}

void add_obstacle(decision& made, std::string obstacle) {
    if (!obstacle.empty()) made.obstacles.push_back(std::move(obstacle));
}

void add_general_obstacles(deciding& in) {
    decision& made = in.made;
    if (!in.policy.enforce) made.obstacles.push_back("mode is observe");
    if (in.state.maintenance && in.seen.at < in.state.maintenance->until) {
        made.obstacles.push_back("maintenance is on: " + in.state.maintenance->reason);
        in.again_at(in.state.maintenance->until);
    }
    if (!in.state.journal_trouble.empty())
        made.obstacles.push_back("what is done could not be noted: " + in.state.journal_trouble);
    add_obstacle(made, without_lease(in));
    if (made.obstacles.empty()) add_obstacle(made, not_read_since_lease(in));
    add_obstacle(made, too_little_seen(in));
}

// Says for each plan whether it may start now, and if not why.
void weigh(deciding& in) {
    decision& made = in.made;
    add_general_obstacles(in);
    bool may_act = made.obstacles.empty();
    int budget = budget_left(in);
    bool some_ready = false, budget_missed = false;
    for (fence_plan& plan : made.fences) {
        if (in.state.in_progress(plan.server)) continue;
        std::string why = rungs_missing(in, plan);
        if (why.empty()) why = cooling_down(in, plan);
        add_obstacle(made, why);
        if (!why.empty() || !may_act) continue;
        if (budget-- <= 0) {
            budget_missed = true;
            continue;
        }
        plan.valid_until = in.seen.at + in.policy.stale_after;
        if (in.policy.needs_lease)
            plan.valid_until = std::min(plan.valid_until, in.lease.valid_until);
        some_ready = true;
    }
    if (budget_missed)
        made.obstacles.push_back(
            "the budget of " +
            words::count(static_cast<std::size_t>(in.policy.max_fences), "fence") + " within " +
            words::seconds(in.policy.per) + " is spent (fencing.max_fences)");
    made.what = some_ready ? action::fence : in.policy.enforce ? action::wait : action::alert;
}

// --- a split brain

std::vector<std::size_t> group_of(const topology_graph& graph, std::size_t server) {
    for (const auto& group : graph.writer_groups)
        if (std::find(group.begin(), group.end(), server) != group.end()) return group;
    return {server};
}

std::optional<std::size_t> find_survivor(deciding& in, const std::vector<std::size_t>& writers) {
    keep_input asked{in.seen, in.verdict, in.state, in.policy, writers};
    for (keep_rule rule : in.policy.keep) {
        rule_outcome outcome = ask(rule, asked);
        in.made.rules.push_back(outcome);
        if (!outcome.keeps.empty()) return in.index_of(outcome.keeps);
    }
    return std::nullopt;
}

// Whom a fence under way was begun for, as long as it writes: no later judgement turns against it,
// or both would be stopped. What the rules say may change at any time, with one late poll.
std::optional<std::size_t> committed_to(const deciding& in,
                                        const std::vector<std::size_t>& writers) {
    for (const auto& [server, record] : in.state.servers) {
        if (record.stage != fence_stage::in_progress) continue;
        for (std::size_t i : writers)
            if (std::count(record.survivors.begin(), record.survivors.end(),
                           in.seen.servers[i].name) > 0)
                return i;
    }
    return std::nullopt;
}

void stop_the_others(deciding& in, std::size_t survivor, const std::vector<std::size_t>& writers,
                     const std::string& why) {
    auto kept = group_of(in.verdict.graph, survivor);
    in.made.survivors = names_of(in.seen, kept);
    std::vector<std::string> losers;
    for (std::size_t i : writers) {
        if (std::find(kept.begin(), kept.end(), i) != kept.end()) continue;
        losers.push_back(in.seen.servers[i].name);
        plan_fence(in, losers.back(), false, why);
    }
    in.made.reason =
        "keep " + words::list(in.made.survivors) + ", stop " + words::list(losers) + ": " + why;
    weigh(in);
}

// A rule that cannot decide now may in a moment: histories are compared in the order in which they
// were read, and every poll changes that. All are stopped only when none has decided for as long as
// a reading counts.
void wait_for_doubt_to_stay(deciding& in) {
    moment since = in.state.undecided_since.value_or(in.seen.at);
    moment enough = since + in.policy.stale_after;
    if (in.made.what != action::fence || in.seen.at >= enough) return;
    in.made.what = action::wait;
    for (fence_plan& plan : in.made.fences)
        plan.valid_until = {};
    in.made.obstacles.push_back("a rule may still decide; all are stopped when none has for " +
                                words::seconds(in.policy.stale_after));
    in.again_at(enough);
}

void stop_all_or_ask(deciding& in, const std::vector<std::size_t>& writers) {
    auto names = names_of(in.seen, writers);
    in.made.undecided = true;
    if (in.policy.expected_writers != 1)
        return say(in.made, action::alert,
                   words::list(names) + " write, " + std::to_string(in.policy.expected_writers) +
                       " are expected; which of them to stop is for a person to say");
    if (!in.policy.fence_all)
        return say(in.made, action::alert,
                   "no rule decides between " + words::list(names) +
                       "; a person has to (`primacy resolve`)");
    for (const auto& name : names)
        plan_fence(in, name, false, "no rule decides, and on_ambiguous is fence-all");
    in.made.reason =
        "stop " + words::list(names) + ": no rule decides, and on_ambiguous is fence-all";
    weigh(in);
    wait_for_doubt_to_stay(in);
}

// A writer of the confirmed split brain that cannot be read now: it may still write (S3).
std::vector<std::string> hidden_writers(const deciding& in) {
    std::vector<std::string> hidden;
    for (const auto& name : in.verdict.next.split_writers) {
        auto i = in.index_of(name);
        bool stopped = in.verdict.next.stopped.contains(name);
        if (i && !in.verdict.graph.members[*i].known() && !stopped) hidden.push_back(name);
    }
    return hidden;
}

// --- servers that cannot be seen

bool is_pinned(const std::string& server, const fence_state& state, const fencing_policy& policy) {
    const auto& keep = policy.keep;
    return std::find(keep.begin(), keep.end(), keep_rule::pin) != keep.end() &&
           pinned_server(state, policy) == server;
}

// Why unseen servers must not be stopped on the word of what is visible; empty: they may.
std::string unfit_to_judge_unseen(const deciding& in, const std::vector<std::string>& unseen,
                                  const std::vector<std::size_t>& writers) {
    if (!in.policy.fence_unseen) return "unseen_former is alert";
    for (const auto& name : unseen)
        if (is_pinned(name, in.state, in.policy)) return name + " is pinned";
    if (in.verdict.graph.writer_groups.size() != 1) return "there is not exactly one other writer";
    for (std::size_t i : writers)
        if (in.state.in_progress(in.seen.servers[i].name))
            return "a fence of " + in.seen.servers[i].name + " is under way";
    if (!in.verdict.graph.majority_known())
        return "this agent does not see a majority of the servers";
    const auto& who = in.verdict.next.watch.who;
    bool is_writer = who && std::any_of(writers.begin(), writers.end(), [&](std::size_t i) {
                         return in.seen.servers[i].name == who->server;
                     });
    if (!is_writer) return "the other writer has not been confirmed as the successor";
    if (!who->watched) return "that " + who->server + " took over is uncertain: " + who->doubt;
    if (in.state.quarantined(who->server) && !is_pinned(who->server, in.state, in.policy))
        return who->server + ", which writes, was fenced and has not been given back";
    return "";
}

void judge_unseen(deciding& in, const std::vector<std::string>& unseen,
                  const std::vector<std::size_t>& writers) {
    auto visible = names_of(in.seen, writers);
    std::string what = words::list(unseen) + (unseen.size() == 1 ? " was" : " were") +
                       " writable and cannot be seen";
    std::string unfit = unfit_to_judge_unseen(in, unseen, writers);
    if (!unfit.empty())
        return say(in.made, action::alert,
                   what + "; not stopped, because " + unfit +
                       "; make sure that it is down, then `primacy confirm-fenced`");
    in.made.survivors = visible;
    std::string why = what + ", and " + words::list(visible) + " writes";
    for (const auto& name : unseen)
        plan_fence(in, name, true, why);
    in.made.reason = "stop " + words::list(unseen) + " without SQL: " + why;
    weigh(in);
}

std::vector<std::string> unseen_formers(const deciding& in) {
    std::vector<std::string> unseen;
    for (const auto& former : in.verdict.next.watch.formers) {
        auto i = in.index_of(former.server);
        if (!i || in.verdict.graph.members[*i].known()) continue;
        auto record = in.state.servers.find(former.server);
        bool stopped =
            record != in.state.servers.end() && (record->second.stage == fence_stage::confirmed ||
                                                 record->second.stage == fence_stage::manual);
        if (!stopped) unseen.push_back(former.server);
    }
    return unseen;
}

}  // namespace

decision decide(const observation& seen, const judgement& verdict, const fence_state& state,
                const lease_view& lease, const fencing_policy& policy) {
    decision made;
    deciding in{seen, verdict, state, lease, policy, made};
    auto writers = verdict.graph.writers();
    auto expected = static_cast<std::size_t>(policy.expected_writers);
    const auto& split = verdict.next.split;
    if (verdict.graph.writer_groups.size() > expected) {
        if (!split.confirmed) {
            say(made, action::none, "a split brain is suspected and not confirmed yet");
        } else if (policy.expected_writers != 1) {
            stop_all_or_ask(in, writers);
        } else if (auto committed = committed_to(in, writers)) {
            stop_the_others(in, *committed, writers,
                            "a fence that was begun to keep " + seen.servers[*committed].name +
                                " is under way");
        } else if (auto survivor = find_survivor(in, writers)) {
            stop_the_others(in, *survivor, writers, made.rules.back().reason);
        } else {
            stop_all_or_ask(in, writers);
        }
        return made;
    }
    auto unseen = split.confirmed ? hidden_writers(in) : unseen_formers(in);
    // It may be gone because it is being stopped: nothing to call a person for.
    if (!unseen.empty() && std::all_of(unseen.begin(), unseen.end(), [&](const std::string& each) {
            return state.in_progress(each);
        })) {
        say(made, action::wait,
            "a fence of " + words::list(unseen) + ", which cannot be seen, is at work");
        return made;
    }
    if (!unseen.empty()) {
        judge_unseen(in, unseen, writers);
        return made;
    }
    say(made, action::none, "there is nothing to stop");
    return made;
}

void remember(fence_state& state, const decision& made, moment at) {
    if (!made.undecided)
        state.undecided_since.reset();
    else if (!state.undecided_since)
        state.undecided_since = at;
}

std::string why_stop(const fence_plan& plan, const std::vector<std::string>& survivors,
                     const observation& seen, const judgement& verdict, const fence_state& state,
                     const lease_view& lease, const fencing_policy& policy) {
    if (policy.needs_lease && !lease.valid(seen.at)) return "the lease was lost";
    if (!state.journal_trouble.empty())
        return "what is done could not be noted: " + state.journal_trouble;
    if (!plan.by_person && state.maintenance && seen.at < state.maintenance->until)
        return "maintenance has begun: " + state.maintenance->reason;
    if (!plan.by_person && is_pinned(plan.server, state, policy)) return plan.server + " is pinned";
    if (survivors.empty()) return "";  // fence-all leaves nobody on purpose
    for (std::size_t i = 0; i < seen.servers.size(); ++i) {
        bool survives =
            std::find(survivors.begin(), survivors.end(), seen.servers[i].name) != survivors.end();
        if (survives && verdict.graph.members[i].writable_primary()) return "";
    }
    return words::list(survivors) + " is not seen writable any more, and without " + plan.server +
           " nobody might be";
}

bool seen_stopped(const fence_plan& plan, const observation& seen, const judgement& verdict,
                  moment since) {
    for (std::size_t i = 0; i < seen.servers.size(); ++i) {
        if (seen.servers[i].name != plan.server) continue;
        const member& here = verdict.graph.members[i];
        if (!here.known() || seen.servers[i].newest.started_at <= since) return false;
        return !*here.may_write || (plan.unseen && !here.writable_primary());
    }
    return false;
}

}  // namespace primacy::fencing
