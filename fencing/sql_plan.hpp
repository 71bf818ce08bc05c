// What the SQL rung says to a server, by flavour and version, and how it tells apart the sessions
// and accounts that it finds there. Pure: texts and values, no connection, no clock.
#pragma once

#include "checks/server_facts.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::fencing {

struct sql_statements {
    // Stops writes; the strictest first. The next one is for a server that does not know the word
    // of the one before (errors 1193, 1231).
    std::vector<std::string_view> close;
    // Lets everybody write again; all of them, in this order.
    std::vector<std::string_view> open;
    // Lets commits go that wait for a replica's acknowledgement; the first that is understood.
    std::vector<std::string_view> release_semisync;
    // Answers with columns File and Position.
    std::string_view binlog_position;
};
// The texts live as long as the program.
sql_statements sql_statements_for(checks::flavor kind, checks::server_version version);

// Limits for our own session, so that it neither waits nor stays: a lock for `lock_wait` seconds, a
// statement (on MySQL only a SELECT) for some more, and half a minute of silence.
std::string bound_own_session(checks::flavor kind, int lock_wait);

// Sessions of a server; `process_privilege` is 0, or the statement is refused, where only our own
// would be shown.
inline constexpr std::string_view session_list_statement =
    "SELECT ID AS id, USER AS user, HOST AS host, COMMAND AS command, STATE AS state, "
    "(SELECT COUNT(*) FROM information_schema.INNODB_CMP) AS process_privilege "
    "FROM information_schema.PROCESSLIST";

struct sql_session {
    std::uint64_t id = 0;
    std::string user;
    std::string host;  // "10.0.0.7:51234", "localhost", empty for threads of the server
    std::string command;
    std::string state;
};

enum class session_role {
    client,       // may write, or may begin to
    own,          // of the account that we log in with: this agent, another one, or the monitor
    replication,  // sends the binary log to somebody, or registers to do so
    server        // a thread of the server: replication applier, scheduler, somebody logging in
};
session_role role_of(const sql_session& session, std::string_view own_user) noexcept;

// It has been killed already and is on its way out, perhaps through a rollback.
bool is_ending(const sql_session& session) noexcept;
// Its transaction is committed here and waits for a replica to say that it has it.
bool waits_for_acknowledgement(const sql_session& session) noexcept;

// Clients whose end may let a waiting SET GLOBAL through: at first those that execute something,
// then, when it still waits, all of them (a sleeping session may hold LOCK TABLES or an open
// transaction, and every one of them is going to be ended anyway).
std::vector<std::uint64_t> blockers(const std::vector<sql_session>& sessions,
                                    std::string_view own_user, int pass);

struct sql_account {
    std::string user;
    std::string host;        // a pattern with % and _; empty is any
    bool everybody = false;  // PUBLIC: every account is meant

    std::string text() const;  // as parsed
    // Only from the server's own machine: by socket, loopback, or its own name.
    bool is_local(std::string_view server_hostname) const;
    // The session may be one of this account.
    bool may_own(const sql_session& session) const;
};
// 'user'@'host' with quotes doubled inside, or a role's bare name.
std::optional<sql_account> parse_account(std::string_view text);

// Accounts that pass read_only, without the one that we use ourselves. `listed` as
// checks::server_details has it.
std::vector<sql_account> foreign_accounts(const std::vector<std::string>& listed,
                                          std::string_view own_user);

// Clients, not yet ending, that belong to one of the accounts.
std::vector<sql_session> sessions_of(const std::vector<sql_account>& accounts,
                                     const std::vector<sql_session>& sessions,
                                     std::string_view own_user);

}  // namespace primacy::fencing
