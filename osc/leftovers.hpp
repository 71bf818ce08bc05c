// What schema changes leave behind, told apart by name and comment, and the only safe order to
// remove it. Never guesses: what might be somebody's data is kept, and says so. Pure.
#pragma once

#include "osc/facts.hpp"
#include "osc/identifier.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

enum class leftover_kind {
    trigger,     // of pt-online-schema-change; while it stands, dropping the copy breaks each write
    copy,        // _t_gho or _t_new: an unfinished copy of the rows
    changelog,   // _t_ghc
    checkpoint,  // _t_ghk: by which gh-ost could go on
    sentry,      // an empty _t_del that gh-ost holds the name with
    old_data,    // the original table, after the swap: the only way back
    foreign      // the name fits, and the object does not look like a tool's
};
std::string_view to_string(leftover_kind kind) noexcept;

// A table or trigger as the server lists it.
struct listed_object {
    std::string server;
    std::string database;
    std::string name;
    bool is_trigger = false;
    std::string on_table;               // of a trigger
    std::string comment;                // of a table
    std::optional<std::uint64_t> rows;  // an estimate
    // CREATE_TIME; a swap leaves it as it is, so it says nothing of when a table was swapped away.
    std::optional<checks::wall_time> created_at;
};

struct leftover {
    listed_object what;
    leftover_kind kind = leftover_kind::foreign;
};

// Those among the objects that belong to a schema change of this table, in the order in which they
// may be dropped; others are left out.
std::vector<leftover> leftovers_of(const table_name& table,
                                   const std::vector<listed_object>& objects);

// A job on this table that is on record: what was created while it ran is a tool's.
struct job_trace {
    checks::wall_time started_at{}, ended_at{};  // zero: not over
};

struct cleanup_policy {
    bool drop_old_data = false;           // a person's permit
    std::chrono::hours keep_old{24 * 7};  // after its job, whatever the permit
    std::string tool_at_work;             // a session or process of a tool; then nothing is dropped
    std::vector<job_trace> jobs;
    // Tables that a person named to be dropped, because nothing shows whose they are. Not for what
    // may be original data.
    std::vector<std::string> named;
};

struct cleanup_line {
    leftover what;
    bool drop = false;
    std::string why;        // it is dropped, or kept
    std::string statement;  // that drops it; when one fails, the rest of its server is left alone
};

std::vector<cleanup_line> plan_cleanup(const std::vector<leftover>& found,
                                       const cleanup_policy& policy, checks::wall_time now);

// "trigger `x` on db1", for a job's record.
std::string describe(const leftover& what);

}  // namespace primacy::osc
