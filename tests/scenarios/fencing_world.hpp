// The made-up topology together with what a person allows, the lease and the fences done so far;
// after every judgement it is asked who is to be stopped.
#pragma once

#include "fencing/verdict.hpp"
#include "tests/scenarios/world.hpp"

#include <optional>
#include <string>
#include <vector>

namespace primacy::scenarios {

class fencing_world {
public:
    fencing_world();
    fencing_world(const fencing_world&) = delete;

    // As world::execute(); of what the judge says only the decision is printed, when it changes.
    bool execute(const std::string& line, std::string& output, std::string& error);

private:
    bool set_fencing(const std::vector<std::string>& words);
    bool set_lease(const std::vector<std::string>& words);
    bool set_maintenance(const std::vector<std::string>& words);
    bool end_fence(const std::vector<std::string>& words);
    fencing::fence_plan planned(const std::string& server) const;
    bool ask_why_stop(const std::vector<std::string>& words, std::string& output);
    void decide_now(const judged& now);
    void print(const fencing::decision& made);

    world world_;
    fencing::fencing_policy policy_;
    fencing::fence_state state_;
    fencing::lease_view lease_;
    std::optional<checks::duration> lease_left_;  // renewed with each judgement unless it is set
    checks::observation seen_;
    std::optional<checks::judgement> verdict_;
    fencing::decision last_;
    std::string printed_, said_;
};

}  // namespace primacy::scenarios
