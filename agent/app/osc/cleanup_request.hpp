// What schema changes left of one table, on every server of its topology, and what of it may be
// dropped: reads the servers, lets the pure planner judge, and carries out what was decided. Knows
// nothing of how it is shown.
#pragma once

#include "agent/app/osc/plan_request.hpp"
#include "osc/cleanup.hpp"
#include "osc/drivers/drops.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace primacy::app {

struct cleanup_request {
    osc::table_name table;
    bool drop_old = false;
    std::vector<std::string> also;   // tables by name
    std::vector<std::string> allow;  // "server_unknown", "tool_unseen"
    std::vector<osc::job_trace> jobs;
};

struct cleanup_view {
    std::string writer;                // empty: see the next
    std::string unknown_because;       //
    std::vector<std::string> at_work;  // tools, by their sessions
    std::vector<std::string> unread;   // of servers, a sentence each
    std::vector<osc::cleanup_line> lines;

    // Every server was read, and the writer is known: nothing is left out.
    bool certain() const { return !writer.empty() && unread.empty(); }
};

// Of `osc list` in JSON: the jobs on this table.
std::vector<osc::job_trace> traces_in(const boost::json::object& jobs, const std::string& topology,
                                      const osc::table_name& table);

boost::asio::awaitable<cleanup_view> look_for_leftovers(planning_parts parts,
                                                        const config& settings,
                                                        const topology_config& topology,
                                                        cleanup_request asked, writer_view who);

// Server by server, the writer first; where one statement fails the rest of that server stays.
boost::asio::awaitable<std::vector<osc::drop_outcome>> carry_out(planning_parts parts,
                                                                 const topology_config& topology,
                                                                 cleanup_view found);

}  // namespace primacy::app
