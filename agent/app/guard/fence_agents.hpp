// What the fence agents of a configuration say about the options that it gives them, as problems of
// the file with their places. Runs the programs; touches no device.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/rt/process.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <vector>

namespace primacy::app {

struct agent_findings {
    // Proved by the agent's own description: as it is written this can never fence.
    std::vector<config_problem> wrong;
    // The program as it is on this host: missing, talks rubbish, does not take the options.
    std::vector<config_problem> unusable;
    // It did not answer within the patience.
    std::vector<config_problem> silent;
};

// Asks all of them at once; each has that long, and one that hangs delays no other. The runner
// outlives the wait. Returns at once when there are none.
boost::asio::awaitable<agent_findings> ask_fence_agents(boost::asio::any_io_executor executor,
                                                        rt::process_runner& runner,
                                                        const config& settings,
                                                        std::chrono::milliseconds patience);

enum class for_whom {
    person,  // who wants to know whether it will work: what is unusable is an error
    watch    // which must not be kept from its work by what is not proved: a warning
};
void add_findings(config_outcome& into, agent_findings found, for_whom who);

// How long a person waits for the answers, and how long a start or reload of the agent does.
inline constexpr std::chrono::seconds patience_of_person{10};
inline constexpr std::chrono::seconds patience_of_watch{3};

}  // namespace primacy::app
