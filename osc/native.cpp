#include "osc/native.hpp"

#include <algorithm>

namespace primacy::osc {

using checks::flavor;
using checks::server_version;

namespace {

struct asking {
    const table_facts& table;
    bool mariadb;
    server_version version;

    bool since(int major, int minor, int patch = 0) const {
        return version >= server_version{major, minor, patch};
    }
};

struct ability {
    native_algorithm algorithm;
    const char* reason;
};

// Sources: mariadb.com "InnoDB Online DDL Operations with the INSTANT Alter Algorithm" and
// dev.mysql.com "Online DDL Operations"; each row is run against real servers by
// tests/integration/test_osc_native.py.
ability of_new_column(const asking& in, const clause& what) {
    const bool compressed = in.table.row_format == "Compressed";
    if (what.auto_increment)
        return {native_algorithm::none, "a new AUTO_INCREMENT column needs LOCK=SHARED"};
    if (what.generated) return {native_algorithm::none, "a generated column may need every row"};
    if (compressed) return {native_algorithm::inplace, "ROW_FORMAT=COMPRESSED has no INSTANT"};
    if (in.mariadb)
        return in.since(10, 4) || (in.since(10, 3) && !what.places_column)
                   ? ability{native_algorithm::instant, "a new column is only noted"}
                   : ability{native_algorithm::inplace, "this version has no INSTANT for it"};
    return in.since(8, 0, 29) || (in.since(8, 0, 12) && !what.places_column)
               ? ability{native_algorithm::instant, "a new column is only noted"}
               : ability{native_algorithm::inplace, "this version has no INSTANT for it"};
}

ability of_dropped_column(const asking& in, const clause& what) {
    for (const auto& key : in.table.keys)
        for (const auto& column : key.columns)
            if (in.table.column(what.column) && column == in.table.column(what.column)->name)
                return {native_algorithm::inplace, "the column is part of a key"};
    if (in.table.row_format == "Compressed")
        return {native_algorithm::inplace, "ROW_FORMAT=COMPRESSED has no INSTANT"};
    bool instant = in.mariadb ? in.since(10, 4) : in.since(8, 0, 29);
    return instant ? ability{native_algorithm::instant, "a dropped column is only noted"}
                   : ability{native_algorithm::inplace, "this version has no INSTANT for it"};
}

ability of_changed_column(const asking&, const clause&) {
    // Whether a new definition is a mere extension depends on character sets, defaults and
    // attributes that only the server compares rightly.
    return {native_algorithm::none, "a changed type may need every row to be written anew"};
}

ability of_rename(const asking& in) {
    bool instant = in.mariadb ? in.since(10, 4) : in.since(8, 0, 28);
    return {instant ? native_algorithm::instant : native_algorithm::inplace,
            "a renamed column is only noted"};
}

ability of_index(const asking& in, const clause& what) {
    if (what.kind == clause_kind::add_fulltext)
        return {native_algorithm::none, "FULLTEXT and SPATIAL indexes need LOCK=SHARED"};
    if (what.kind == clause_kind::add_unique && in.table.partitioned && !in.mariadb)
        return {native_algorithm::inplace, "an index is built while writes go on"};
    return {in.mariadb ? native_algorithm::nocopy : native_algorithm::inplace,
            "an index is built while writes go on"};
}

ability of_clause(const asking& in, const clause& what) {
    const native_algorithm light =
        in.mariadb ? native_algorithm::nocopy : native_algorithm::inplace;
    switch (what.kind) {
        case clause_kind::add_column: return of_new_column(in, what);
        case clause_kind::drop_column: return of_dropped_column(in, what);
        case clause_kind::modify_column: return of_changed_column(in, what);
        case clause_kind::rename_column: return of_rename(in);
        case clause_kind::column_default:
            return {in.mariadb || in.since(8, 0, 12) ? native_algorithm::instant
                                                     : native_algorithm::inplace,
                    "a default is only noted"};
        case clause_kind::add_index:
        case clause_kind::add_unique:
        case clause_kind::add_fulltext: return of_index(in, what);
        case clause_kind::drop_index: return {light, "an index is dropped in place"};
        case clause_kind::rename_index:
            return {in.mariadb ? native_algorithm::instant : native_algorithm::inplace,
                    "a renamed index is only noted"};
        case clause_kind::rebuild:
            return in.table.engine == "InnoDB" && (what.text.find("InnoDB") != std::string::npos ||
                                                   what.text.find("FORCE") != std::string::npos)
                       ? ability{native_algorithm::inplace, "the table is rebuilt in place"}
                       : ability{native_algorithm::none, "another engine needs a copy"};
        case clause_kind::drop_foreign_key: return {light, "a constraint is dropped in place"};
        default: return {native_algorithm::none, "it is not known to work without blocking writes"};
    }
}

}  // namespace

std::string_view to_string(native_algorithm which) noexcept {
    switch (which) {
        case native_algorithm::instant: return "INSTANT";
        case native_algorithm::nocopy: return "NOCOPY";
        case native_algorithm::inplace: return "INPLACE";
        case native_algorithm::online_copy: return "online COPY";
        case native_algorithm::none: return "none";
    }
    return "none";
}

std::string_view algorithm_clause(native_algorithm which, flavor kind) noexcept {
    switch (which) {
        // MySQL takes no LOCK beside INSTANT but DEFAULT.
        case native_algorithm::instant:
            return kind == flavor::mysql ? ", ALGORITHM=INSTANT" : ", ALGORITHM=INSTANT, LOCK=NONE";
        case native_algorithm::nocopy: return ", ALGORITHM=NOCOPY, LOCK=NONE";
        case native_algorithm::inplace: return ", ALGORITHM=INPLACE, LOCK=NONE";
        case native_algorithm::online_copy: return ", ALGORITHM=COPY, LOCK=NONE";
        case native_algorithm::none: return "";
    }
    return "";
}

native_ability native_ability_of(const alter_request& alter, const table_facts& table, flavor kind,
                                 server_version version) {
    native_ability made{native_algorithm::instant, "", false};
    if (table.engine != "InnoDB")
        return {native_algorithm::none, "the engine " + table.engine + " has no online ALTER",
                true};
    asking in{table, kind == flavor::mariadb, version};
    for (const auto& each : alter.clauses) {
        ability here = of_clause(in, each);
        if (here.algorithm > made.algorithm || made.reason.empty()) {
            made.algorithm = std::max(made.algorithm, here.algorithm);
            made.reason = here.reason;
        }
    }
    if (made.algorithm == native_algorithm::none && in.mariadb && in.since(11, 2) &&
        table.foreign_keys.empty() && table.referenced_by.empty()) {
        made.algorithm = native_algorithm::online_copy;
        made.reason += "; MariaDB 11.2 and later copies while writes go on";
    }
    made.replicas_lag = made.algorithm != native_algorithm::instant;
    return made;
}

}  // namespace primacy::osc
