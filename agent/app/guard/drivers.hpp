// From the configuration to drivers and to what the verdict needs to know of each rung. Knows every
// kind of driver, so that nobody else has to.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/rt/process.hpp"
#include "fencing/drivers/driver.hpp"
#include "fencing/drivers/servers_lease.hpp"
#include "fencing/policy.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace primacy::app {

// The parts that all drivers share; they outlive the drivers.
struct driver_parts {
    boost::asio::any_io_executor executor;
    rt::sql::network* network = nullptr;
    rt::process_runner* runner = nullptr;
};

// The rung `name` of the server's ladder; null when the configuration has no such method, which
// its check rules out.
std::unique_ptr<fencing::driver> make_driver(const driver_parts& parts, const config& settings,
                                             const topology_config& topology,
                                             const server_config& server, const std::string& name);

fencing::fencing_policy fencing_policy_of(const config& settings, const topology_config& topology);

// Every server and witness of the topology, with its own account.
fencing::servers_lease_options lease_options_of(const topology_config& topology);

}  // namespace primacy::app
