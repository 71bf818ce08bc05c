// What must hold for every judgement, whatever the world looks like. Knows nothing of stories;
// keeps its own account of the evidence, so that it does not have to believe the judge.
#pragma once

#include "tests/scenarios/world.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace primacy::scenarios {

// Follows one history. Each look returns what is violated, one sentence; empty when all is well.
class referee {
public:
    std::string look(const judged& now);

private:
    // Repeated evidence for one claim, counted anew from the raw attempts.
    struct account {
        bool open = false;
        int polls = 0;
        checks::moment first{}, last{};
        std::map<std::string, std::uint64_t> counted;

        void add(const judged& now, const std::vector<std::string>& servers, bool keep);
    };
    std::string look_at_split(const judged& now);
    std::string look_at_incumbent(const judged& now);

    account split_;
    account successor_;
    std::string successor_name_;
};

}  // namespace primacy::scenarios
