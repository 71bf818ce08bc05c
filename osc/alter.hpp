// What a person wrote as ALTER: taken apart into clauses, each told by its kind, so that a plan can
// say what it would do to the table. No full parser: the server has the last word on the syntax.
// But whatever could reach another table, throw data away, or be read differently by somebody else
// is refused here. Pure.
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
    add_fulltext,  // FULLTEXT, SPATIAL and VECTOR: they need locks that others do not
    drop_index,
    drop_primary,
    rename_index,
    index_visibility,  // ALTER INDEX … VISIBLE, INVISIBLE, IGNORED
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
    other               // ORDER BY, ALTER CONSTRAINT … NOT ENFORCED
};

// What a column's definition says besides its name.
struct column_definition {
    std::string type;               // "VARCHAR(20)", "int unsigned", as it was written
    bool not_null = false;          // said so
    bool says_charset = false;      // CHARACTER SET, COLLATE …
    bool auto_increment = false;    //
    bool generated = false;         // a column AS (…)
    bool stored = false;            // and its values are kept
    bool has_default = false;       //
    bool computed_default = false;  // by an expression or a function other than NOW()
    bool unique = false;            // brings a key along
    bool primary = false;           //
    bool references = false;        // brings a foreign key along
    bool check = false;             // brings a constraint along
    bool plain = false;  // only type, NULL, a literal DEFAULT and COMMENT; and FIRST or AFTER
};

struct clause {
    clause_kind kind = clause_kind::other;
    std::string text;                  // comments gone, each gap one blank
    std::string column;                // the one that it is about, unquoted; empty: none
    std::string new_column;            // after a rename; empty otherwise
    std::string key;                   // the index or constraint that it drops or renames
    std::string engine;                // of ENGINE=
    bool places_column = false;        // FIRST or AFTER
    bool not_null_no_default = false;  // a new column that needs a value in old rows
    bool generated = false;            // a column AS (…)
    bool auto_increment = false;
    bool conditional = false;    // IF EXISTS, IF NOT EXISTS
    bool metadata_only = false;  // a table option that no row depends on
    column_definition defines;   // of add_column, modify_column and what else defines a column

    // What it adds, alone or with a column.
    bool adds_unique() const { return kind == clause_kind::add_unique || defines.unique; }
    bool adds_primary() const { return kind == clause_kind::add_primary || defines.primary; }
    bool adds_foreign_key() const {
        return kind == clause_kind::add_foreign_key || defines.references;
    }
    bool adds_check() const { return kind == clause_kind::add_check || defines.check; }
};

// A quoted piece of the ALTER: '…', "…" or `…`.
struct quoted_piece {
    char quote = '\'';
    std::string text;  // as it was written, without the quotes around it
};

struct alter_request {
    std::string problem;              // why it can't be used, one sentence; empty: it can
    std::optional<table_name> named;  // by "ALTER TABLE …" in front; database empty if not written
    // Without "ALTER TABLE name", comments and a final ';'; what is given to a tool or a server.
    std::string clauses_text;
    std::vector<clause> clauses;
    std::vector<quoted_piece> quotes;

    bool has(clause_kind kind) const;
};

// "ADD COLUMN a INT", or the whole "ALTER TABLE shop.orders ADD COLUMN a INT;".
alter_request parse_alter(std::string_view text);

}  // namespace primacy::osc
