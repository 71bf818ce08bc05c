// The `sql` rung: makes a server read-only by SQL, ends its client sessions, and proves on new
// connections that it takes no writes and that its history stands still. What proves that, and what
// is only partial, stands in fencing/sql_evidence.hpp.
//
// Killed sessions may have committed rows that no replica has: "semisync_released" among the facts.
// A SET that was not answered may still apply later (S7); it is read back, sent again, and never
// undone. Nothing here makes a server writable but open_for_writing(), which only a person's
// `resolve` or `unfence` calls (S1).
#pragma once

#include "agent/rt/sql/connection.hpp"
#include "fencing/drivers/driver.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>

namespace primacy::fencing {

struct sql_fence_options {
    // The monitoring account; sessions of its user are spared, as one of them may be the monitor.
    rt::sql::endpoint where;
    // How long a server lets our SET wait for others before it answers 1205 and we send it again.
    std::chrono::seconds lock_wait{1};
    // How long we let it wait before we begin to kill what it may wait for.
    std::chrono::milliseconds patience{20};
    // How often to kill and look again while sessions come back, or somebody undoes it.
    int kill_rounds = 5;
    // Between the two readings of the evidence.
    std::chrono::milliseconds settle{50};
};

// `network` outlives the driver. At most two connections at a time.
std::unique_ptr<driver> make_sql_driver(boost::asio::any_io_executor executor,
                                        rt::sql::network& network, fence_target target,
                                        sql_fence_options options);

// Lets ordinary accounts write, and reads it back on a new connection. errc::timeout: it may still
// take effect. MySQL's offline_mode stays as it is.
boost::asio::awaitable<rt::result<void>> open_for_writing(boost::asio::any_io_executor executor,
                                                          rt::sql::network& network,
                                                          rt::sql::endpoint where,
                                                          rt::deadline until);

}  // namespace primacy::fencing
