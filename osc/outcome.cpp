#include "osc/outcome.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

constexpr std::string_view auto_increment = " AUTO_INCREMENT=";

// False when what one clause names is not as it asked; true also when nothing can be seen of it.
bool holds(const clause& what, const table_facts& now) {
    switch (what.kind) {
        case clause_kind::add_column: return what.column.empty() || now.column(what.column);
        case clause_kind::drop_column: return !now.column(what.column);
        case clause_kind::rename_column:
        case clause_kind::modify_column: {
            const std::string& name = what.new_column.empty() ? what.column : what.new_column;
            return name.empty() || now.column(name);
        }
        default: return true;
    }
}

// It writes the same definition anew.
bool is_rebuild(const alter_request& alter) {
    return std::all_of(alter.clauses.begin(), alter.clauses.end(), [](const clause& each) {
        return each.kind == clause_kind::rebuild || each.kind == clause_kind::convert_charset ||
               each.kind == clause_kind::table_option;
    });
}

}  // namespace

std::string comparable_definition(std::string_view create_statement) {
    std::string made(create_statement);
    // The last one: a comment in the table may hold the same words.
    auto at = made.rfind(auto_increment);
    if (at == std::string::npos || made.rfind(')') > at) return made;
    auto end = at + auto_increment.size();
    while (end < made.size() && made[end] >= '0' && made[end] <= '9')
        ++end;
    return made.erase(at, end - at);
}

table_before remember_table(const table_facts& table) {
    return {table.create_statement ? comparable_definition(*table.create_statement) : "",
            table.created_at};
}

std::optional<bool> is_altered(const alter_request& alter, const table_before& before,
                               const table_facts& now) {
    if (!now.exists) return false;
    if (!now.create_statement || before.definition.empty()) return std::nullopt;
    for (const auto& each : alter.clauses)
        if (!holds(each, now)) return false;
    if (comparable_definition(*now.create_statement) != before.definition) return true;
    if (!is_rebuild(alter)) return false;
    if (!now.created_at || !before.created_at) return std::nullopt;
    return *now.created_at > *before.created_at;
}

}  // namespace primacy::osc
