// What would happen to the table's rows.
#include "checks/words.hpp"
#include "osc/column_type.hpp"
#include "osc/plan_rules.hpp"

#include <algorithm>

namespace primacy::osc {

namespace words = checks::words;

namespace {

bool same_name(std::string_view one, std::string_view other) {
    return is_same_engine(one, other);
}

bool drops_key(const clause& each, const key_fact& key) {
    bool by_name = each.kind == clause_kind::drop_index || each.kind == clause_kind::drop_primary ||
                   each.kind == clause_kind::drop_check;
    return by_name && same_name(each.key, key.name);
}

bool moves_column_of(const clause& each, const key_fact& key) {
    bool moves = each.kind == clause_kind::drop_column || !each.new_column.empty();
    return moves && std::any_of(key.columns.begin(), key.columns.end(),
                                [&](const auto& column) { return same_name(column, each.column); });
}

bool has_text_in_unique_key(const table_facts& table, const std::string* only) {
    for (const auto& key : table.keys)
        for (const auto& name : key.columns) {
            const column_fact* column = table.column(name);
            if (key.unique && column && is_text(column->type) && (!only || same_name(name, *only)))
                return true;
        }
    return false;
}

// Why rows may not survive the change of this column as they are; empty: they do.
std::string why_column_loses(const table_facts& table, const clause& each) {
    const column_fact* column = table.column(each.column);
    if (!column || each.generated) return "";
    const std::string name = quoted(each.column);
    if (each.defines.not_null && column->nullable)
        return name + " may hold NULL now, which becomes the type's zero value";
    if (!holds_every_value(each.defines.type, column->type))
        return "not every " + column->type + " of " + name + " is known to fit into " +
               (each.defines.type.empty() ? "the new type" : each.defines.type) +
               ", and what does not fit is cut";
    if (each.defines.says_charset && is_text(column->type))
        return "the values of " + name + " are converted to another character set or collation";
    return "";
}

bool says_utf8mb4(std::string_view text) {
    constexpr std::string_view wanted = "utf8mb4";
    for (std::size_t i = 0; i + wanted.size() <= text.size(); ++i)
        if (same_name(text.substr(i, wanted.size()), wanted)) return true;
    return false;
}

void judge_changed_columns(const planning& in) {
    const table_facts& table = in.known.table;
    for (const auto& each : in.made.alter.clauses) {
        std::string why;
        if (each.kind == clause_kind::modify_column) why = why_column_loses(table, each);
        if (each.kind == clause_kind::convert_charset &&
            (!says_utf8mb4(each.text) || has_text_in_unique_key(table, nullptr)))
            why =
                "characters that the new character set lacks, and keys that are equal in the new "
                "collation, are lost";
        if (!why.empty())
            in.refuse("lossy_conversion",
                      "the tool copies with INSERT IGNORE: " + why +
                          ", without an error; make sure that it cannot happen");
        const column_fact* column = table.column(each.column);
        if (each.kind == clause_kind::modify_column && column && !column->nullable &&
            !each.defines.not_null && !each.defines.primary && !each.generated)
            in.warn("null_allowed",
                    quoted(each.column) + " is NOT NULL and its new definition does not say so");
    }
}

void judge_new_columns(const planning& in) {
    for (const auto& each : in.made.alter.clauses) {
        if (!each.new_column.empty())
            in.refuse("rename_column", "renaming " + quoted(each.column) + " to " +
                                           quoted(each.new_column) +
                                           " by a copy depends on the tool's reading of the ALTER; "
                                           "a native ALTER renames at once");
        if (each.not_null_no_default && each.kind == clause_kind::add_column)
            in.warn("not_null_no_default",
                    quoted(each.column) +
                        " is NOT NULL without DEFAULT: old rows get the type's "
                        "zero value");
    }
}

// What the new table checks and the old one did not: a copy drops the rows that do not pass.
void judge_new_constraints(const planning& in) {
    bool unique = false, check = false, foreign = false;
    for (const auto& each : in.made.alter.clauses) {
        unique |= (each.adds_unique() || each.adds_primary()) && !each.auto_increment;
        check |= each.adds_check();
        foreign |= each.adds_foreign_key();
    }
    if (unique)
        in.refuse("new_unique_key",
                  "a new UNIQUE or PRIMARY key on a copy silently drops rows that are equal in it; "
                  "make sure that there are none");
    if (check)
        in.refuse("new_check",
                  "a new CHECK on a copy silently drops rows that do not pass it; make sure that "
                  "there are none");
    if (foreign)
        in.refuse(
            "foreign_keys",
            "a new foreign key on a copy silently drops rows without a parent; make sure that "
            "there are none");
}

void judge_engine(const planning& in) {
    for (const auto& each : in.made.alter.clauses)
        if (!each.engine.empty() && !is_same_engine(each.engine, "InnoDB"))
            in.refuse("engine", "the table would leave InnoDB for " + each.engine +
                                    ": writes are not safe while it is copied, or not kept at all");
}

}  // namespace

const key_fact* lasting_row_identity(const table_facts& table, const alter_request& alter) {
    for (const auto& key : table.keys) {
        bool goes = std::any_of(
            alter.clauses.begin(), alter.clauses.end(),
            [&](const clause& each) { return drops_key(each, key) || moves_column_of(each, key); });
        if (key.unique && !key.nullable && !goes) return &key;
    }
    return nullptr;
}

void judge_table(const planning& in) {
    const table_facts& table = in.known.table;
    judge_engine(in);
    if (!in.copies()) return;
    if (table.system_versioned)
        in.refuse("system_versioned", readable(table.name) + " is system-versioned: a copy by " +
                                          std::string(to_string(*in.made.chosen)) +
                                          " keeps the current rows and silently loses all history");
    if (!table.triggers.empty())
        in.refuse("triggers", readable(table.name) + " has triggers (" +
                                  words::list(table.triggers) +
                                  "); the tool would have to carry them over");
    if (!(table.foreign_keys.empty() && table.referenced_by.empty())) {
        std::vector<std::string> all = table.foreign_keys;
        all.insert(all.end(), table.referenced_by.begin(), table.referenced_by.end());
        in.refuse("foreign_keys", readable(table.name) + " has foreign keys (" + words::list(all) +
                                      "), which a copied table has to be given anew");
    }
    judge_new_constraints(in);
    judge_changed_columns(in);
    judge_new_columns(in);
}

}  // namespace primacy::osc
