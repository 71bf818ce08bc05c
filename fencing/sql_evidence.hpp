// What the SQL rung has seen on new connections, and what that proves. Pure; the driver gathers,
// this concludes.
//
// The rule (its reasons are in docs/decisions/0008-partial.md). A server is `confirmed` when two
// readings, each on a new connection and some time apart, say read-only; when what the server
// itself wrote to its binary log stands still between them; and when nobody is left who may write
// all the same:
//   - MySQL's super_read_only and MariaDB 12's NO_LOCK_NO_ADMIN stop every account;
//   - elsewhere accounts with READ_ONLY ADMIN (before 10.11: SUPER) pass. It is `partial` when one
//     of them has a session, or may come over the network, or when the accounts or the sessions
//     cannot be read. Accounts of the server's own machine (root@localhost, mysql@localhost …)
//     without a session are told as a fact only, as is our own account: practically every server
//     has them, and a person at that machine can undo any SQL fence anyway.
#pragma once

#include "checks/server_facts.hpp"
#include "fencing/rung_report.hpp"
#include "fencing/sql_plan.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::fencing {

// What one connection read, all at once.
struct sql_reading {
    checks::server_facts facts;
    std::string binlog;  // "binlog.000007:4711"; empty when it is not told

    // gtid_binlog_state or gtid_executed as text.
    std::string gtid() const;
    // "ON", "super_read_only=ON", for people.
    std::string read_only_text() const;
};

enum class closure {
    open,                // ordinary accounts may write
    closed_to_ordinary,  // accounts that pass read_only may write
    closed_to_all,       // only replication writes
    unknown              // a value that we do not understand, or one that is just being set
};
closure closure_of(const checks::server_facts& facts) noexcept;

// Whether the server wrote something of its own between the readings. What it received from another
// one (other server ids) does not count; the binary log's position decides where there is no GTID.
bool own_writes_between(const sql_reading& earlier, const sql_reading& later);

struct sql_evidence {
    sql_reading first, second;
    // As checks::server_details lists them, ours among them. Absent: we may not read them.
    std::optional<std::vector<std::string>> bypass_accounts;
    // All sessions, after the second reading. Absent: we may not see those of others.
    std::optional<std::vector<sql_session>> sessions;
    std::string own_user;
    std::string server_hostname;
};

struct sql_conclusion {
    rung_report report;                   // with the facts of the readings
    bool another_round_may_help = false;  // somebody wrote, or may, whom we can end
};
// `server` begins the sentence: "db1 (10.0.0.1:3306)".
sql_conclusion conclude(const std::string& server, const sql_evidence& seen);

}  // namespace primacy::fencing
