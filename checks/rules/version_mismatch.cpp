#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

#include <utility>

namespace primacy::checks::rules {

namespace {

std::string version_of(const server_facts& facts) {
    return std::string(to_string(facts.kind)) + " " + std::to_string(facts.version.major) + "." +
           std::to_string(facts.version.minor) + "." + std::to_string(facts.version.patch);
}

bool older_series(const server_facts& a, const server_facts& b) {
    return std::pair(a.version.major, a.version.minor) <
           std::pair(b.version.major, b.version.minor);
}

}  // namespace

// A replica may be newer than its source, as during an upgrade; the other way round it meets events
// that it does not know.
output version_mismatch(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto& here = in.graph.members[i];
        if (!here.facts) continue;
        for (const auto& source : here.sources) {
            if (!source || !in.graph.members[*source].facts) continue;
            const auto& theirs = *in.graph.members[*source].facts;
            bool mixed = theirs.kind != here.facts->kind;
            if (!mixed && !older_series(*here.facts, theirs)) continue;
            finding found{finding_code::version_mismatch,
                          severity::warning,
                          in.name(i),
                          in.name(i) + " (" + version_of(*here.facts) + ") replicates from " +
                              in.name(*source) + " (" + version_of(theirs) + "), which is " +
                              (mixed ? "another flavour" : "newer"),
                          {}};
            result.findings.push_back(std::move(found));
        }
    }
    return result;
}

}  // namespace primacy::checks::rules
