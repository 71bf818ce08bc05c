// Is everything there that schema changes need? A survey of servers, tools and the folder for logs,
// then pure rules over it: pass, warn or fail, each of the latter two with what mends it.
#pragma once

#include "agent/app/preflight/preflight.hpp"
#include "agent/rt/process.hpp"
#include "osc/drivers/table_reader.hpp"

#include <string>
#include <vector>

namespace primacy::app {

struct osc_survey {
    std::vector<osc::server_reading> servers;
    osc::tool_facts gh_ost, pt_osc;
    std::string log_dir;
    std::string log_dir_trouble;  // why nothing can be written there; empty: it can
};

// Pure.
std::vector<preflight_line> preflight_osc(const topology_config& topology, const osc_survey& found);

// Asks each server within the deadline, and the tools; creates nothing.
boost::asio::awaitable<osc_survey> survey_osc(boost::asio::any_io_executor executor,
                                              rt::sql::network& network, rt::process_runner& runner,
                                              const topology_config& topology,
                                              const osc_config& settings, rt::deadline until);

}  // namespace primacy::app
