#include "agent/app/guard/fence_entry.hpp"

#include "agent/app/report/status_json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <map>

namespace primacy::app {

namespace json = boost::json;
using fencing::fence_stage;
using fencing::rung_outcome;

namespace {

constexpr std::size_t longest_incident = 64;

constexpr std::pair<record_kind, std::string_view> kinds[] = {
    {record_kind::begun, "begun"},
    {record_kind::intent, "intent"},
    {record_kind::outcome, "outcome"},
    {record_kind::ended, "ended"},
    {record_kind::contested, "contested"},
    {record_kind::released, "released"},
    {record_kind::confirmed_by_person, "confirmed_by_person"},
    {record_kind::pinned, "pinned"},
    {record_kind::maintenance, "maintenance"},
    {record_kind::opened, "opened"},
    {record_kind::resolving, "resolving"},
    {record_kind::resolved, "resolved"},
};

std::optional<record_kind> kind_named(std::string_view name) {
    for (const auto& [kind, word] : kinds)
        if (word == name) return kind;
    return std::nullopt;
}

std::int64_t nanoseconds_of(checks::wall_time when) {
    return when.time_since_epoch().count();
}

// Wall times as a person reads them, and exactly, for whoever computes.
void put_time(json::object& into, const char* key, checks::wall_time when) {
    into[key] = utc_text(when);
    into[std::string(key) + "_ns"] = nanoseconds_of(when);
}

std::optional<checks::wall_time> get_time(const json::object& from, const std::string& key) {
    const auto* exact = from.if_contains(key + "_ns");
    if (!exact || !exact->is_int64()) return std::nullopt;
    return checks::wall_time(std::chrono::nanoseconds(exact->as_int64()));
}

void put(json::object& into, const char* key, const std::string& text) {
    if (!text.empty()) into[key] = text;
}

std::string get(const json::object& from, const char* key) {
    const auto* found = from.if_contains(key);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

bool get_flag(const json::object& from, const char* key) {
    const auto* found = from.if_contains(key);
    return found && found->is_bool() && found->as_bool();
}

}  // namespace

std::string_view to_string(record_kind kind) noexcept {
    for (const auto& [each, word] : kinds)
        if (each == kind) return word;
    return "begun";
}

std::string to_json(const fence_entry& record) {
    json::object made;
    put_time(made, "at", record.at);
    made["kind"] = to_string(record.kind);
    put(made, "agent", record.agent);
    put(made, "topology", record.topology);
    put(made, "server", record.server);
    put(made, "incident", record.incident);
    put(made, "by", record.by);
    put(made, "reason", record.reason);
    put(made, "rung", record.rung);
    put(made, "nonce", record.nonce);
    put(made, "result", record.result);
    put(made, "failure", record.failure);
    if (record.verification) made["verification"] = true;
    if (record.interrupted) made["interrupted"] = true;
    if (record.unseen) made["unseen"] = true;
    if (!record.survivors.empty())
        made["survivors"] = json::array(record.survivors.begin(), record.survivors.end());
    if (!record.facts.empty()) {
        json::object facts;
        for (const auto& [name, value] : record.facts)
            facts[name] = value;
        made["facts"] = std::move(facts);
    }
    if (record.until) put_time(made, "until", *record.until);
    return json::serialize(made);
}

rt::result<fence_entry> parse_record(std::string_view text) {
    boost::system::error_code failed;
    json::value parsed = json::parse(text, failed);
    if (failed || !parsed.is_object())
        return rt::error{rt::errc::config, 0, "a journal record is no JSON object"};
    const json::object& from = parsed.as_object();
    auto kind = kind_named(get(from, "kind"));
    auto at = get_time(from, "at");
    if (!kind || !at)
        return rt::error{rt::errc::config, 0,
                         "a journal record has no time, or a kind that this version does not know"};
    fence_entry made;
    made.kind = *kind;
    made.at = *at;
    made.agent = get(from, "agent");
    made.topology = get(from, "topology");
    made.server = get(from, "server");
    made.incident = get(from, "incident");
    made.by = get(from, "by");
    made.reason = get(from, "reason");
    made.rung = get(from, "rung");
    made.nonce = get(from, "nonce");
    made.result = get(from, "result");
    made.failure = get(from, "failure");
    made.verification = get_flag(from, "verification");
    made.interrupted = get_flag(from, "interrupted");
    made.unseen = get_flag(from, "unseen");
    if (const auto* survivors = from.if_contains("survivors"); survivors && survivors->is_array())
        for (const auto& each : survivors->as_array())
            if (each.is_string()) made.survivors.emplace_back(each.as_string());
    if (const auto* facts = from.if_contains("facts"); facts && facts->is_object())
        for (const auto& each : facts->as_object())
            if (each.value().is_string())
                made.facts.emplace_back(std::string(each.key()),
                                        std::string(each.value().as_string()));
    made.until = get_time(from, "until");
    return made;
}

std::string incident_name(const std::string& topology, const std::string& server,
                          checks::wall_time at, std::uint64_t number) {
    using std::chrono::duration_cast;
    using std::chrono::microseconds;
    const auto when = duration_cast<microseconds>(at.time_since_epoch()).count();
    const std::string unique = "-" + std::to_string(when) + "-" + std::to_string(number);
    std::string name = topology + "-" + server;
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain) c = '-';
    }
    return name.substr(0, longest_incident - unique.size()) + unique;
}

namespace {

struct replaying {
    fencing::fence_state state;
    std::map<std::string, unfinished_fence> open;  // by server
    std::map<std::string, fence_entry> openings;   // by server
    checks::wall_time wall;
    checks::moment boot;

    // Nothing in a journal is later than now: a clock that was set back must not lengthen a
    // cooldown for hours.
    checks::moment moment_of(checks::wall_time when) const {
        return boot - std::max(checks::duration::zero(), checks::duration(wall - when));
    }
    void apply(const fence_entry& record);
    void note_intent(const fence_entry& record);
    void note_outcome(const fence_entry& record);
    void note_end(const fence_entry& record);
};

void replaying::note_intent(const fence_entry& record) {
    unfinished_fence& fence = open[record.server];
    fence.server = record.server;
    fence.incident = record.incident;
    fence.tried.push_back({record.rung, std::nullopt});
}

// A later look that found the server running says nothing of what the act may still do.
void replaying::note_outcome(const fence_entry& record) {
    auto found = open.find(record.server);
    if (found == open.end() || found->second.incident != record.incident) return;
    for (auto& tried : found->second.tried)
        for (auto outcome : {rung_outcome::confirmed, rung_outcome::partial, rung_outcome::failed,
                             rung_outcome::unknown}) {
            bool is_it = tried.name == record.rung && fencing::to_string(outcome) == record.result;
            bool says_nothing = record.verification && outcome == rung_outcome::failed;
            if (is_it && !says_nothing) tried.outcome = outcome;
        }
}

void replaying::note_end(const fence_entry& record) {
    auto found = open.find(record.server);
    const bool of_another = found != open.end() && found->second.incident != record.incident;
    if (of_another) return;
    open.erase(record.server);
    auto stage = fence_stage::unknown;
    for (auto each : fencing::all_fence_stages())
        if (fencing::to_string(each) == record.result) stage = each;
    fencing::fence_ended(state, record.server,
                         {stage, record.rung, record.reason, record.interrupted},
                         moment_of(record.at));
}

void replaying::apply(const fence_entry& record) {
    checks::moment at = moment_of(record.at);
    switch (record.kind) {
        case record_kind::begun:
            fencing::fence_started(state, record.server,
                                   {record.incident, record.survivors, record.unseen}, at);
            open[record.server] = {record.server, record.incident, {}};
            break;
        case record_kind::intent: note_intent(record); break;
        case record_kind::outcome:
            if (record.rung.empty()) openings.erase(record.server);
            note_outcome(record);
            break;
        case record_kind::ended: note_end(record); break;
        case record_kind::contested:
            state.servers[record.server].did_not_hold.insert(record.rung);
            break;
        case record_kind::released:
            open.erase(record.server);
            openings.erase(record.server);
            fencing::fence_released(state, record.server);
            break;
        case record_kind::confirmed_by_person:
            open.erase(record.server);
            fencing::fence_confirmed_by_person(state, record.server, at);
            break;
        case record_kind::pinned: state.pin = record.server; break;
        case record_kind::maintenance:
            state.maintenance.reset();
            if (record.until && *record.until > wall)
                state.maintenance =
                    fencing::maintenance_window{boot + (*record.until - wall), record.reason};
            break;
        case record_kind::resolving:
        case record_kind::resolved: break;
        case record_kind::opened: openings[record.server] = record; break;
    }
}

}  // namespace

replayed replay(const std::vector<fence_entry>& records, const std::string& topology,
                checks::wall_time wall, checks::moment boot) {
    replaying now{{}, {}, {}, wall, boot};
    for (const auto& record : records)
        if (record.topology == topology) now.apply(record);
    replayed made{std::move(now.state), {}, {}};
    for (auto& [server, fence] : now.open)
        made.unfinished.push_back(std::move(fence));
    for (auto& [server, record] : now.openings)
        made.openings.push_back(std::move(record));
    return made;
}

}  // namespace primacy::app
