// What the proxysql driver says to ProxySQL's admin interface, and how it reads the answers. Pure;
// every column arrives as text, and one that is missing or no number is an error of class protocol.
#pragma once

#include "agent/rt/error.hpp"
#include "agent/rt/sql/row.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace primacy::fencing {

// A server as ProxySQL knows it; `host` is plain (isolating.hpp).
struct proxysql_server {
    std::string host;
    std::uint16_t port = 0;
    std::optional<std::int64_t> hostgroup;  // every one when there is none

    // "hostname='10.0.0.1' AND port=3306 AND hostgroup_id=10"
    std::string condition() const;
};

// Each one statement, without an end mark.
namespace proxysql_statements {

// Rows of one of mysql_servers and runtime_mysql_servers that the other has not, apart from what is
// OFFLINE_HARD: such a row is a fence in the one and a leftover in the other.
std::string only_in(const std::string& table, const std::string& other);
std::string states(const std::string& table, const proxysql_server& server);
std::string take_out(const proxysql_server& server);
std::string connections(const proxysql_server& server);
// Client sessions that hold a connection to the server; they end when they are killed.
std::string sessions(const proxysql_server& server);

inline constexpr const char* copy_runtime_to_memory = "SAVE MYSQL SERVERS FROM RUNTIME";
inline constexpr const char* load_to_runtime = "LOAD MYSQL SERVERS TO RUNTIME";
inline constexpr const char* save_to_disk = "SAVE MYSQL SERVERS TO DISK";

}  // namespace proxysql_statements

struct proxysql_rows {
    std::size_t known = 0;  // rows of the server
    std::size_t open = 0;   // those that are not OFFLINE_HARD
};
// Of states(); letter case of a status does not matter (memory keeps it as it was typed).
rt::result<proxysql_rows> read_states(const rt::sql::rows& answer);

// One column of whole numbers: of connections() the sum, of sessions() the ids.
rt::result<std::vector<std::uint64_t>> read_numbers(const rt::sql::rows& answer);

}  // namespace primacy::fencing
