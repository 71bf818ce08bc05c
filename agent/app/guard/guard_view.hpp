// What the guard of a topology says of itself at one moment: immutable, shared like a snapshot, and
// read by the metrics page, the status and explain.
#pragma once

#include "checks/moment.hpp"
#include "fencing/fence_state.hpp"
#include "fencing/verdict.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace primacy::app {

// Counters and durations of one server's fences since the agent started.
struct fence_statistics {
    std::uint64_t attempts = 0;  // rungs that were begun
    std::map<fencing::rung_failure, std::uint64_t> failures;
    double last_seconds = 0;  // of the last ladder
    std::optional<checks::wall_time> last_confirmed_at;
};

// Of a device in the background.
struct method_health {
    bool up = false;
    bool checked = false;
    std::string trouble;  // why it is not up
};

// What the guard says of itself at one moment; immutable, shared like a snapshot.
struct guard_view {
    fencing::decision decision;
    fencing::fence_state state;
    fencing::lease_view lease;
    bool in_maintenance = false;
    std::optional<checks::wall_time> lease_expiry;  // while it is held
    std::optional<checks::wall_time> maintenance_until;
    bool armed = false;  // it would act: enforce, the lease, a whole journal, no maintenance
    int budget_left = 0;
    std::string journal_trouble;
    std::map<std::string, fence_statistics> servers;
    // By server and rung.
    std::map<std::pair<std::string, std::string>, method_health> methods;
};

}  // namespace primacy::app
