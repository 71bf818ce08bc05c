// The prober that asks a real server: one connection kept open, identity once, fast facts and
// replication status with each reading, details on their own schedule.
#pragma once

#include "agent/app/watch/prober.hpp"
#include "agent/rt/sql/connection.hpp"
#include "checks/queries/queries.hpp"

#include <memory>
#include <optional>

namespace primacy::rt::sql {
class network;
}

namespace primacy::app {

struct sql_prober_options {
    rt::sql::endpoint where;
    rt::steady_clock::duration detail_interval = std::chrono::seconds(10);
    std::chrono::seconds session_timeout{600};  // longer than the longest pause between readings
};

// `network` must outlive the prober.
std::unique_ptr<prober> make_sql_prober(boost::asio::any_io_executor executor,
                                        rt::sql::network& network, sql_prober_options options);

// The class of a failed reading.
checks::probe_failure failure_of(rt::errc code) noexcept;

}  // namespace primacy::app
