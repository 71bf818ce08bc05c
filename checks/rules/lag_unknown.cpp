#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output lag_unknown(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto* facts = in.graph.members[i].facts;
        if (!facts) continue;
        for (const channel& link : facts->channels) {
            if (link.lag_seconds || !link.replicating()) continue;
            std::string subject = link.name.empty() ? in.name(i) : in.name(i) + "/" + link.name;
            result.findings.push_back(
                {finding_code::lag_unknown,
                 severity::warning,
                 subject,
                 subject + " replicates, and the server does not say how far it is behind",
                 {"Seconds_Behind is NULL while both threads run"}});
        }
    }
    return result;
}

}  // namespace primacy::checks::rules
