// A person has decided who is to be kept: what has to be stopped first, what would be lost with it,
// and why it cannot be done, if so. Pure; `--dry-run` prints this very plan.
#pragma once

#include "checks/judge.hpp"
#include "fencing/fence_state.hpp"
#include "fencing/loss.hpp"
#include "fencing/policy.hpp"
#include "fencing/verdict.hpp"

#include <string>
#include <vector>

namespace primacy::fencing {

struct resolve_plan {
    std::string refusal;  // why nothing may be done, and what a person can do; empty: it may
    std::string survivor;
    bool survivor_is_writable = false;  // nothing needs to be opened
    std::vector<fence_plan> fences;     // confirmed before anything is opened
    std::vector<loss> losses;           // of these, and of servers that were stopped before
};

resolve_plan plan_resolve(const checks::observation& seen, const checks::judgement& verdict,
                          const fence_state& state, const fencing_policy& policy,
                          const std::string& keep);

// For people, several lines.
std::string text_of(const resolve_plan& plan);

// What is done to servers by this plan, in one line: what a person agrees to. Two plans with the
// same one do the same.
std::string agreement_of(const resolve_plan& plan);

}  // namespace primacy::fencing
