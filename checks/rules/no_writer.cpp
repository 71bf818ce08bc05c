#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

namespace {

std::string nobody_writes(const input& in) {
    std::vector<std::string> writable;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i)
        if (in.graph.members[i].role == server_role::writable_replica)
            writable.push_back(in.name(i));
    std::string text = "every server was read and none is a writable primary";
    if (writable.empty()) return text + "; clients cannot write";
    return text + "; clients can still write to the " +
           (writable.size() == 1 ? "replica " : "replicas ") + words::list(writable);
}

}  // namespace

output no_writer(const input& in) {
    auto groups = in.graph.writer_groups.size();
    auto expected = static_cast<std::size_t>(in.policy.expected_writers);
    auto unseen = in.seen.servers.size() - in.graph.known_count();
    if (groups >= expected) return {};
    if (unseen > 0)
        return {{},
                words::count(unseen, "server") + (unseen == 1 ? " is" : " are") +
                    " unknown, and may be writable"};
    finding found{finding_code::no_writer, severity::warning, "topology", "", {}};
    if (groups > 0) {
        found.reason = "only " + std::to_string(groups) + " of " + std::to_string(expected) +
                       " expected writers " + (groups == 1 ? "is" : "are") + " writable";
    } else if (in.state.no_writer.confirmed) {
        found.level = severity::critical;
        found.reason = nobody_writes(in);
    } else {
        found.reason = "every server was read and none is a writable primary; not confirmed yet";
    }
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i)
        found.evidence.push_back(in.describe(i));
    return {{std::move(found)}, ""};
}

}  // namespace primacy::checks::rules
