#include "agent/app/daemon/change_log.hpp"

#include <algorithm>

namespace primacy::app {

namespace {

using checks::finding;

const finding* same_finding(const std::vector<finding>& in, const finding& wanted) {
    auto found = std::find_if(in.begin(), in.end(), [&](const finding& f) {
        return f.code == wanted.code && f.subject == wanted.subject;
    });
    return found == in.end() ? nullptr : &*found;
}

checks::severity urgency_of(checks::topology_state state) {
    switch (state) {
        case checks::topology_state::healthy: return checks::severity::info;
        case checks::topology_state::split_brain:
        case checks::topology_state::no_writer: return checks::severity::critical;
        default: return checks::severity::warning;
    }
}

std::string sentence(const finding& f) {
    return std::string(checks::to_string(f.code)) + " [" + f.subject + "] " + f.reason;
}

}  // namespace

std::vector<log_entry> changes(const topology_snapshot* before, const topology_snapshot& now) {
    static const std::vector<finding> none;
    const auto& old = before ? before->verdict.findings : none;
    std::vector<log_entry> entries;
    for (const auto& event : now.verdict.events)
        entries.push_back({checks::severity::info, "", event});
    if (!now.first_round_done) return entries;
    for (const auto& f : now.verdict.findings) {
        const auto* known = same_finding(old, f);
        if (!known || known->level != f.level || known->reason != f.reason)
            entries.push_back({f.level, f.subject, sentence(f)});
    }
    for (const auto& f : old)
        if (!same_finding(now.verdict.findings, f))
            entries.push_back(
                {checks::severity::info, f.subject,
                 "over: " + std::string(checks::to_string(f.code)) + " [" + f.subject + "]"});
    if (!before || before->verdict.state != now.verdict.state)
        entries.push_back({urgency_of(now.verdict.state), "",
                           "state is " + std::string(checks::to_string(now.verdict.state)) + ": " +
                               now.verdict.reason});
    return entries;
}

}  // namespace primacy::app
