#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output bypass_accounts(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto* facts = in.graph.members[i].facts;
        if (!facts) continue;
        const auto& accounts = facts->details.bypass_accounts;
        if (!accounts) {
            result.cannot_say = "not every server lets us read which accounts it has";
            continue;
        }
        if (accounts->empty()) continue;
        finding found{finding_code::bypass_accounts,
                      severity::info,
                      in.name(i),
                      in.name(i) + " has " + words::count(accounts->size(), "account") +
                          " that can write while read_only is set",
                      {}};
        found.evidence = *accounts;
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
