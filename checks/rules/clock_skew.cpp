#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output clock_skew(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto* facts = in.graph.members[i].facts;
        if (!facts || !facts->clock_ahead) continue;
        duration ahead = *facts->clock_ahead;
        duration away = ahead < duration::zero() ? -ahead : ahead;
        if (away < in.policy.clock_skew_warn) continue;
        finding found{finding_code::clock_skew,
                      severity::warning,
                      in.name(i),
                      in.name(i) + "'s clock is " +
                          (ahead < duration::zero() ? "behind" : "ahead of") + " this agent's by " +
                          words::seconds(in.policy.clock_skew_warn) + " or more",
                      {}};
        found.evidence.push_back("by " + words::seconds(away));
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
