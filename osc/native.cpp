#include "osc/native.hpp"

#include "osc/column_type.hpp"

#include <algorithm>

namespace primacy::osc {

using checks::flavor;
using checks::server_version;

namespace {

using enum native_algorithm;

struct asking {
    const alter_request& alter;
    const table_facts& table;
    bool mariadb;
    server_version version;
    bool has_fulltext = false, has_generated = false, has_generated_key = false;

    bool since(int major, int minor, int patch = 0) const {
        return version >= server_version{major, minor, patch};
    }
    bool compressed() const { return table.row_format == "Compressed"; }
    // MariaDB calls it NOCOPY when the table itself is left alone; MySQL has no word for that.
    native_algorithm light() const { return mariadb ? nocopy : inplace; }
};

struct ability {
    native_algorithm algorithm;
    const char* reason;
    bool touches_rows = true;
    bool may_copy = true;  // MariaDB's online copy can do it
};

constexpr const char* fulltext_blocks =
    "a table with FULLTEXT or SPATIAL indexes is not rebuilt without LOCK=SHARED";
constexpr const char* generated_blocks =
    "MariaDB does not rebuild it while a generated column is in the way";
constexpr const char* too_old = "this version has no INSTANT for it";

ability rebuilt(const asking& in, const char* reason) {
    if (in.has_fulltext) return {none, fulltext_blocks};
    if (in.mariadb && in.has_generated_key) return {none, generated_blocks};
    return {inplace, reason};
}

ability of_generated_column(const asking& in, const clause& what) {
    const bool as_known = in.mariadb ? in.since(10, 4) : in.since(8, 0, 29);
    if (what.defines.stored) return {none, "a stored generated column needs every row"};
    if (!as_known || what.places_column || in.table.partitioned || what.defines.not_null ||
        what.defines.check)
        return {none, "a generated column may need every row"};
    return {instant, "a virtual column is only noted", false};
}

ability of_new_column(const asking& in, const clause& what) {
    const column_definition& column = what.defines;
    if (what.auto_increment)
        return {none, "a new AUTO_INCREMENT column needs LOCK=SHARED", true, false};
    if (column.references) return {none, "a new foreign key needs LOCK=SHARED", true, false};
    if (column.primary) return {none, "a new primary key may need LOCK=SHARED"};
    if (what.generated)
        return column.unique ? ability{none, "a generated column may need every row"}
                             : of_generated_column(in, what);
    if (column.computed_default) return {none, "a computed DEFAULT needs a value in every row"};
    if (column.check && !in.mariadb) return {none, "MySQL adds a CHECK by copying"};
    if (in.has_fulltext) return {none, fulltext_blocks};
    if (in.mariadb && (in.has_generated_key || (in.has_generated && what.places_column)))
        return {none, generated_blocks};
    if (column.unique) return {inplace, "the column brings an index along"};
    if (in.compressed()) return {inplace, "ROW_FORMAT=COMPRESSED has no INSTANT"};
    const bool as_known = in.mariadb
                              ? in.since(10, 4) || (in.since(10, 3) && !what.places_column)
                              : in.since(8, 0, 29) || (in.since(8, 0, 12) && !what.places_column);
    return as_known ? ability{instant, "a new column is only noted", false} : rebuilt(in, too_old);
}

bool is_in_key(const asking& in, const std::string& wanted, bool primary_only) {
    const column_fact* column = in.table.column(wanted);
    if (!column) return false;
    return std::any_of(in.table.keys.begin(), in.table.keys.end(), [&](const key_fact& key) {
        return (!primary_only || key.name == "PRIMARY") &&
               std::find(key.columns.begin(), key.columns.end(), column->name) != key.columns.end();
    });
}

ability of_dropped_column(const asking& in, const clause& what) {
    if (is_in_key(in, what.column, true)) return {none, "the column is part of the primary key"};
    if (is_in_key(in, what.column, false)) {
        if (in.mariadb && in.has_generated) return {none, generated_blocks};
        return rebuilt(in, "the column is part of a key");
    }
    if (in.mariadb && in.has_generated_key) return {none, generated_blocks};
    if (in.has_fulltext) return {inplace, "beside a FULLTEXT or SPATIAL index there is no INSTANT"};
    if (in.compressed()) return {inplace, "ROW_FORMAT=COMPRESSED has no INSTANT"};
    const bool as_known = in.mariadb ? in.since(10, 4) : in.since(8, 0, 29);
    return as_known ? ability{instant, "a dropped column is only noted", false}
                    : rebuilt(in, too_old);
}

// Only what needs no reading of character sets, collations and attributes, which the server alone
// compares rightly.
ability of_changed_column(const asking& in, const clause& what) {
    const column_fact* column = in.table.column(what.column);
    const bool as_known = in.mariadb ? in.since(10, 4) : in.since(8, 0, 12);
    const ability by_copy{none, "a changed type may need every row to be written anew"};
    if (!column || column->generated || !what.defines.plain || what.places_column ||
        what.defines.not_null == column->nullable || !as_known)
        return by_copy;
    if (is_same_type(what.defines.type, column->type))
        return {instant, "the same type: only the rest of the definition is noted", false};
    if (is_mere_extension(what.defines.type, column->type))
        return {in.mariadb ? instant : inplace, "a longer VARCHAR is only noted", false};
    return by_copy;
}

ability of_rename(const asking& in) {
    bool as_known = in.mariadb ? in.since(10, 4) : in.since(8, 0, 28);
    return {as_known ? instant : inplace, "a renamed column is only noted", false};
}

ability of_option(const asking& in, const clause& what) {
    if (what.metadata_only) return {in.mariadb ? instant : inplace, "it is only noted", false};
    return {none, "this option may need the table to be copied"};
}

ability of_engine(const asking& in, const clause& what) {
    const bool stays = what.engine.empty() || is_same_engine(what.engine, "InnoDB");
    return stays ? rebuilt(in, "the table is rebuilt in place")
                 : ability{none, "another engine needs a copy"};
}

// Sources: mariadb.com "InnoDB Online DDL Operations with the INSTANT Alter Algorithm" and
// dev.mysql.com "Online DDL Operations". Each row was run with the clause of algorithm_clause() on
// MariaDB 10.11.19, MariaDB 11.8.9 and MySQL 9.7.4, on tables that were plain, without keys,
// COMPRESSED, REDUNDANT, partitioned, system-versioned, with FULLTEXT, with virtual (also indexed)
// and stored columns, with CHECK, with triggers, and as child of a foreign key with and without
// CASCADE; older versions are by the documents.
ability of_clause(const asking& in, const clause& what) {
    switch (what.kind) {
        case clause_kind::add_column: return of_new_column(in, what);
        case clause_kind::drop_column: return of_dropped_column(in, what);
        case clause_kind::modify_column: return of_changed_column(in, what);
        case clause_kind::rename_column: return of_rename(in);
        case clause_kind::column_default:
            return {in.mariadb || in.since(8, 0, 12) ? instant : inplace, "a default is only noted",
                    false};
        case clause_kind::add_index:
        case clause_kind::add_unique: return {in.light(), "an index is built while writes go on"};
        case clause_kind::add_fulltext:
            return {none, "FULLTEXT, SPATIAL and VECTOR indexes need LOCK=SHARED"};
        case clause_kind::drop_index: return {in.light(), "an index is dropped in place", false};
        case clause_kind::rename_index:
            return {in.mariadb && in.since(10, 5) ? instant : inplace,
                    "a renamed index is only noted", false};
        case clause_kind::index_visibility:
            return {in.mariadb ? instant : inplace, "an index is only marked", false};
        case clause_kind::drop_foreign_key:
            return {in.light(), "a constraint is dropped in place", false};
        case clause_kind::rebuild: return of_engine(in, what);
        case clause_kind::table_option: return of_option(in, what);
        case clause_kind::convert_charset:
        case clause_kind::add_check:
        case clause_kind::add_primary:
            return {none, "it is not known to work without blocking writes"};
        default: return {none, "it is not known to work without blocking writes", true, false};
    }
}

bool is_kind(const clause& each, std::initializer_list<clause_kind> kinds) {
    return std::find(kinds.begin(), kinds.end(), each.kind) != kinds.end();
}

// What MariaDB can do one by one, it cannot always do together (seen on 10.11 and 11.8).
ability combined_on_mariadb(const asking& in, ability made) {
    auto any = [&](std::initializer_list<clause_kind> kinds) {
        return std::any_of(in.alter.clauses.begin(), in.alter.clauses.end(),
                           [&](const clause& each) { return is_kind(each, kinds); });
    };
    using enum clause_kind;
    const bool columns_move = any({add_column, drop_column});
    if (columns_move && in.has_generated && in.alter.clauses.size() > 1 && made.algorithm < none)
        return {none, generated_blocks};
    if (columns_move && any({add_index, add_unique}) && made.algorithm < inplace)
        return rebuilt(in, "columns and a new index together need a rebuild");
    if (any({table_option}) &&
        any({rename_column, rename_index, modify_column, drop_foreign_key}) &&
        made.algorithm == instant)
        return {nocopy, "a table option beside a renamed or changed one is not INSTANT", false};
    return made;
}

ability weakest(const asking& in) {
    ability made{instant, "", false};
    for (const auto& each : in.alter.clauses) {
        ability here = of_clause(in, each);
        const bool decides = here.algorithm > made.algorithm || !*made.reason;
        made = {std::max(made.algorithm, here.algorithm), decides ? here.reason : made.reason,
                made.touches_rows || here.touches_rows, made.may_copy && here.may_copy};
    }
    return in.mariadb ? combined_on_mariadb(in, made) : made;
}

// MariaDB keeps a column's history only when it may be changed.
bool breaks_history(const asking& in) {
    using enum clause_kind;
    return in.table.system_versioned &&
           std::any_of(in.alter.clauses.begin(), in.alter.clauses.end(), [](const clause& each) {
               return !is_kind(each, {rename_column, column_default, add_index, drop_index,
                                      rename_index, index_visibility, table_option});
           });
}

bool may_copy_online(const asking& in) {
    return in.mariadb && in.since(11, 2) && in.table.foreign_keys.empty() &&
           in.table.referenced_by.empty();
}

}  // namespace

std::string_view to_string(native_algorithm which) noexcept {
    switch (which) {
        case instant: return "INSTANT";
        case nocopy: return "NOCOPY";
        case inplace: return "INPLACE";
        case online_copy: return "online COPY";
        case none: return "none";
    }
    return "none";
}

std::string_view algorithm_clause(native_algorithm which, flavor kind) noexcept {
    switch (which) {
        // MySQL takes no LOCK beside INSTANT but DEFAULT.
        case instant:
            return kind == flavor::mysql ? ", ALGORITHM=INSTANT" : ", ALGORITHM=INSTANT, LOCK=NONE";
        case nocopy: return ", ALGORITHM=NOCOPY, LOCK=NONE";
        case inplace: return ", ALGORITHM=INPLACE, LOCK=NONE";
        case online_copy: return ", ALGORITHM=COPY, LOCK=NONE";
        case none: return "";
    }
    return "";
}

native_ability native_ability_of(const alter_request& alter, const table_facts& table, flavor kind,
                                 server_version version) {
    if (!is_same_engine(table.engine, "InnoDB"))
        return {none, "the engine " + table.engine + " has no online ALTER", true, true};
    asking in{alter, table, kind == flavor::mariadb, version};
    for (const auto& key : table.keys)
        in.has_fulltext |= key.fulltext;
    for (const auto& column : table.columns) {
        in.has_generated |= column.generated;
        in.has_generated_key |= column.generated && is_in_key(in, column.name, false);
    }
    if (breaks_history(in))
        return {none,
                "a system-versioned table takes this only with system_versioning_alter_history = "
                "KEEP",
                true, true};
    ability found = weakest(in);
    native_ability made{found.algorithm, found.reason, found.touches_rows, false};
    if (made.algorithm == none && found.may_copy && may_copy_online(in)) {
        made.algorithm = online_copy;
        made.reason += "; MariaDB 11.2 and later copies while writes go on";
    }
    made.replicas_lag = made.touches_rows;
    return made;
}

}  // namespace primacy::osc
