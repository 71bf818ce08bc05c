// From what was asked to a plan: reads every server of the topology at once, probes the tools, and
// lets the pure planner judge. Sends nothing but reads. Knows nothing of how a plan is shown, nor
// of how a job is carried out.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/rt/deadline.hpp"
#include "agent/rt/process.hpp"
#include "agent/rt/sql/network.hpp"
#include "osc/drivers/table_reader.hpp"
#include "osc/facts.hpp"
#include "osc/plan.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace primacy::app {

// Who may write, as the newest judgement says.
struct writer_view {
    std::string writer;  // the only one; empty: see the next
    std::string unknown_because;
    bool split_brain = false;  // suspected or confirmed
    bool maintenance = false;
};

// Of one topology in the JSON of `status`: the agent's, or that of a look of our own.
writer_view writer_in(const boost::json::object& topology);

// Jobs that are not over.
struct jobs_in_the_way {
    std::vector<std::string> on_table;
    std::vector<std::string> on_topology;  // those that copy
};
using ask_for_jobs = std::function<jobs_in_the_way(const osc::job_spec&)>;

struct planning_parts {
    boost::asio::any_io_executor executor;
    rt::sql::network* network = nullptr;
    rt::process_runner* runner = nullptr;
    ask_for_jobs jobs;  // empty: there are none
};

// What every server of the topology knows of the table and of what stands beside it, asked at the
// same time; `writer` in depth. One that cannot be read says so in its side.
boost::asio::awaitable<std::vector<osc::server_reading>> read_servers(
    planning_parts parts, const topology_config& topology, osc::table_name table,
    std::string writer, rt::deadline until);

// How long gathering may take: the servers and the tools are asked at the same time.
std::chrono::milliseconds patience_for_plan(const topology_config& topology);

// All that is known for the plan. The topology is one of the configuration.
boost::asio::awaitable<osc::facts> gather_facts(planning_parts parts, const config& settings,
                                                const osc::job_spec& asked, writer_view who,
                                                rt::deadline until);

}  // namespace primacy::app
