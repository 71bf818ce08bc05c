// Stops the replication channels that come from a server, on every replica that has one, so that
// what the server still writes goes nowhere. An isolating rung (isolating.hpp): at best `partial`;
// it fences nothing by itself.
//
// Verified: on new connections, no replica has a channel from the server whose threads run. Failed:
// no replica was told to stop anything, and one of them cannot be read. All replicas are asked at
// once, and one that hangs delays no other.
#pragma once

#include "agent/rt/sql/endpoint.hpp"
#include "agent/rt/sql/network.hpp"
#include "checks/server_facts.hpp"
#include "fencing/drivers/driver.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace primacy::fencing {

struct replica_endpoint {
    std::string server;  // its name in the configuration
    rt::sql::endpoint where;
};

struct detach_options {
    std::vector<replica_endpoint> replicas;  // the other servers of the topology
    std::chrono::milliseconds timeout = std::chrono::seconds(10);  // of the whole exchange
};

// `network` outlives the driver, and the driver its coroutines. A target without a host makes every
// call fail with a sentence: replicas know it by a name that we do not.
std::unique_ptr<driver> make_detach_driver(boost::asio::any_io_executor executor,
                                           rt::sql::network& network, fence_target target,
                                           detach_options options);

// The statement that stops one channel. Empty for a name that cannot stand in one.
std::string stop_statement(checks::flavor kind, checks::server_version version,
                           const std::string& channel);

}  // namespace primacy::fencing
