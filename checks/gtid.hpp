// GTID algebra for both flavours: parse, print, and the one question that matters, "does this
// server hold something that the other one lacks?", with "cannot say" as an honest answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::checks {

struct mariadb_gtid {
    std::uint32_t domain = 0;
    std::uint32_t server_id = 0;
    std::uint64_t sequence = 0;
    auto operator<=>(const mariadb_gtid&) const = default;
};

// gtid_binlog_state (the last sequence number of every (domain, server_id) in the binlog) or
// gtid_slave_pos (one GTID per domain). Sorted by domain, then server_id.
class mariadb_gtid_state {
public:
    // Absent when the text is not a list of domain-server-sequence triples, or names a
    // (domain, server_id) twice. An empty text is an empty state.
    static std::optional<mariadb_gtid_state> parse(std::string_view text);
    std::string to_string() const;
    bool empty() const noexcept { return entries_.empty(); }
    const std::vector<mariadb_gtid>& entries() const noexcept { return entries_; }
    std::optional<std::uint64_t> sequence_of(std::uint32_t domain, std::uint32_t server_id) const;
    bool operator==(const mariadb_gtid_state&) const = default;

private:
    std::vector<mariadb_gtid> entries_;
};

// gtid_executed and its kin: per source uuid (and tag, MySQL 8.3+) a set of closed intervals.
class mysql_gtid_set {
public:
    struct interval {
        std::uint64_t first = 0, last = 0;
        auto operator<=>(const interval&) const = default;
    };
    // Absent when the text is no GTID set. Accepts blanks and newlines as the server prints them,
    // overlapping and unsorted intervals, upper-case uuids, and the tags of MySQL 8.3:
    // "uuid:1-5:red:1-3". An empty text is an empty set.
    static std::optional<mysql_gtid_set> parse(std::string_view text);
    // Sorted and joined; every tag is written with its uuid: "uuid:1-5,uuid:red:1-3".
    std::string to_string() const;
    bool empty() const noexcept { return sources_.empty(); }
    // Number of transactions, saturating at the largest value.
    std::uint64_t count() const noexcept;
    mysql_gtid_set minus(const mysql_gtid_set& other) const;
    mysql_gtid_set united(const mysql_gtid_set& other) const;
    bool contains(const mysql_gtid_set& other) const;
    bool operator==(const mysql_gtid_set&) const = default;

private:
    std::map<std::string, std::vector<interval>> sources_;  // key: uuid or uuid:tag, lower case
};

// What one MariaDB server holds that another lacks, told per (domain, server_id).
struct mariadb_excess {
    struct range {
        std::uint32_t domain = 0, server_id = 0;
        // Proved: the other server lacks `last`. Upper bound: it lacks first … last, for some of
        // these numbers may belong to other writers of the domain. Without gtid_strict_mode a
        // domain's numbers need not grow along the binlog; then older ones may be missing as well.
        std::uint64_t first = 0, last = 0;
        bool operator==(const range&) const = default;
    };
    std::vector<range> ranges;
    bool undecided = false;  // some (domain, server_id) could be neither proved nor excluded
    bool operator==(const mariadb_excess&) const = default;
};

// What one server says of its history.
struct mariadb_history {
    const mariadb_gtid_state* binlog_state = nullptr;  // may be null: not read
    const mariadb_gtid_state* slave_pos = nullptr;     // may be null: not read
    bool logs_replicated = true;  // log_slave_updates: its binlog_state holds what it replicated
};

// What `holder` has in its binlog that `other` has neither in its binlog nor behind its slave
// position. `holder` must have been read before `other`, or transactions that were on their way
// look missing. Per (domain, server_id) with its last sequence number s in the holder's binlog:
//   contained  the other's binlog, or its slave position, has the same server_id at s or later
//   missing    the other has logged that server_id, logs what it replicates, and did not reach s;
//              or its slave position in the domain is short of s, whoever wrote it
//   undecided  its slave position is at s or beyond by another server_id, and its binlog cannot
//              tell how it got there: it does not log what it replicates, or it has never logged
//              that server_id (a replica made from a backup starts with an empty binlog; a primary
//              that was demoted may carry its own last GTID as its slave position);
//              or something needed was not read
// The holder's own slave position does not count: what it replicated without logging it has a
// source elsewhere.
mariadb_excess excess(const mariadb_history& holder, const mariadb_history& other);

}  // namespace primacy::checks
