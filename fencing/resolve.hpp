// A person has decided who is to be kept: what has to be stopped first, what would be lost with it,
// and why it cannot be done, if so. Pure; `--dry-run` prints this very plan.
#pragma once

#include "checks/judge.hpp"
#include "fencing/fence_state.hpp"
#include "fencing/policy.hpp"
#include "fencing/verdict.hpp"

#include <string>
#include <vector>

namespace primacy::fencing {

// What a loser holds and the survivor lacks.
struct loss {
    std::string server;
    std::uint64_t transactions = 0;
    std::string gtids;       // "0-1-101 to 0-1-105"; empty when there are none
    std::string cannot_say;  // why it is not known; then the others mean nothing
    std::string extract;     // the command line that shows them, to be run on the loser's host
};

struct resolve_plan {
    std::string refusal;  // why nothing may be done, and what a person can do; empty: it may
    std::string survivor;
    bool survivor_is_writable = false;  // nothing needs to be opened
    std::vector<fence_plan> fences;     // confirmed before anything is opened
    std::vector<loss> losses;
};

resolve_plan plan_resolve(const checks::observation& seen, const checks::judgement& verdict,
                          const fence_state& state, const fencing_policy& policy,
                          const std::string& keep);

// For people, several lines.
std::string text_of(const resolve_plan& plan);

}  // namespace primacy::fencing
