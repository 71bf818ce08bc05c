#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output duplicate_server_id(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        std::vector<std::size_t> same = {i};
        const auto* mine = in.graph.members[i].facts;
        if (!mine) continue;
        bool first = true, one_uuid = !mine->uuid.empty();
        for (std::size_t k = 0; k < in.seen.servers.size(); ++k) {
            const auto* other = in.graph.members[k].facts;
            if (k == i || !other || other->server_id != mine->server_id) continue;
            if (k < i) first = false;
            one_uuid = one_uuid && other->uuid == mine->uuid;
            same.push_back(k);
        }
        if (same.size() < 2 || !first) continue;
        auto names = in.names(same);
        std::string id = std::to_string(mine->server_id);
        finding found{
            finding_code::duplicate_server_id, severity::critical, words::subject(names), "", {}};
        found.reason =
            one_uuid ? words::list(names) +
                           " have the same server_uuid: one server under several names, or a copy "
                           "of a data directory that kept its auto.cnf"
                     : words::list(names) + " share server_id " + id +
                           "; they skip each other's changes, and forks stay hidden";
        for (std::size_t k : same)
            found.evidence.push_back(in.name(k) + " (" + in.seen.servers[k].address +
                                     "): server_id " + id);
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
