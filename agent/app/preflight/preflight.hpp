// Is everything there that watching needs? One survey of each server, then pure rules over it:
// pass, warn or fail, each of the latter two with the statement that mends it.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"
#include "checks/queries/queries.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace primacy::rt::sql {
class network;
}

namespace primacy::app {

// What a survey of one server found; the errors are those of the statements that failed.
struct server_survey {
    std::string name, address;
    std::optional<rt::error> connecting;
    bool encrypted = false;
    std::string account;  // 'primacy'@'%', as the server knows us
    checks::server_facts facts;
    std::optional<rt::error> fast, replication;
    std::map<checks::queries::detail, rt::error> details;
};

enum class preflight_level { pass, warn, fail };
std::string_view to_string(preflight_level level) noexcept;

struct preflight_line {
    preflight_level level;
    std::string subject;  // a server, or the topology
    std::string what;     // one sentence
    std::string remedy;   // the statement or setting that mends it; empty for pass
};

// Pure.
std::vector<preflight_line> preflight_monitor(const topology_config& topology,
                                              const std::vector<server_survey>& surveys);

// Asks one server, read-only, within the deadline.
boost::asio::awaitable<server_survey> survey(boost::asio::any_io_executor executor,
                                             rt::sql::network& network,
                                             const topology_config& topology,
                                             const server_config& server, rt::deadline until);

}  // namespace primacy::app
