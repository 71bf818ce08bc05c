// Drops what a clean-up has found, on one server, one statement after the other; the first that
// fails ends it. Decides nothing. Knows nothing of why a thing may go.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/sql/endpoint.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace primacy::rt::sql {
class network;
}

namespace primacy::osc {

struct drop_order {
    std::string server;  // as configured
    rt::sql::endpoint where;
    // On the writer, and only while it is one: the replicas carry it out too. Otherwise on this
    // server alone, past its binary log.
    bool on_writer = false;
    std::vector<std::string> statements;
};

struct drop_outcome {
    std::string server;
    std::string statement;
    std::string problem;  // empty: it is done
};

// One for each statement that was tried.
boost::asio::awaitable<std::vector<drop_outcome>> run_drops(boost::asio::any_io_executor executor,
                                                            rt::sql::network& network,
                                                            drop_order order, rt::deadline until);

}  // namespace primacy::osc
