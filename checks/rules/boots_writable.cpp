#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output boots_writable(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto* facts = in.graph.members[i].facts;
        if (!facts) continue;
        if (!facts->details.boots_writable) {
            result.cannot_say = "not every server tells how its read_only was set at start";
            continue;
        }
        if (!*facts->details.boots_writable) continue;
        result.findings.push_back(
            {finding_code::boots_writable,
             severity::info,
             in.name(i),
             in.name(i) + " starts writable: put read_only=1 into its configuration, so that a "
                          "former primary that comes back cannot take writes",
             {}});
    }
    return result;
}

}  // namespace primacy::checks::rules
