#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

output errant_transactions(const input& in) {
    output result;
    if (in.beyond_writer.empty()) {
        result.cannot_say = "there is not exactly one writer to compare with";
        return result;
    }
    std::size_t writer = in.graph.writers().front();
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto& here = in.graph.members[i];
        if (i == writer || !here.known()) continue;
        const auto& held = in.beyond_writer[i];
        if (!held.decided() || in.fed_from_outside(i)) {
            result.cannot_say =
                in.name(i) + ": " +
                (held.decided() ? "it also holds what came from outside the topology"
                                : held.cannot_say);
            continue;
        }
        if (held.transactions == 0) continue;
        finding found{finding_code::errant_transactions,
                      severity::warning,
                      in.name(i),
                      in.name(i) + " holds transactions that " + in.name(writer) +
                          " lacks; they were written on " + in.name(i) + " or lost on " +
                          in.name(writer),
                      {}};
        found.evidence.push_back("only on " + in.name(i) + ": " + held.text);
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
