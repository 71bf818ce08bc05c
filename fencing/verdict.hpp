// Who loses, and whether it may be stopped now: a pure function of what was seen, what was judged,
// what was done before and what a person allows. Everything it finds comes with its reason, because
// `explain`, `--dry-run`, the log and the agent all show this one decision.
#pragma once

#include "checks/judge.hpp"
#include "fencing/fence_state.hpp"
#include "fencing/lease.hpp"
#include "fencing/policy.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::fencing {

enum class action {
    none,   // there is nothing to stop
    alert,  // somebody should be stopped, and a person has to say or do it
    wait,   // it will be stopped when what stands in the way is gone
    fence   // stop it now
};
std::string_view to_string(action what) noexcept;

struct rule_outcome {
    keep_rule rule;
    std::string keeps;   // the server it decides for; empty: it does not decide
    std::string reason;  // a clause
};

struct fence_plan {
    std::string server;
    std::vector<rung> rungs;
    std::string why;
    bool unseen = false;     // it cannot be read: only rungs that need no SQL
    bool by_person = false;  // asked for by hand, also during maintenance
    // Acting later than this would act on old evidence or without the lease (S2).
    checks::moment valid_until{};
};

struct decision {
    action what = action::none;
    std::string reason;                  // one sentence
    std::vector<std::string> survivors;  // the server that is kept, and those that write as one
                                         // with it
    std::vector<rule_outcome> rules;     // those that were asked, in order
    std::vector<fence_plan> fences;      // what is to be stopped; in `fence` that may start now
    std::vector<std::string> obstacles;  // what keeps us from it, one sentence each
    bool undecided = false;              // there is a split brain, and no rule decides
    std::optional<checks::moment> decide_again_at;
};

decision decide(const checks::observation& seen, const checks::judgement& verdict,
                const fence_state& state, const lease_view& lease, const fencing_policy& policy);

// What the next decision has to know of this one, made at `at`.
void remember(fence_state& state, const decision& made, checks::moment at);

// Asked before each rung of a ladder that has begun, with the newest judgement: empty, or why it
// must stop here (S2, S4). `survivors` are those of the decision; empty after fence-all.
std::string why_stop(const fence_plan& plan, const std::vector<std::string>& survivors,
                     const checks::observation& seen, const checks::judgement& verdict,
                     const fence_state& state, const lease_view& lease,
                     const fencing_policy& policy);

// Whether a reading that began after `since`, when the ladder began, shows the server not writable;
// of one that was to be stopped because it could not be seen, replicating is enough: what clears
// the finding ends its ladder.
bool seen_stopped(const fence_plan& plan, const checks::observation& seen,
                  const checks::judgement& verdict, checks::moment since);

}  // namespace primacy::fencing
