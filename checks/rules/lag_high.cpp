#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

#include <algorithm>

namespace primacy::checks::rules {

output lag_high(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto* facts = in.graph.members[i].facts;
        if (!facts) continue;
        for (const channel& link : facts->channels) {
            if (!link.lag_seconds) continue;
            // A delayed replica is late on purpose; only what comes on top of that counts.
            double late = *link.lag_seconds - link.delay_seconds;
            if (!(late >= std::chrono::duration<double>(in.policy.lag_warn).count())) continue;
            late = std::min(late, 1e9);  // what a server sends may not fit into a duration
            auto lag = std::chrono::duration_cast<duration>(std::chrono::duration<double>(late));
            std::string subject = link.name.empty() ? in.name(i) : in.name(i) + "/" + link.name;
            finding found{finding_code::lag_high,
                          severity::warning,
                          subject,
                          subject + " is behind its source by " +
                              words::seconds(in.policy.lag_warn) + " or more" +
                              (link.delay_seconds > 0 ? ", beyond its deliberate delay" : ""),
                          {}};
            found.evidence.push_back(
                "behind by " + words::seconds(lag) +
                (link.delay_seconds > 0 ? " beyond its deliberate delay" : ""));
            result.findings.push_back(std::move(found));
        }
    }
    return result;
}

}  // namespace primacy::checks::rules
