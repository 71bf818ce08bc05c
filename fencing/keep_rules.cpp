#include "fencing/keep_rules.hpp"

#include "checks/history.hpp"
#include "checks/words.hpp"

#include <algorithm>
#include <set>

namespace primacy::fencing {

using namespace primacy::checks;

std::string_view to_string(keep_rule rule) noexcept {
    switch (rule) {
        case keep_rule::pin: return "pin";
        case keep_rule::incumbent: return "incumbent";
        case keep_rule::replicas: return "replicas";
        case keep_rule::gtid: return "gtid";
    }
    return "pin";
}

std::optional<std::size_t> keep_input::writer_named(const std::string& server) const {
    for (std::size_t i : writers)
        if (name(i) == server) return i;
    return std::nullopt;
}

namespace {

struct opinion {
    std::optional<std::size_t> keeps;
    std::string reason;
};

opinion declines(std::string reason) {
    return {std::nullopt, std::move(reason)};
}

opinion by_pin(const keep_input& in) {
    const std::string& pinned = pinned_server(in.state, in.policy);
    if (pinned.empty()) return declines("no server is pinned");
    auto writer = in.writer_named(pinned);
    if (!writer) return declines(pinned + " is pinned, and it is not one of the writers");
    return {writer, pinned + " is pinned" +
                        (in.state.pin.empty() ? " in the configuration" : " by a person")};
}

opinion by_incumbent(const keep_input& in) {
    const auto& who = in.verdict.next.watch.who;
    if (!who) return declines("no server has been seen as the only writable primary");
    if (!who->watched)
        return declines(who->server + " was it, but that is uncertain: " + who->doubt);
    auto writer = in.writer_named(who->server);
    if (!writer) return declines(who->server + " was it, and it is not one of the writers now");
    return {writer, who->server + " was the only writable primary, watched without a gap"};
}

// The writers that `replica` receives from, over any number of members in between.
std::set<std::size_t> writers_above(const keep_input& in, std::size_t replica) {
    std::set<std::size_t> visited, found;
    std::vector<std::size_t> open = {replica};
    const auto& members = in.verdict.graph.members;
    while (!open.empty()) {
        std::size_t here = open.back();
        open.pop_back();
        if (!visited.insert(here).second) continue;
        if (here != replica &&
            std::find(in.writers.begin(), in.writers.end(), here) != in.writers.end()) {
            found.insert(here);
            continue;
        }
        if (!members[here].known()) continue;
        for (std::size_t c = 0; c < members[here].sources.size(); ++c)
            if (members[here].sources[c] && members[here].facts->channels[c].replicating())
                open.push_back(*members[here].sources[c]);
    }
    return found;
}

opinion by_replicas(const keep_input& in) {
    std::size_t others = in.seen.servers.size() - in.writers.size();
    if (others == 0) return declines("there is no replica that could tell");
    std::map<std::size_t, std::size_t> followers;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        if (std::find(in.writers.begin(), in.writers.end(), i) != in.writers.end()) continue;
        auto above = writers_above(in, i);
        if (above.size() == 1) ++followers[*above.begin()];
    }
    for (const auto& [writer, count] : followers)
        if (2 * count > others)
            return {writer, std::to_string(count) + " of " + words::count(others, "replica") +
                                (count == 1 ? " replicates from " : " replicate from ") +
                                in.name(writer)};
    std::string tally;
    for (const auto& [writer, count] : followers)
        tally += (tally.empty() ? "" : ", ") + std::to_string(count) + " from " + in.name(writer);
    return declines("no strict majority of " + words::count(others, "replica") +
                    " replicates from one writer" + (tally.empty() ? "" : " (" + tally + ")"));
}

enum class completeness { complete, lacking, undecided };

// Whether `writer` holds all that the other writers hold, and why not.
std::pair<completeness, std::string> completeness_of(const keep_input& in, std::size_t writer) {
    std::pair<completeness, std::string> found = {completeness::complete, ""};
    for (std::size_t other : in.writers) {
        if (other == writer) continue;
        auto extra = beyond(in.seen, other, writer);
        if (extra.decided() && extra.transactions > 0)
            return {completeness::lacking,
                    in.name(writer) + " lacks " + extra.text + " of " + in.name(other)};
        if (!extra.decided()) found = {completeness::undecided, extra.cannot_say};
    }
    return found;
}

// Only when it is known of every writer: of two with the same history, one may be seen to be
// complete a moment before the other is.
opinion by_gtid(const keep_input& in) {
    std::vector<std::size_t> complete;
    bool undecided = false;
    std::string why;
    for (std::size_t writer : in.writers) {
        auto [found, reason] = completeness_of(in, writer);
        if (found == completeness::complete) complete.push_back(writer);
        undecided = undecided || found == completeness::undecided;
        if (!reason.empty() && why.find(reason) == std::string::npos)
            why += (why.empty() ? "" : "; ") + reason;
    }
    if (undecided || complete.empty()) return declines(why);
    if (complete.size() > 1) return declines("the histories of the writers are the same");
    return {complete.front(),
            "the history of " + in.name(complete.front()) + " contains the others'"};
}

opinion opinion_of(keep_rule rule, const keep_input& in) {
    switch (rule) {
        case keep_rule::pin: return by_pin(in);
        case keep_rule::incumbent: return by_incumbent(in);
        case keep_rule::replicas: return by_replicas(in);
        case keep_rule::gtid: return by_gtid(in);
    }
    return declines("no such rule");
}

}  // namespace

const std::string& pinned_server(const fence_state& state, const fencing_policy& policy) {
    return state.pin.empty() ? policy.pin : state.pin;
}

rule_outcome ask(keep_rule rule, const keep_input& in) {
    opinion formed = opinion_of(rule, in);
    if (!formed.keeps) return {rule, "", std::move(formed.reason)};
    const std::string& name = in.name(*formed.keeps);
    // What is under way may still succeed; who is stopped meanwhile in its favour is a writer lost.
    if (in.state.in_progress(name))
        return {rule, "", formed.reason + ", but a fence of it is under way"};
    // A person's pin says that the server was given back.
    if (rule != keep_rule::pin && in.state.quarantined(name))
        return {rule, "",
                formed.reason +
                    ", but it was fenced and has not been given back (`primacy "
                    "unfence`)"};
    return {rule, name, std::move(formed.reason)};
}

}  // namespace primacy::fencing
