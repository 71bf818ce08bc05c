// A suspicion becomes a fact by repetition: seen in enough polls and for long enough.
#pragma once

#include "checks/observation.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace primacy::checks {

struct confirmation {
    bool suspected = false;
    bool confirmed = false;
    int polls = 0;   // in which every server of the evidence was read anew
    moment since{};  // first evidence
    moment last_counted{};
    std::map<std::string, std::uint64_t> counted;  // attempt that was counted last, by server

    bool operator==(const confirmation&) const = default;
};

// Evidence was seen, resting on the newest readings of `servers` (indices into `seen`). Two counted
// polls with more between them than a reading stays evidence are not consecutive: counting starts
// anew.
confirmation strengthen(confirmation before, const observation& seen,
                        const std::vector<std::size_t>& servers, const judging_policy& policy);

// When a suspicion that has its polls will also have its time, if not yet.
std::optional<moment> confirmable_at(const confirmation& suspicion, const judging_policy& policy);

}  // namespace primacy::checks
