#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

// Two servers that replicate from each other with one of them writable are a common, deliberate
// pair; a circle with more writable members than expected is how conflicting writes come about.
output circular_replication(const input& in) {
    output result;
    for (const auto& circle : in.graph.circles) {
        std::size_t writable = 0;
        for (std::size_t i : circle)
            if (in.graph.members[i].may_write.value_or(false)) ++writable;
        auto names = in.names(circle);
        finding found{finding_code::circular_replication,
                      writable > static_cast<std::size_t>(in.policy.expected_writers)
                          ? severity::warning
                          : severity::info,
                      words::subject(names),
                      words::list(names) + " replicate in a circle, " +
                          (writable == 0 ? "none" : std::to_string(writable)) + " of them writable",
                      {}};
        for (std::size_t i : circle)
            found.evidence.push_back(in.describe(i));
        result.findings.push_back(std::move(found));
    }
    return result;
}

}  // namespace primacy::checks::rules
