#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output semisync_degraded(const input& in) {
    output result;
    for (std::size_t i : in.graph.writers()) {
        const auto& semisync = in.graph.members[i].facts->details.semisync;
        if (!semisync) {
            result.cannot_say = in.name(i) + " does not tell its semi-sync state";
            continue;
        }
        if (!semisync->source_enabled || semisync->source_active) continue;
        finding found{finding_code::semisync_degraded,
                      severity::warning,
                      in.name(i),
                      in.name(i) +
                          " has semi-sync enabled, and it fell back to asynchronous; "
                          "commits are not acknowledged by a replica",
                      {}};
        found.evidence.push_back(
            words::count(static_cast<std::size_t>(semisync->connected_replicas),
                         "acknowledging replica") +
            " connected");
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
