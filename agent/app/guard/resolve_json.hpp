// A resolve for programs: what was planned, and what the losers hold. Pure; keys are read by
// programs outside this repository.
#pragma once

#include "fencing/resolve.hpp"

#include <boost/json/object.hpp>

namespace primacy::app {

// keep, keep_was_writable, agreement, stop (server, by), losses (see the README).
boost::json::object resolve_json(const fencing::resolve_plan& plan);

}  // namespace primacy::app
