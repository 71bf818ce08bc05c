#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output writable_replica(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        if (in.graph.members[i].role != server_role::writable_replica) continue;
        finding found{finding_code::writable_replica,
                      severity::warning,
                      in.name(i),
                      in.name(i) +
                          " replicates and is writable; a client that writes to it makes "
                          "it differ from its source (SET GLOBAL read_only=1 mends it)",
                      {}};
        found.evidence.push_back(in.describe(i));
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
