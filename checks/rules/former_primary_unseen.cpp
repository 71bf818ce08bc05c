#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

namespace {

std::string sentence(const input& in, const unseen_former& former) {
    std::string text = former.server + " was the primary and cannot be seen, ";
    auto writers = in.names(in.graph.writers());
    if (writers.empty())
        text += "and " + former.successor + " took over";
    else
        text += "while " + words::list(writers) + (writers.size() == 1 ? " writes" : " write");
    return text + "; it may still be taking writes where we cannot look";
}

}  // namespace

output former_primary_unseen(const input& in) {
    output result;
    for (const auto& former : in.state.watch.formers) {
        for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
            if (in.name(i) != former.server || in.graph.members[i].known()) continue;
            finding found{finding_code::former_primary_unseen,
                          severity::critical,
                          former.server,
                          sentence(in, former),
                          {}};
            found.evidence.push_back(in.describe(i));
            if (alive_but_unreadable(in.seen.servers[i].newest.failure))
                found.evidence.push_back("its answer shows that it is alive");
            for (std::size_t w : in.graph.writers())
                found.evidence.push_back(in.describe(w));
            result.findings.push_back(std::move(found));
        }
    }
    if (!in.state.watch.who && in.policy.expected_writers == 1)
        result.cannot_say = "no server has been seen as the only writable primary yet";
    return result;
}

}  // namespace primacy::checks::rules
