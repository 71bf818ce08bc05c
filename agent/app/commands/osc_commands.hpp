// The commands of schema changes, `primacy osc …`, and what they share: how the agent is asked.
#pragma once

#include "agent/app/commands/commands.hpp"
#include "agent/rt/error.hpp"

#include <boost/json/object.hpp>

namespace primacy::app {

struct job_answer {
    unsigned status = 0;
    boost::json::object text;  // "sentence", and "job" of a new one
};
// To the agent. errc::refused when none runs.
rt::result<job_answer> give_job_order(const config& settings, const boost::json::object& order);

// {"jobs": […]} from the agent, or from its files when none runs (said on standard error).
rt::result<boost::json::object> all_jobs(const config& settings);

// list, show, logs, pause, resume, cut-over, abort
void add_osc_job_commands(CLI::App& osc, command_line& line);

}  // namespace primacy::app
