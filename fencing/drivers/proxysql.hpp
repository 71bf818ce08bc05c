// Takes a server out of ProxySQL: OFFLINE_HARD through the admin interface, loaded to the runtime
// and saved to disk. An isolating rung (isolating.hpp): at best `partial`.
//
// Verified: on a new connection, runtime_mysql_servers has the server nowhere but as OFFLINE_HARD,
// mysql_servers (which the next LOAD of anybody brings to the runtime) likewise, and
// stats_mysql_connection_pool counts no connection in use. Failed: it cannot be reached, refuses us
// or does not know the server.
//
// What others edited and did not load: LOAD would make it live, so where memory and runtime differ
// the runtime is first copied to memory. Those edits are lost, and the report says so; the monitor
// of read_only makes the two differ as a matter of course, and then nothing is lost.
// ProxySQL takes one statement at a time, dies of an empty one, knows no prepared statement and no
// transaction, and has one error number (1045) for everything.
#pragma once

#include "agent/rt/sql/endpoint.hpp"
#include "agent/rt/sql/network.hpp"
#include "fencing/drivers/driver.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace primacy::fencing {

struct proxysql_options {
    rt::sql::endpoint admin;
    std::string server_host;  // as ProxySQL names the server; empty: the target's host and port
    std::uint16_t server_port = 0;
    std::optional<std::int64_t> writer_hostgroup;  // every hostgroup when there is none
    std::chrono::milliseconds timeout = std::chrono::seconds(10);  // of the whole exchange
};

// `network` outlives the driver, and the driver its coroutines. A host that ProxySQL could take for
// something else, or none, makes every call fail with a sentence.
std::unique_ptr<driver> make_proxysql_driver(boost::asio::any_io_executor executor,
                                             rt::sql::network& network, fence_target target,
                                             proxysql_options options);

}  // namespace primacy::fencing
