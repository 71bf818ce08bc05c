#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

namespace {

// Names no age and no error text: the sentence must not change while nothing changes.
std::string why(const input& in, std::size_t i) {
    const attempt& newest = in.seen.servers[i].newest;
    const std::string& name = in.name(i);
    switch (newest.failure) {
        case probe_failure::not_yet: return name + " has not been read yet";
        case probe_failure::denied:
            return name + " could not be read: it is alive, and does not let us in";
        case probe_failure::too_many_connections:
            return name + " could not be read: it is alive, and has no connection left";
        case probe_failure::query:
            return name + " could not be read: it is alive, and refused a statement";
        case probe_failure::none:  // it answered, and the answer is too old or not understood
            return name + " is unknown: " + in.graph.members[i].why_unknown;
        default:
            return name + " could not be read (" + std::string(to_string(newest.failure)) + ")";
    }
}

}  // namespace

output server_unknown(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        if (in.graph.members[i].known()) continue;
        finding found{finding_code::server_unknown, severity::warning, in.name(i), why(in, i), {}};
        found.evidence.push_back(in.describe(i));
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
