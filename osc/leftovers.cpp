#include "osc/leftovers.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

constexpr std::string_view sentry_comment = "ghost-cut-over-sentry";

using objects = std::vector<listed_object>;

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_table(const objects& all, const listed_object& beside, const std::string& name) {
    return std::any_of(all.begin(), all.end(), [&](const listed_object& each) {
        return !each.is_trigger && each.server == beside.server &&
               each.database == beside.database && each.name == name;
    });
}

// A trigger moves with its table: after the swap it stands on the old one. Two long names, or two
// that differ in signs alone, can have triggers of the same name; the table tells whose they are.
std::optional<leftover_kind> kind_of_trigger(const table_name& table, const pt_osc_names& names,
                                             const listed_object& object) {
    const bool on_it = object.on_table == table.table || contains(names.olds, object.on_table) ||
                       contains(names.copies, object.on_table);
    if (!on_it || !is_pt_osc_trigger(object.name, table)) return std::nullopt;
    return leftover_kind::trigger;
}

// `__orders_new` is of `orders`, or of `_orders` if there is such a table.
bool may_be_of_another(const table_name& table, const listed_object& object, const objects& all) {
    for (std::string other = "_" + table.table; object.name.starts_with("_" + other);
         other.insert(0, "_"))
        if (has_table(all, object, other)) return true;
    return false;
}

std::optional<leftover_kind> kind_of_pt_osc(const table_name& table, const pt_osc_names& names,
                                            const listed_object& object, const objects& all) {
    const bool copy = contains(names.copies, object.name), old = contains(names.olds, object.name);
    if (!copy && !old) return std::nullopt;
    // A long name leaves no room for the ending: nothing tells copy from original.
    const bool whole = object.name.ends_with(table.table + (copy ? "_new" : "_old"));
    if (!whole || may_be_of_another(table, object, all)) return leftover_kind::foreign;
    return copy ? leftover_kind::copy : leftover_kind::old_data;
}

std::optional<leftover_kind> kind_of_table(const table_name& table, const pt_osc_names& names,
                                           const listed_object& object, const objects& all) {
    const gh_ost_names ghost = gh_ost_names_of(table.table);
    if (object.name == table.table) return std::nullopt;
    if (object.name == ghost.ghost) return leftover_kind::copy;
    if (object.name == ghost.changelog) return leftover_kind::changelog;
    if (object.name == ghost.checkpoint) return leftover_kind::checkpoint;
    if (object.name == ghost.old || is_gh_ost_timestamped_old(object.name, table.table))
        return object.comment == sentry_comment ? leftover_kind::sentry : leftover_kind::old_data;
    return kind_of_pt_osc(table, names, object, all);
}

}  // namespace

std::string_view to_string(leftover_kind kind) noexcept {
    switch (kind) {
        case leftover_kind::trigger: return "trigger";
        case leftover_kind::copy: return "copy";
        case leftover_kind::changelog: return "changelog";
        case leftover_kind::checkpoint: return "checkpoint";
        case leftover_kind::sentry: return "sentry";
        case leftover_kind::old_data: return "old_data";
        case leftover_kind::foreign: return "foreign";
    }
    return "foreign";
}

std::vector<leftover> leftovers_of(const table_name& table, const std::vector<listed_object>& all) {
    const pt_osc_names names = pt_osc_names_of(table);
    std::vector<leftover> made;
    for (const auto& object : all) {
        if (object.database != table.database) continue;
        auto kind = object.is_trigger ? kind_of_trigger(table, names, object)
                                      : kind_of_table(table, names, object, all);
        if (kind) made.push_back({object, *kind});
    }
    std::stable_sort(made.begin(), made.end(), [](const leftover& one, const leftover& other) {
        return one.kind < other.kind;
    });
    return made;
}

std::string describe(const leftover& what) {
    return std::string(what.what.is_trigger ? "trigger " : "table ") + quoted(what.what.name) +
           " on " + what.what.server;
}

}  // namespace primacy::osc
