// Powers a host off through its BMC, with ipmitool. Knows nothing of what runs on the host.
//
// Confirmed: two readings of the power, each by a process and session of its own and the second at
// least 300 ms after the first, say "Chassis Power is off". A BMC that lies about its relay cannot
// be found out over IPMI alone; that takes a rung or a look of another kind (a fresh SQL
// connection, a probe). A BMC that shares its host's power supply is silent when the host is dead.
// Failed: no session came about, so that nothing was asked, or the BMC refused and power is on.
#pragma once

#include "agent/rt/process.hpp"
#include "fencing/drivers/driver.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace primacy::fencing {

struct ipmi_options {
    std::string address;
    std::uint16_t port = 623;
    std::string user;
    std::string password_file;          // absolute; ipmitool reads it itself
    std::string interface = "lanplus";  // or "lan"
    std::optional<int> cipher;  // suite; without one ipmitool asks, which some BMCs answer in 10 s
    std::chrono::milliseconds timeout = std::chrono::seconds(20);  // until power is seen to be off
};

// The runner outlives the driver, and the driver its coroutines.
std::unique_ptr<driver> make_ipmi_driver(rt::process_runner& runner, fence_target target,
                                         ipmi_options options);

}  // namespace primacy::fencing
