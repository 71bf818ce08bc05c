#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output galera_non_primary(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto* facts = in.graph.members[i].facts;
        if (!facts || !facts->details.galera || !facts->details.galera->provider_on) continue;
        const auto& galera = *facts->details.galera;
        if (galera.in_primary_component()) continue;
        finding found{finding_code::galera_non_primary,
                      severity::warning,
                      in.name(i),
                      in.name(i) + " is outside Galera's primary component and serves nobody",
                      {}};
        found.evidence.push_back("wsrep_cluster_status=" + galera.cluster_status +
                                 ", wsrep_local_state_comment=" + galera.state_comment +
                                 ", wsrep_cluster_size=" + std::to_string(galera.cluster_size));
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
