// Whether a fence agent could work with its options at all: what can be found out when the
// configuration is loaded, without the device. Its metadata is compared with the options, and then
// it is asked itself (its action validate-all, which checks what it is given and does nothing).
#pragma once

#include "agent/rt/process.hpp"
#include "fencing/drivers/fence_agent.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace primacy::fencing {

enum class agent_fault {
    wrong_options,  // proved by the agent's own description: this can never fence
    unusable,  // the program as it is on this host: missing, talks rubbish, refuses the options
    silent     // it did not answer in time, which says nothing about the options
};

struct agent_complaint {
    agent_fault fault{};
    std::string option;  // as it was written; empty: the agent as a whole
    std::string sentence;
};

// Empty: nothing speaks against it. Several only of the kind wrong_options, one for each of them.
// The runner outlives the wait; no program is left running when it ends.
boost::asio::awaitable<std::vector<agent_complaint>> check_fence_agent(rt::process_runner& runner,
                                                                       fence_agent_options options,
                                                                       rt::deadline until);

}  // namespace primacy::fencing
