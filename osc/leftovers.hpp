// What schema changes leave behind, told apart by name and comment, in the only safe order to
// remove it. Whether it may be removed is another matter: see cleanup.hpp. Pure.
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
    // CREATE_TIME, or CREATED of a trigger; a swap leaves it as it is, so it says nothing of when a
    // table was swapped away.
    std::optional<checks::wall_time> created_at;
};

// Between a server's clock, which also leaves out the parts of a second, and ours.
inline constexpr std::chrono::minutes clock_slack{1};

struct leftover {
    listed_object what;
    leftover_kind kind = leftover_kind::foreign;
};

// Those among the objects that belong to a schema change of this table, in the order in which they
// may be dropped; others are left out.
std::vector<leftover> leftovers_of(const table_name& table,
                                   const std::vector<listed_object>& objects);

// "trigger `x` on db1", for a job's record.
std::string describe(const leftover& what);

}  // namespace primacy::osc
