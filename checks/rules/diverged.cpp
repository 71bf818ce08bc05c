#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

namespace {

// A server whose history may have parted from `writer`'s: another writer, or one that follows
// nobody here and so will not catch up by itself.
bool may_have_parted(const input& in, std::size_t i) {
    const auto& here = in.graph.members[i];
    if (!here.known()) return false;
    if (here.writable_primary()) return true;
    for (std::size_t c = 0; c < here.sources.size(); ++c)
        if (here.facts->channels[c].replicating()) return false;
    return true;
}

void compare(const input& in, std::size_t a, std::size_t b, output& result) {
    auto ahead = beyond(in.seen, a, b), behind = beyond(in.seen, b, a);
    if (!ahead.decided() || !behind.decided()) {
        result.cannot_say = ahead.decided() ? behind.cannot_say : ahead.cannot_say;
        return;
    }
    if (ahead.transactions == 0 || behind.transactions == 0) return;
    std::vector<std::string> both = {in.name(a), in.name(b)};
    finding found{finding_code::diverged,
                  severity::critical,
                  words::subject(both),
                  words::list(both) +
                      " each hold transactions that the other lacks; neither can "
                      "follow the other without losing data",
                  {}};
    found.evidence.push_back("only on " + in.name(a) + ": " + ahead.text);
    found.evidence.push_back("only on " + in.name(b) + ": " + behind.text);
    result.findings.push_back(std::move(found));
}

}  // namespace

output diverged(const input& in) {
    output result;
    for (std::size_t writer : in.graph.writers())
        for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
            if (i == writer || !may_have_parted(in, i)) continue;
            bool both_write = in.graph.members[i].writable_primary();
            if (both_write && i < writer) continue;  // each pair of writers once
            if (!both_write && in.fed_from_outside(i))
                result.cannot_say = in.name(i) + " also holds what came from outside the topology";
            else
                compare(in, writer, i, result);
        }
    return result;
}

}  // namespace primacy::checks::rules
