// Any program of the fence-agents family (fence_apc, fence_vmware_rest …), by its protocol on
// standard input: no argument ever, `key=value` lines, an explicit action. Never the agent's
// default action, which is reboot.
//
// Confirmed: a second process, with action=status, ends with 2 ("reached, and off"). The agent's
// own success is not enough, its own failure does not matter when the status then says off, and an
// agent without status never confirms.
#pragma once

#include "agent/rt/process.hpp"
#include "fencing/drivers/driver.hpp"
#include "fencing/drivers/fence_agent_metadata.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace primacy::fencing {

struct fence_agent_options {
    std::string agent;  // "fence_ipmilan", of /usr/sbin, or an absolute path
    std::map<std::string, std::string> options;
    std::string password;  // handed on by standard input only; empty: none
    std::chrono::milliseconds timeout = std::chrono::seconds(60);  // of act and status together
    // From read_metadata(). Without it the agent is taken to have the action status.
    std::optional<agent_metadata> metadata;
};

// The runner outlives the driver, and the driver its coroutines.
std::unique_ptr<driver> make_fence_agent_driver(rt::process_runner& runner, fence_target target,
                                                fence_agent_options options);

// Asks the agent what it is. It touches no device. The runner outlives the wait.
boost::asio::awaitable<rt::result<agent_metadata>> read_metadata(rt::process_runner& runner,
                                                                 std::string agent,
                                                                 rt::deadline until);

}  // namespace primacy::fencing
