// The statements that planning sends: each of them only reads, whatever the names are that stand in
// it. Knows nothing of connections or answers.
#pragma once

#include "checks/server_facts.hpp"
#include "osc/identifier.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

// Bounds what the session may cost, and makes the server refuse whatever is no read. Each is sent
// by itself.
std::vector<std::string> session_statements(checks::flavor kind, checks::server_version version,
                                            std::chrono::milliseconds longest);

std::string_view variables_statement() noexcept;
// The table itself and every name that an earlier change of it may have left; never all tables.
std::string objects_statement(const table_name& table);
std::string triggers_statement(const table_name& table);
std::string columns_statement(const table_name& table);
std::string keys_statement(const table_name& table);
// Both ways. Needs PROCESS; asks InnoDB's dictionary, so that no privilege on the other tables is
// needed. A name that is not plain is asked for by a pattern and may find a few too many.
std::string foreign_keys_statement(const table_name& table, checks::flavor kind);
std::string create_statement(const table_name& table);
// Sessions that a schema-change tool may be behind. Without PROCESS only our own are shown.
std::string_view sessions_statement() noexcept;
// gh-ost 1.1.10 and later hold it; empty when no server has locks of so long a name.
std::string gh_ost_lock_statement(const table_name& table);
// Seconds since the newest sign of life in gh-ost's own table.
std::string heartbeat_statement(const std::string& database, const std::string& changelog);
std::string_view instrument_statement() noexcept;
std::string_view disks_statement() noexcept;
// Puts the ALTER into a variable of the session; PREPARE then reads it without touching the table.
std::string keep_alter_statement(const table_name& table, std::string_view clauses);
inline constexpr std::string_view prepare_statement = "PREPARE primacy_check FROM @primacy_alter";
inline constexpr std::string_view forget_statement = "DEALLOCATE PREPARE primacy_check";

}  // namespace primacy::osc
