#include "tests/scenarios/invariants.hpp"

#include "checks/rules/rules.hpp"

#include <algorithm>
#include <sstream>

namespace primacy::scenarios {

using namespace primacy::checks;

namespace {

const server_view* view_of(const observation& seen, const std::string& name) {
    for (const auto& server : seen.servers)
        if (server.name == name) return &server;
    return nullptr;
}

// Known by the raw attempts alone: the newest one is good, and not too old to be evidence.
bool readable(const judged& now, const std::string& name) {
    const server_view* view = view_of(now.seen, name);
    return view && view->newest.good() &&
           now.seen.at - view->newest.started_at <= now.policy.stale_after();
}

bool known(const judged& now, const std::string& name) {
    for (std::size_t i = 0; i < now.seen.servers.size(); ++i)
        if (now.seen.servers[i].name == name) return now.verdict.graph.members[i].known();
    return true;  // no longer configured
}

void write(std::ostream& out, const confirmation& c) {
    out << c.suspected << c.confirmed << ' ' << c.polls << ' ' << c.since.time_since_epoch().count()
        << ' ' << c.last_counted.time_since_epoch().count();
    for (const auto& [name, number] : c.counted)
        out << ' ' << name << number;
    out << '\n';
}

void write(std::ostream& out, const judging_state& state) {
    write(out, state.split);
    write(out, state.no_writer);
    write(out, state.watch.succession);
    for (const auto& name : state.split_writers)
        out << name << ' ';
    if (state.watch.who)
        out << state.watch.who->server << state.watch.who->watched << state.watch.who->doubt;
    if (state.watch.watched_until) out << state.watch.watched_until->time_since_epoch().count();
    out << state.watch.successor << state.split_brains_total << '\n';
    for (const auto& former : state.watch.formers)
        out << former.server << '>' << former.successor << ' ';
}

std::string text_of(const judging_state& state) {
    std::ostringstream out;
    write(out, state);
    return out.str();
}

std::string text_of(const observation& seen) {
    std::ostringstream out;
    out << seen.at.time_since_epoch().count();
    for (const auto& server : seen.servers)
        for (const attempt* made : {&server.newest, &server.last_good, &server.before_good})
            out << ' ' << server.name << made->number << made->error << made->facts.get()
                << static_cast<int>(made->failure) << made->started_at.time_since_epoch().count();
    return out.str();
}

std::string text_of(const judgement& verdict) {
    std::ostringstream out;
    out << to_string(verdict.state) << ": " << verdict.reason << '\n';
    for (const auto& name : verdict.writers)
        out << name << ' ';
    for (const auto& member : verdict.graph.members)
        out << to_string(member.role) << member.why_unknown << member.in_circle << ' ';
    for (const auto& found : verdict.findings) {
        out << to_string(found.code) << to_string(found.level) << found.subject << found.reason;
        for (const auto& line : found.evidence)
            out << line << '\n';
    }
    for (const auto& count : verdict.errant)
        out << (count ? std::to_string(*count) : "?") << ' ';
    for (const auto& rule : verdict.rules)
        out << to_string(rule.code) << rule.found << rule.cannot_say << '\n';
    write(out, verdict.next);
    if (verdict.judge_again_at) out << verdict.judge_again_at->time_since_epoch().count();
    for (const auto& event : verdict.events)
        out << event << '\n';
    return out.str();
}

std::string look_at_purity(const judged& now) {
    std::string seen = text_of(now.seen), before = text_of(now.before);
    judgement again = judge(now.seen, now.before, now.policy);
    if (text_of(again) != text_of(now.verdict)) return "the same input was judged in two ways";
    if (text_of(now.seen) != seen || text_of(now.before) != before)
        return "judging changed its input";
    judgement after = judge(now.seen, now.verdict.next, now.policy);
    if (after.state != now.verdict.state || after.reason != now.verdict.reason)
        return "nothing new was seen, and the judgement changed";
    return "";
}

std::string look_at_members(const judged& now) {
    const auto& members = now.verdict.graph.members;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (members[i].known() && !readable(now, now.seen.servers[i].name))
            return "a server without a fresh good reading counts as known";
    for (const auto& name : now.verdict.writers)
        if (!readable(now, name) ||
            !view_of(now.seen, name)->newest.facts->writable().value_or(false))
            return name + " is called a writer and was not read as writable";
    return "";
}

std::string look_at_findings(const judged& now) {
    const auto& findings = now.verdict.findings;
    auto less_urgent = [](const finding& a, const finding& b) {
        return a.level != b.level ? a.level > b.level : a.code < b.code;
    };
    if (!std::is_sorted(findings.begin(), findings.end(), less_urgent))
        return "the findings are not sorted by urgency";
    for (const auto& found : findings) {
        if (found.reason.empty() || found.subject.empty())
            return std::string(to_string(found.code)) + " has no reason or no subject";
        if (found.code == finding_code::former_primary_unseen && known(now, found.subject))
            return "a former primary that can be seen is called unseen";
    }
    if (now.verdict.rules.size() != rules::registry().size()) return "a rule did not report";
    return now.verdict.reason.empty() ? "the state has no reason" : "";
}

std::string look_at_state(const judged& now) {
    const auto& verdict = now.verdict;
    std::size_t known_servers = verdict.graph.known_count(), all = now.seen.servers.size();
    auto groups = verdict.graph.writer_groups.size();
    auto expected = static_cast<std::size_t>(now.policy.expected_writers);
    if ((verdict.state == topology_state::split_brain) != verdict.next.split.confirmed)
        return "the state split_brain and a confirmed split brain are not the same";
    if (verdict.state == topology_state::no_writer && (known_servers < all || groups > 0))
        return "no_writer although a server is unknown or writable";
    if (verdict.next.no_writer.polls > now.before.no_writer.polls &&
        (known_servers < all || groups > 0))
        return "evidence for no_writer was counted although a server is unknown or writable";
    if (verdict.state == topology_state::healthy) {
        if (groups != expected) return "healthy without the expected writers";
        if (2 * known_servers <= all) return "healthy although no majority is known";
        if (verdict.next.split.suspected) return "healthy although a split brain is suspected";
        for (const auto& found : verdict.findings)
            if (found.level != severity::info) return "healthy although somebody should look";
    }
    if (verdict.judge_again_at && *verdict.judge_again_at <= now.seen.at)
        return "it asks to be judged again in the past";
    for (const auto& former : now.before.watch.formers) {
        const auto& after = verdict.next.watch.formers;
        if (std::find(after.begin(), after.end(), former) == after.end() &&
            !known(now, former.server))
            return "the former primary " + former.server + " was forgotten while unknown";
    }
    return "";
}

}  // namespace

void referee::account::add(const judged& now, const std::vector<std::string>& servers, bool keep) {
    bool anew = std::all_of(servers.begin(), servers.end(), [&](const std::string& name) {
        auto found = counted.find(name);
        return found == counted.end() || view_of(now.seen, name)->newest.number > found->second;
    });
    if (!open || (!keep && now.seen.at - last > now.policy.stale_after())) {
        *this = {};
        open = true;
        first = now.seen.at;
    } else if (!anew) {
        return;
    }
    ++polls;
    last = now.seen.at;
    for (const auto& name : servers)
        counted[name] = view_of(now.seen, name)->newest.number;
}

std::string referee::look_at_split(const judged& now) {
    const auto& before = now.before.split;
    const auto& after = now.verdict.next.split;
    bool too_many = now.verdict.graph.writer_groups.size() >
                    static_cast<std::size_t>(now.policy.expected_writers);
    if (!before.suspected) split_ = {};
    if (too_many) split_.add(now, now.verdict.writers, before.confirmed);
    if (too_many && !after.suspected) return "too many writers, and no suspicion";
    if (after.suspected && !before.suspected && !too_many)
        return "a split brain is suspected of the expected writers";
    if (after.confirmed && !before.confirmed &&
        (!too_many || split_.polls < now.policy.confirm_polls ||
         now.seen.at - split_.first < now.policy.confirm_for))
        return "a split brain was confirmed with too little evidence";
    if (before.suspected && !after.suspected)
        for (const auto& name : now.before.split_writers)
            if (!known(now, name)) return "the split brain was over while " + name + " is unknown";
    auto confirmed_now = after.confirmed && !before.confirmed ? 1u : 0u;
    if (now.verdict.next.split_brains_total != now.before.split_brains_total + confirmed_now)
        return "confirmed split brains were not counted right";
    return "";
}

std::string referee::look_at_incumbent(const judged& now) {
    const auto& before = now.before.watch.who;
    const auto& after = now.verdict.next.watch.who;
    const auto& graph = now.verdict.graph;
    if (before && !after) return "the incumbent was forgotten";
    std::vector<std::string> group;
    if (graph.writer_groups.size() == 1)
        for (std::size_t i : graph.writer_groups.front())
            group.push_back(now.seen.servers[i].name);
    bool changed = after && (!before || before->server != after->server);
    if (changed && std::find(group.begin(), group.end(), after->server) == group.end())
        return after->server + " became the incumbent and was not the only writer";
    if (changed && now.verdict.next.split.confirmed)
        return after->server + " became the incumbent in a split brain";
    bool of_a_component = false;  // whose members take over from one another at once
    if (!graph.writer_groups.empty()) {
        const auto& galera =
            graph.members[graph.writer_groups.front().front()].facts->details.galera;
        of_a_component = galera && galera->in_primary_component();
    }
    // To become certain takes a look at all, but for a predecessor that has gone dark.
    bool gained = after && after->watched && (!before || !before->watched || changed);
    std::size_t dark = graph.members.size() - graph.known_count();
    if (gained && !of_a_component && dark > (changed && before ? 1U : 0U))
        return after->server + " became certain while others were dark";
    // Someone else than the incumbent must have been the only writer for as long as it takes.
    bool other = before && !group.empty() &&
                 std::find(group.begin(), group.end(), before->server) == group.end();
    if (!other || group.front() != successor_name_ || !now.before.watch.succession.suspected)
        successor_ = {};
    successor_name_ = other ? group.front() : "";
    if (other) successor_.add(now, {successor_name_}, false);
    if (changed && before && !of_a_component &&
        (successor_.polls < now.policy.confirm_polls ||
         now.seen.at - successor_.first < now.policy.confirm_for))
        return after->server + " became the incumbent too quickly";
    return "";
}

std::string referee::look(const judged& now) {
    for (const auto& violated : {look_at_purity(now), look_at_members(now), look_at_findings(now),
                                 look_at_state(now), look_at_split(now), look_at_incumbent(now)})
        if (!violated.empty()) return violated;
    return "";
}

}  // namespace primacy::scenarios
