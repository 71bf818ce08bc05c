// What has to be known before a schema change is planned: the table, the servers of its topology,
// the tools, and what else is going on. Plain values; every fact that could not be read is absent,
// and absence means "unknown", never "no". Pure.
#pragma once

#include "checks/server_facts.hpp"
#include "osc/identifier.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace primacy::osc {

struct column_fact {
    std::string name;
    std::string type;  // "varchar(20)", as the server writes it
    bool nullable = false;
    bool generated = false;
};

struct key_fact {
    std::string name;  // "PRIMARY" or its own
    bool unique = false;
    bool nullable = false;  // some column of it may be NULL: no row identity
    bool fulltext = false;  // FULLTEXT or SPATIAL
    std::vector<std::string> columns;
};

struct table_facts {
    table_name name;
    bool exists = false;
    bool is_view = false;
    bool system_versioned = false;
    bool partitioned = false;
    std::string engine;
    std::string row_format;
    std::optional<std::uint64_t> rows;  // an estimate, as servers keep it
    std::optional<std::uint64_t> data_bytes, index_bytes;
    std::vector<column_fact> columns;
    std::vector<key_fact> keys;
    std::vector<std::string> triggers;       // names
    std::vector<std::string> foreign_keys;   // of this table
    std::vector<std::string> referenced_by;  // foreign keys of others that point here
    std::optional<std::string> create_statement;
    // What could not be read of it, a sentence each that says what mends it. While there is any,
    // nothing above proves that something is absent.
    std::vector<std::string> unread;
    // Of the files; a swapped or rebuilt table is younger than the statement that made it.
    std::optional<checks::wall_time> created_at;

    const column_fact* column(std::string_view name) const;
    // A key that identifies every row: unique, and without NULL.
    const key_fact* row_identity() const;
};

// "InnoDB" and "innodb": engines are told apart without letter case.
bool is_same_engine(std::string_view one, std::string_view other) noexcept;

// One server of the topology, as far as a schema change is concerned.
struct server_side {
    std::string name;  // as configured
    bool is_writer = false;
    std::optional<std::string> unreadable;  // why nothing below is known
    checks::flavor kind = checks::flavor::mariadb;
    checks::server_version version;
    std::string host;
    std::uint16_t port = 0;
    std::optional<bool> log_bin, log_slave_updates, log_bin_compress, gtid_strict_mode;
    std::optional<bool> performance_schema;
    std::optional<bool> metadata_lock_instrument;  // gh-ost 1.1.8 and later want it on
    std::optional<bool> galera;
    std::string binlog_format, binlog_row_image;  // empty: unknown
    // How long binary logs are kept; absent also when they are kept for ever (see the flag).
    std::optional<std::chrono::seconds> binlog_kept;
    bool binlog_kept_for_ever = false;
    std::optional<std::uint64_t> disk_free_bytes;  // of the file system of its data directory
    bool has_table = true;
    std::optional<double> lag_seconds;  // of a replica
    // What could not be read here, a sentence each that says what mends it.
    std::vector<std::string> unread;
};

// A table or trigger of an earlier run, on one server.
struct found_object {
    std::string server;
    std::string name;
    bool is_trigger = false;
    std::string comment;       // TABLE_COMMENT
    bool is_old_data = false;  // the original of an earlier change; it is in nobody's way
};

enum class tool { native, gh_ost, pt_osc };
std::string_view to_string(tool which) noexcept;  // "native", "gh-ost", "pt-osc"

struct tool_version {
    int major = 0, minor = 0, patch = 0;
    auto operator<=>(const tool_version&) const = default;
};

struct tool_facts {
    std::string path;     // as it would be started; empty: not found
    std::string problem;  // why it can't be used; empty: it can
    std::string version_text;
    std::optional<tool_version> version;
    // gh-ost built from a source that knows MariaDB (after 2026-07-31; its version says nothing).
    bool knows_mariadb = false;
    // What the account lacks for it, each as the statement that mends it.
    std::vector<std::string> missing_grants;
};

struct environment {
    std::string topology;
    std::string writer;        // the only writable primary; empty: none, several or not known
    bool split_brain = false;  // suspected or confirmed
    std::string writer_unknown_because;
    bool maintenance = false;
    std::vector<std::string> jobs_on_table;     // ids of jobs that are not over
    std::vector<std::string> jobs_on_topology;  // the same, copying
    std::vector<found_object> leftovers;
    std::vector<std::string> tools_at_work;  // sessions of gh-ost or pt-osc on this table
};

struct facts {
    table_facts table;
    std::vector<server_side> servers;
    tool_facts gh_ost, pt_osc;
    std::vector<std::string> native_missing_grants;  // as in tool_facts
    environment around;
    std::string syntax_error;  // the writer's own words on the ALTER; empty: it can read it

    const server_side* writer() const;
};

}  // namespace primacy::osc
