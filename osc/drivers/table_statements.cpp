#include "osc/drivers/table_statements.hpp"

#include <algorithm>
#include <cctype>

namespace primacy::osc {

using checks::flavor;
using checks::server_version;

namespace {

// Earlier tables of one table are few; more than this is somebody's pattern of names.
constexpr std::string_view most_objects = " LIMIT 1000";
// As long as lock names may be (MySQL refuses longer ones).
constexpr std::size_t longest_lock = 64;

// For LIKE … ESCAPE '|': the text itself.
std::string like_text(std::string_view text) {
    std::string made;
    for (char c : text) {
        if (c == '_' || c == '%' || c == '|') made += '|';
        made += c;
    }
    return made;
}

// MariaDB's InnoDB writes what is not plain as @ and some letters, MySQL as it is.
std::string like_encoded(std::string_view text) {
    std::string made;
    for (char c : text) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (plain || c == '_')
            made += c == '_' ? "|_" : std::string(1, c);
        else if (!made.ends_with('%') || made.ends_with("|%"))
            made += '%';
    }
    return made;
}

std::string of_table(std::string_view schema_column, std::string_view table_column,
                     const table_name& table) {
    return std::string(schema_column) + " = " + literal(table.database) + " AND " +
           std::string(table_column) + " = " + literal(table.table);
}

// "_orders_" and 14 digits and "_del": what is_gh_ost_timestamped_old() knows.
std::string timestamped_old_pattern(std::string_view table) {
    constexpr std::size_t ending = 1 + 14 + 4, prefix = 1;
    std::string made = like_text(
        "_" + std::string(cut_to_characters(table, longest_identifier - prefix - ending)));
    return made + "|_" + std::string(14, '_') + "|_del";
}

std::vector<std::string> names_beside(const table_name& table) {
    const gh_ost_names ghost = gh_ost_names_of(table.table);
    const pt_osc_names percona = pt_osc_names_of(table);
    std::vector<std::string> made = {table.table, ghost.ghost, ghost.changelog, ghost.checkpoint,
                                     ghost.old};
    made.insert(made.end(), percona.copies.begin(), percona.copies.end());
    made.insert(made.end(), percona.olds.begin(), percona.olds.end());
    return made;
}

}  // namespace

std::vector<std::string> session_statements(flavor kind, server_version version,
                                            std::chrono::milliseconds longest) {
    const std::string whole_seconds =
        std::to_string(std::max<std::int64_t>(1, longest.count() / 1000));
    std::vector<std::string> made = {"SET NAMES utf8mb4"};
    if (kind == flavor::mariadb)
        made.push_back("SET SESSION max_statement_time = " + whole_seconds +
                       ", SESSION lock_wait_timeout = 2");
    else
        made.push_back("SET SESSION max_execution_time = " + std::to_string(longest.count()) +
                       ", SESSION lock_wait_timeout = 2");
    // Estimates that are not a day old; and the server writes none of them down.
    if (kind == flavor::mysql && version >= server_version{8, 0, 0})
        made.push_back("SET SESSION information_schema_stats_expiry = 0");
    made.push_back("SET SESSION TRANSACTION READ ONLY");
    return made;
}

std::string_view variables_statement() noexcept {
    return "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('binlog_expire_logs_auto_purge', "
           "'binlog_expire_logs_seconds', 'binlog_format', 'binlog_row_image', 'datadir', "
           "'expire_logs_days', 'gtid_strict_mode', 'hostname', 'log_bin', 'log_bin_compress', "
           "'log_bin_trust_function_creators', 'log_replica_updates', 'log_slave_updates', "
           "'max_binlog_total_size', 'performance_schema', 'wsrep_on')";
}

std::string objects_statement(const table_name& table) {
    std::string names;
    for (const auto& each : names_beside(table))
        names += (names.empty() ? "" : ", ") + literal(each);
    return "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, ROW_FORMAT, TABLE_ROWS, DATA_LENGTH, "
           "INDEX_LENGTH, CREATE_OPTIONS, TABLE_COMMENT, UNIX_TIMESTAMP(CREATE_TIME) AS CREATED "
           "FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
           literal(table.database) + " AND (TABLE_NAME IN (" + names + ") OR TABLE_NAME LIKE " +
           literal(timestamped_old_pattern(table.table)) + " ESCAPE '|')" +
           std::string(most_objects);
}

std::string triggers_statement(const table_name& table) {
    return "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, UNIX_TIMESTAMP(CREATED) AS CREATED "
           "FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = " +
           literal(table.database) + " AND " +
           of_table("EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE", table) + std::string(most_objects);
}

std::string columns_statement(const table_name& table) {
    return "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, GENERATION_EXPRESSION "
           "FROM information_schema.COLUMNS WHERE " +
           of_table("TABLE_SCHEMA", "TABLE_NAME", table) + " ORDER BY ORDINAL_POSITION";
}

std::string keys_statement(const table_name& table) {
    return "SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, NULLABLE, INDEX_TYPE "
           "FROM information_schema.STATISTICS WHERE " +
           of_table("TABLE_SCHEMA", "TABLE_NAME", table) + " ORDER BY INDEX_NAME, SEQ_IN_INDEX";
}

std::string foreign_keys_statement(const table_name& table, flavor kind) {
    const std::string pattern =
        literal(like_encoded(table.database) + "/" + like_encoded(table.table)) + " ESCAPE '|'";
    return "SELECT ID, FOR_NAME, FOR_NAME LIKE " + pattern + " AS OWN, REF_NAME LIKE " + pattern +
           " AS REFERS FROM information_schema." +
           (kind == flavor::mariadb ? "INNODB_SYS_FOREIGN" : "INNODB_FOREIGN") +
           " WHERE FOR_NAME LIKE " + pattern + " OR REF_NAME LIKE " + pattern +
           std::string(most_objects);
}

std::string create_statement(const table_name& table) {
    return "SHOW CREATE TABLE " + quoted(table);
}

// The words are put together by the server, so that nobody who asks finds this very question.
std::string_view sessions_statement() noexcept {
    return "SELECT USER, HOST, DB, LEFT(INFO, 4000) AS INFO FROM information_schema.PROCESSLIST "
           "WHERE (INFO LIKE CONCAT('%gh-', 'ost%') OR INFO LIKE CONCAT('%pt-online-', "
           "'schema-change%')) AND ID <> CONNECTION_ID() LIMIT 200";
}

std::string gh_ost_lock_statement(const table_name& table) {
    const std::string name = "gh-ost::" + table.database + "." + table.table;
    if (character_count(name) > longest_lock) return "";
    return "SELECT IS_USED_LOCK(" + literal(name) + ") AS SESSION";
}

std::string heartbeat_statement(const std::string& database, const std::string& changelog) {
    return "SELECT TIMESTAMPDIFF(SECOND, MAX(last_update), NOW()) AS AGE FROM " +
           quoted(table_name{database, changelog});
}

std::string_view instrument_statement() noexcept {
    return "SELECT ENABLED FROM performance_schema.setup_instruments WHERE NAME = "
           "'wait/lock/metadata/sql/mdl'";
}

std::string_view disks_statement() noexcept {
    return "SELECT Path, Available FROM information_schema.DISKS LIMIT 1000";
}

std::string keep_alter_statement(const table_name& table, std::string_view clauses) {
    return "SET @primacy_alter = " +
           literal("ALTER TABLE " + quoted(table) + " " + std::string(clauses));
}

}  // namespace primacy::osc
