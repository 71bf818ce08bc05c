// Snapshots as JSON: the contract of `status --json` and /api/v1/status (design §7), and the longer
// form that `explain` is made from. Pure; keys here are read by programs outside this repository.
#pragma once

#include "agent/app/watch/snapshot.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace primacy::app {

// The clocks at the moment of asking; ages count up to `boot`.
struct report_time {
    checks::moment boot;
    checks::wall_time wall;
};
report_time report_now();

// `only` names one topology; empty means all.
boost::json::object status_json(const agent_snapshot& from, const std::string& only,
                                report_time now);
// The same, and for each topology its evidence, each rule's outcome and the decision.
boost::json::object explain_json(const agent_snapshot& from, const std::string& only,
                                 report_time now);

// "2026-11-21T22:31:29.123Z"
std::string utc_text(checks::wall_time when);

}  // namespace primacy::app
