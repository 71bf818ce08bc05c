#include "fencing/fence_state.hpp"

#include <algorithm>

namespace primacy::fencing {

using namespace primacy::checks;

std::string_view to_string(fence_stage stage) noexcept {
    switch (stage) {
        case fence_stage::none: return "none";
        case fence_stage::requested: return "requested";
        case fence_stage::in_progress: return "in_progress";
        case fence_stage::confirmed: return "confirmed";
        case fence_stage::partial: return "partial";
        case fence_stage::failed: return "failed";
        case fence_stage::unknown: return "unknown";
        case fence_stage::manual: return "manual";
    }
    return "none";
}

fence_stage stage_of(rung_outcome outcome) noexcept {
    switch (outcome) {
        case rung_outcome::confirmed: return fence_stage::confirmed;
        case rung_outcome::partial: return fence_stage::partial;
        case rung_outcome::unknown: return fence_stage::unknown;
        case rung_outcome::failed: return fence_stage::failed;
    }
    return fence_stage::unknown;
}

const std::vector<fence_stage>& all_fence_stages() {
    static const std::vector<fence_stage> stages = {
        fence_stage::none,      fence_stage::requested, fence_stage::in_progress,
        fence_stage::confirmed, fence_stage::partial,   fence_stage::failed,
        fence_stage::unknown,   fence_stage::manual};
    return stages;
}

bool fence_state::in_progress(const std::string& server) const {
    auto found = servers.find(server);
    return found != servers.end() && found->second.stage == fence_stage::in_progress;
}

bool fence_state::stopped(const std::string& server) const {
    auto found = servers.find(server);
    return found != servers.end() && (found->second.stage == fence_stage::confirmed ||
                                      found->second.stage == fence_stage::manual);
}

bool fence_state::quarantined(const std::string& server) const {
    auto found = servers.find(server);
    if (found == servers.end()) return false;
    switch (found->second.stage) {
        case fence_stage::confirmed:
        case fence_stage::partial:
        case fence_stage::unknown:
        case fence_stage::manual: return true;
        default: return false;
    }
}

void fence_started(fence_state& state, const std::string& server, fence_begin begin, moment at) {
    fence_record& record = state.servers[server];
    auto did_not_hold = std::move(record.did_not_hold);
    record = {};
    record.incident = std::move(begin.incident);
    record.stage = fence_stage::in_progress;
    record.started_at = at;
    record.survivors = std::move(begin.survivors);
    record.unseen = begin.unseen;
    record.did_not_hold = std::move(did_not_hold);
    state.started.push_back(at);
}

void fence_ended(fence_state& state, const std::string& server, const fence_end& end, moment at) {
    fence_record& record = state.servers[server];
    record.stage = end.stage;
    record.rung = end.rung;
    record.sentence = end.sentence;
    record.interrupted = end.interrupted;
    record.ended_at = at;
    // Nothing was tried: that was no fence, and the budget is for fences.
    auto& started = state.started;
    const auto own = std::find(started.rbegin(), started.rend(), record.started_at);
    if (end.interrupted && end.rung.empty() && own != started.rend())
        started.erase(std::next(own).base());
}

void fence_confirmed_by_person(fence_state& state, const std::string& server, moment at) {
    fence_record& record = state.servers[server];
    record.stage = fence_stage::manual;
    record.rung.clear();
    record.sentence = "a person has confirmed that it is stopped";
    record.ended_at = at;
}

void fence_released(fence_state& state, const std::string& server) {
    state.servers.erase(server);
}

namespace {

// Read after the fence ended, so that it tells of the time since then.
bool read_since(const observation& seen, std::size_t i, const fence_record& record) {
    return seen.servers[i].newest.good() && seen.servers[i].newest.started_at > record.ended_at;
}

bool replicates(const judgement& verdict, std::size_t i) {
    const auto& here = verdict.graph.members[i];
    return here.role == server_role::replica || here.role == server_role::relay;
}

bool replicates_from_a_member(const judgement& verdict, std::size_t i) {
    const auto& here = verdict.graph.members[i];
    for (std::size_t c = 0; c < here.sources.size(); ++c)
        if (here.sources[c] && here.facts->channels[c].replicating()) return true;
    return false;
}

}  // namespace

std::vector<fence_event> follow(fence_state& state, const observation& seen,
                                const judgement& verdict) {
    std::vector<fence_event> events;
    for (std::size_t i = 0; i < seen.servers.size(); ++i) {
        const std::string& name = seen.servers[i].name;
        auto found = state.servers.find(name);
        if (found == state.servers.end() || !state.quarantined(name)) continue;
        fence_record& record = found->second;
        if (!verdict.graph.members[i].known() || !read_since(seen, i, record)) continue;
        if (replicates(verdict, i) && replicates_from_a_member(verdict, i)) {
            events.push_back({true, name, "", name + " replicates again; its fence is over"});
            state.servers.erase(found);
        } else if (verdict.graph.members[i].writable_primary() && !record.rung.empty() &&
                   record.stage == fence_stage::confirmed &&
                   record.did_not_hold.insert(record.rung).second) {
            events.push_back({false, name, record.rung,
                              name + " was fenced by " + record.rung +
                                  " and is writable again: somebody has opened it"});
        }
    }
    return events;
}

}  // namespace primacy::fencing
