#include "agent/app/report/status_json.hpp"

#include "agent/app/guard/guard_view.hpp"
#include "agent/app/watch/now.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cmath>
#include <cstdio>
#include <ctime>

namespace primacy::app {

namespace json = boost::json;
using checks::attempt;

report_time report_now() {
    return {boot_now(), wall_now()};
}

std::string utc_text(checks::wall_time when) {
    auto since = when.time_since_epoch();
    std::time_t whole = std::chrono::duration_cast<std::chrono::seconds>(since).count();
    auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(since).count() % 1000;
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    char text[40], all[48];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(all, sizeof all, "%s.%03dZ", text, static_cast<int>(milliseconds));
    return all;
}

namespace {

// Tenths and thousandths read better than sixteen digits.
double rounded(double seconds) {
    return std::round(seconds * 1000) / 1000;
}

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

std::string source_name(const topology_snapshot& from, std::size_t server, std::size_t index) {
    const auto& here = from.verdict.graph.members[server];
    if (index < here.sources.size() && here.sources[index])
        return from.seen.servers[*here.sources[index]].name;
    const auto& link = here.facts->channels[index];
    return link.source_host + ":" + std::to_string(link.source_port);
}

json::array channels_json(const topology_snapshot& from, std::size_t server) {
    json::array made;
    const auto* facts = from.verdict.graph.members[server].facts;
    if (!facts) return made;
    for (std::size_t i = 0; i < facts->channels.size(); ++i) {
        const auto& link = facts->channels[i];
        json::object one{{"name", link.name},
                         {"source", source_name(from, server, i)},
                         {"io_running", link.io == checks::io_thread::running},
                         {"sql_running", link.sql == checks::sql_thread::running},
                         {"io_state", checks::to_string(link.io)}};
        one["lag_seconds"] = link.lag_seconds ? json::value(*link.lag_seconds) : nullptr;
        made.push_back(std::move(one));
    }
    return made;
}

std::string_view fence_of(const guard_view* guard, const std::string& server) {
    if (!guard) return "none";
    auto found = guard->state.servers.find(server);
    return found == guard->state.servers.end() ? "none" : to_string(found->second.stage);
}

json::object server_json(const topology_snapshot& from, std::size_t i, const guard_view* guard,
                         report_time now) {
    const auto& view = from.seen.servers[i];
    const auto& here = from.verdict.graph.members[i];
    const auto* facts = here.facts;
    // Flavour and version rarely change: the last ones seen help also while it is away.
    const auto* identity = view.last_good.facts.get();
    json::object made{{"name", view.name},
                      {"address", view.address},
                      {"reachable", facts != nullptr},
                      {"error", nullptr},
                      {"error_message", nullptr},
                      {"flavor", nullptr},
                      {"version", nullptr},
                      {"role", checks::to_string(here.role)},
                      {"writable", nullptr},
                      {"read_only", nullptr},
                      {"super_read_only", nullptr},
                      {"age_seconds", nullptr},
                      {"fence", fence_of(guard, view.name)}};
    if (!view.newest.good()) made["error"] = checks::to_string(view.newest.failure);
    if (!here.known()) made["error_message"] = or_null(here.why_unknown);
    if (identity) {
        made["flavor"] = checks::to_string(identity->kind);
        const auto& v = identity->version;
        made["version"] =
            std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
        made["age_seconds"] =
            rounded(std::chrono::duration<double>(now.boot - view.last_good.finished_at).count());
    }
    if (facts) {
        if (here.may_write) made["writable"] = *here.may_write;
        made["read_only"] = facts->read_only.text;
        if (facts->super_read_only) made["super_read_only"] = facts->super_read_only->text;
    }
    made["channels"] = channels_json(from, i);
    return made;
}

json::array findings_json(const topology_snapshot& from, bool with_evidence) {
    json::array made;
    for (const auto& found : from.verdict.findings) {
        json::object one{{"code", checks::to_string(found.code)},
                         {"severity", checks::to_string(found.level)},
                         {"subject", found.subject},
                         {"reason", found.reason}};
        if (with_evidence)
            one["evidence"] = json::array(found.evidence.begin(), found.evidence.end());
        made.push_back(std::move(one));
    }
    return made;
}

json::object lease_json(const guard_view* guard) {
    json::object made{{"held", guard && guard->lease.held}};
    if (!guard) return made;
    made["votes"] = guard->lease.votes;
    made["needed"] = guard->lease.needed;
    made["why"] = or_null(guard->lease.why);
    return made;
}

json::value maintenance_json(const guard_view* guard) {
    if (!guard || !guard->maintenance_until) return nullptr;
    return json::object{{"until", utc_text(*guard->maintenance_until)},
                        {"reason", guard->state.maintenance->reason}};
}

// The newest fence of each server that has one.
json::array fences_json(const guard_view* guard) {
    json::array made;
    if (!guard) return made;
    for (const auto& [server, record] : guard->state.servers)
        made.push_back(json::object{{"server", server},
                                    {"state", to_string(record.stage)},
                                    {"incident", or_null(record.incident)},
                                    {"rung", or_null(record.rung)},
                                    {"reason", or_null(record.sentence)}});
    return made;
}

json::object topology_json(const topology_snapshot& from, const guard_view* guard,
                           report_time now) {
    const auto& verdict = from.verdict;
    const auto& who = verdict.next.watch.who;
    json::object made{{"name", from.config->name},
                      {"state", checks::to_string(verdict.state)},
                      {"reason", verdict.reason},
                      {"mode", from.config->mode == topology_mode::enforce ? "enforce" : "observe"},
                      {"writers", json::array(verdict.writers.begin(), verdict.writers.end())},
                      {"incumbent", who ? json::value(who->server) : nullptr},
                      {"incumbent_certain", who && who->watched},
                      {"judged_age_seconds",
                       rounded(std::chrono::duration<double>(now.boot - from.seen.at).count())}};
    const auto& split = verdict.next.split;
    json::object split_json{{"suspected", split.suspected && !split.confirmed},
                            {"confirmed", split.confirmed},
                            {"since", nullptr}};
    if (split.suspected) split_json["since"] = utc_text(from.split_since);
    made["split_brain"] = std::move(split_json);
    made["lease"] = lease_json(guard);
    made["maintenance"] = maintenance_json(guard);
    made["armed"] = guard && guard->armed;
    json::array servers;
    for (std::size_t i = 0; i < from.seen.servers.size(); ++i)
        servers.push_back(server_json(from, i, guard, now));
    made["servers"] = std::move(servers);
    made["findings"] = findings_json(from, false);
    made["fences"] = fences_json(guard);
    return made;
}

json::object decision_json(const guard_view* guard) {
    if (!guard) return {{"action", "none"}, {"reason", "no agent runs that could decide"}};
    const auto& decision = guard->decision;
    json::object made{
        {"action", to_string(decision.what)},
        {"reason", decision.reason},
        {"survivors", json::array(decision.survivors.begin(), decision.survivors.end())},
        {"obstacles", json::array(decision.obstacles.begin(), decision.obstacles.end())}};
    json::array rules, fences;
    for (const auto& asked : decision.rules)
        rules.push_back(json::object{{"rule", to_string(asked.rule)},
                                     {"keeps", or_null(asked.keeps)},
                                     {"reason", asked.reason}});
    for (const auto& plan : decision.fences) {
        json::array rungs;
        for (const auto& rung : plan.rungs)
            rungs.emplace_back(rung.name);
        fences.push_back(json::object{{"server", plan.server}, {"rungs", std::move(rungs)}});
    }
    made["rules"] = std::move(rules);
    made["fences"] = std::move(fences);
    return made;
}

json::array methods_json(const guard_view* guard) {
    json::array made;
    if (!guard) return made;
    for (const auto& [which, health] : guard->methods)
        made.push_back(json::object{{"server", which.first},
                                    {"method", which.second},
                                    {"up", health.checked ? json::value(health.up) : nullptr},
                                    {"trouble", or_null(health.trouble)}});
    return made;
}

json::array rules_json(const topology_snapshot& from) {
    json::array made;
    for (const auto& rule : from.verdict.rules) {
        json::object one{{"code", checks::to_string(rule.code)}, {"findings", rule.found}};
        one["cannot_say"] = or_null(rule.cannot_say);
        made.push_back(std::move(one));
    }
    return made;
}

json::object confirmation_json(const topology_snapshot& from) {
    const auto& split = from.verdict.next.split;
    auto seconds = std::chrono::duration<double>(from.seen.at - split.since).count();
    return {{"polls", split.suspected ? split.polls : 0},
            {"polls_needed", from.config->confirm_polls},
            {"seconds", split.suspected ? rounded(seconds) : 0.0},
            {"seconds_needed", std::chrono::duration<double>(from.config->confirm_for).count()}};
}

}  // namespace

json::object status_json(const agent_snapshot& from, const std::string& only, report_time now) {
    json::array topologies;
    for (const auto& topology : from.topologies)
        if (only.empty() || topology->config->name == only)
            topologies.push_back(
                topology_json(*topology, from.guard_of(topology->config->name), now));
    return {{"agent", from.agent}, {"topologies", std::move(topologies)}};
}

json::object explain_json(const agent_snapshot& from, const std::string& only, report_time now) {
    json::array topologies;
    for (const auto& topology : from.topologies) {
        if (!only.empty() && topology->config->name != only) continue;
        const auto* guard = from.guard_of(topology->config->name);
        json::object made = topology_json(*topology, guard, now);
        made["findings"] = findings_json(*topology, true);
        made["confirmation"] = confirmation_json(*topology);
        made["rules"] = rules_json(*topology);
        const auto& who = topology->verdict.next.watch.who;
        made["incumbent_doubt"] = who ? or_null(who->doubt) : nullptr;
        made["decision"] = decision_json(guard);
        made["methods"] = methods_json(guard);
        topologies.push_back(std::move(made));
    }
    return {{"agent", from.agent}, {"topologies", std::move(topologies)}};
}

}  // namespace primacy::app
