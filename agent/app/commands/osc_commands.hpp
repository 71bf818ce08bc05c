// The commands of schema changes, `primacy osc …`, and what they share: how the agent is asked.
#pragma once

#include "agent/app/commands/commands.hpp"
#include "agent/app/osc/plan_request.hpp"
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

// Shows how it goes until it is over; a bar on a terminal, a line for each change in a pipe. The
// exit status: 0 when it completed, 1 otherwise, also when the agent did not answer any more.
int wait_for_job(const config& settings, const std::string& id, bool as_json);

// Asks the agent, or the servers themselves, who writes. The topology is one of the configuration.
rt::result<writer_view> look_for_writer(const config& settings, const std::string& topology);

void add_osc_cleanup_command(CLI::App& osc, command_line& line);
// list, show, logs, pause, resume, cut-over, abort
void add_osc_job_commands(CLI::App& osc, command_line& line);

}  // namespace primacy::app
