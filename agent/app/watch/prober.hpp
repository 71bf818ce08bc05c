// Reads one server. The interface lets tests script a server; the real one asks over SQL.
#pragma once

#include "agent/rt/deadline.hpp"
#include "checks/observation.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace primacy::app {

struct probe_report {
    checks::probe_failure failure = checks::probe_failure::not_yet;
    std::string error;                                  // one sentence; empty when it was read
    std::shared_ptr<const checks::server_facts> facts;  // null unless it was read
};

class prober {
public:
    virtual ~prober() = default;

    // One reading, ended at `until` at the latest. Never fails otherwise than by its report.
    virtual boost::asio::awaitable<probe_report> read(rt::deadline until) = 0;

    // The slower facts, when they are due; the next read() reports them. A failure here is not one
    // of the server: the facts are absent then.
    virtual boost::asio::awaitable<void> read_details(rt::deadline until) = 0;
};

}  // namespace primacy::app
