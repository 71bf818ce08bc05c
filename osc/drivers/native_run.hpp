// Runs one native ALTER to its end and tells how it goes, a line at a time (native_output.hpp).
// Meant for a process of its own, which outlives the agent. Knows nothing of jobs.
#pragma once

#include "agent/rt/sql/endpoint.hpp"
#include "osc/native_output.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace primacy::rt::sql {
class network;
}

namespace primacy::osc {

struct native_order {
    rt::sql::endpoint where;
    bool mysql = false;
    std::string statement;  // names its ALGORITHM, so that the server does nothing else
    std::chrono::seconds lock_wait{3};
};

// One attempt to get the table's lock. True when the server says that the table is altered. `told`
// hears each line. When `stop()` turns true the statement is killed on the server, and what it came
// to is told all the same.
boost::asio::awaitable<bool> run_native(boost::asio::any_io_executor executor,
                                        rt::sql::network& network, native_order order,
                                        std::function<void(const native_line&)> told,
                                        std::function<bool()> stop);

}  // namespace primacy::osc
