#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

#include <algorithm>

namespace primacy::checks::rules {

namespace {

// The servers that took part, as they look now; each list in the order of the configuration.
struct incident {
    std::vector<std::size_t> servers;
    std::vector<std::string> names;
    std::vector<std::string> writing;    // groups that are seen writable, one Galera as one
    std::vector<std::string> unseen;     // unknown now, so perhaps still one
    std::vector<std::string> dangerous;  // both
};

incident look_at(const input& in) {
    incident now;
    const auto& part = in.state.split_writers;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto& name = in.name(i);
        if (std::find(part.begin(), part.end(), name) == part.end()) continue;
        const auto& here = in.graph.members[i];
        now.servers.push_back(i);
        now.names.push_back(name);
        if (!here.known()) now.unseen.push_back(name);
        if (!here.known() || here.writable_primary()) now.dangerous.push_back(name);
    }
    for (const auto& group : in.graph.writer_groups)
        now.writing.push_back(group.size() == 1 ? in.name(group.front())
                                                : "{" + words::subject(in.names(group)) + "}");
    return now;
}

std::string sentence(const incident& now, const input& in) {
    bool confirmed = in.state.split.confirmed;
    std::string text;
    if (in.graph.writer_groups.size() > static_cast<std::size_t>(in.policy.expected_writers)) {
        text = words::list(now.writing) +
               (confirmed ? " are writable primaries at once; clients can write to each of them"
                          : " look like writable primaries at once; not confirmed yet");
        if (!now.unseen.empty())
            text += "; " + words::list(now.unseen) + " was one before and cannot be seen";
    } else {
        text = words::list(now.names) +
               (confirmed ? " were writable primaries at once"
                          : " looked like writable primaries at once, not confirmed") +
               "; it is not over while " + words::list(now.unseen) + " cannot be seen";
    }
    if (in.policy.expected_writers > 1)
        text += " (expected_writers is " + std::to_string(in.policy.expected_writers) + ")";
    return text;
}

}  // namespace

output split_brain(const input& in) {
    const confirmation& split = in.state.split;
    if (!split.suspected) return {};
    incident now = look_at(in);
    finding found{finding_code::split_brain,
                  split.confirmed ? severity::critical : severity::warning,
                  words::subject(now.dangerous),
                  sentence(now, in),
                  {}};
    for (std::size_t i : now.servers)
        found.evidence.push_back(in.describe(i));
    found.evidence.push_back("seen in " +
                             words::count(static_cast<std::size_t>(split.polls), "poll") + " (" +
                             std::to_string(in.policy.confirm_polls) + " needed) over " +
                             words::seconds(in.seen.at - split.since) + " (" +
                             words::seconds(in.policy.confirm_for) + " needed)");
    return {{std::move(found)}, ""};
}

}  // namespace primacy::checks::rules
