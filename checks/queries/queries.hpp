// Between SQL and facts: which statements a server of this flavour and version understands, and how
// to read what it answers. Knows nothing of connections, schedules or judgements. What a server
// sends is data: the worst of it is an error of class protocol, or a fact that stays absent.
#pragma once

#include "agent/rt/error.hpp"
#include "agent/rt/sql/row.hpp"
#include "checks/server_facts.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::checks::queries {

// Facts of the slower schedule. Each has its own statement, which may fail on its own.
enum class detail {
    status,           // uptime, semi-sync, Galera; needs no privilege
    replicas,         // connected replicas; needs PROCESS
    bypass_accounts,  // needs SELECT on the mysql tables that hold accounts and roles
    boot_settings     // whether read_only is set in the configuration; needs no privilege
};
std::string_view to_string(detail what) noexcept;

struct detail_statement {
    detail what;
    std::string_view sql;
};

struct statements {
    std::string_view fast;         // every poll: one SELECT of system variables; no privilege
    std::string_view replication;  // every poll; needs REPLICA MONITOR or REPLICATION CLIENT
    std::vector<detail_statement> details;
};

// Every server understands it, and no account is refused: it tells which statements to use.
inline constexpr std::string_view identity_statement =
    "SELECT @@version AS version, @@version_comment AS version_comment, "
    "@@global.server_id AS server_id";

// The texts live as long as the program.
statements statements_for(flavor kind, server_version version);

struct identity {
    flavor kind = flavor::mariadb;
    server_version version;
    std::string version_text;
    std::uint32_t server_id = 0;
};

// Absent when the answer is none, or its version is no version.
std::optional<identity> parse_identity(const rt::sql::rows& answer);

// Both need facts.kind to be set, overwrite what they read, and leave `facts` half filled when they
// return an error. What is there but cannot be understood (a GTID text, say) becomes an absent
// fact; an error means that the answer is not one to the statement that was sent.
rt::result<void> read_fast(const rt::sql::rows& answer, server_facts& facts);
rt::result<void> read_replication(const rt::sql::rows& answer, server_facts& facts);

// Makes the facts of that one detail absent: for a statement that failed.
void forget_detail(detail what, server_details& details) noexcept;
// Sets the facts of that one detail; what the answer does not tell becomes absent.
rt::result<void> read_detail(detail what, const rt::sql::rows& answer, server_details& details);

}  // namespace primacy::checks::queries
