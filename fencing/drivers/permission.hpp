// Whether an act is still allowed. Asked right before each step that changes something (S2): since
// the order was given, the lease may have been lost, or the whole process paused for an hour.
// Knows not what it depends on.
#pragma once

#include "agent/rt/error.hpp"
#include "fencing/rung_report.hpp"

#include <functional>
#include <string>

namespace primacy::fencing {

// Empty: allowed. Cheap, and answers for the moment at which it is asked.
using permission = std::function<bool()>;

inline bool allowed(const permission& given) {
    return !given || given();
}

// The report of a driver that was not allowed its next step. `acted`: there were others before.
rung_report not_allowed_report(const std::string& server, bool acted);
rt::error not_allowed_error();

}  // namespace primacy::fencing
