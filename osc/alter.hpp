// What a person wrote as ALTER: taken apart into clauses, each told by its kind, so that a plan can
// say what it would do to the table. No full parser: what is not understood is `other`, and the
// server has the last word on the syntax. Pure.
#pragma once

#include "osc/identifier.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

enum class clause_kind {
    add_column,
    drop_column,
    modify_column,  // also CHANGE, whose old and new name stand in `column` and `new_column`
    rename_column,
    column_default,  // ALTER COLUMN … SET/DROP DEFAULT
    add_index,
    add_unique,
    add_primary,
    add_fulltext,  // FULLTEXT and SPATIAL: they need locks that others do not
    drop_index,
    drop_primary,
    rename_index,
    add_foreign_key,
    drop_foreign_key,
    add_check,
    drop_check,         // also DROP CONSTRAINT, which may mean any of them
    table_option,       // COMMENT, AUTO_INCREMENT, ROW_FORMAT …
    rebuild,            // ENGINE=, FORCE: the same table written anew
    convert_charset,    // of every column
    partitioning,       // anything about partitions
    system_versioning,  // ADD/DROP SYSTEM VERSIONING, PERIOD FOR
    rename_table,
    algorithm_or_lock,  // ALGORITHM=, LOCK=: the plan's to choose
    other
};

struct clause {
    clause_kind kind = clause_kind::other;
    std::string text;
    std::string column;                // the one that it is about, unquoted; empty: none or several
    std::string new_column;            // after a rename; empty otherwise
    bool places_column = false;        // FIRST or AFTER
    bool not_null_no_default = false;  // a new column that needs a value in old rows
    bool generated = false;            // a column AS (…)
    bool auto_increment = false;
};

struct alter_request {
    std::string problem;              // why it can't be used, one sentence; empty: it can
    std::optional<table_name> named;  // by "ALTER TABLE …" in front; database empty if not written
    std::string clauses_text;         // without "ALTER TABLE name" and without a final ';'
    std::vector<clause> clauses;

    bool has(clause_kind kind) const;
};

// "ADD COLUMN a INT", or the whole "ALTER TABLE shop.orders ADD COLUMN a INT;".
alter_request parse_alter(std::string_view text);

}  // namespace primacy::osc
