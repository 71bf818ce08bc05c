#include "osc/leftovers.hpp"

#include "checks/words.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

constexpr std::string_view sentry_comment = "ghost-cut-over-sentry";

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<leftover_kind> kind_of_trigger(const table_name& table, const pt_osc_names& names,
                                             const listed_object& object) {
    // Two long names can have triggers of the same name; the table tells whose they are.
    if (!contains(names.triggers, object.name) || object.on_table != table.table)
        return std::nullopt;
    return leftover_kind::trigger;
}

std::optional<leftover_kind> kind_of_table(const table_name& table, const pt_osc_names& names,
                                           const listed_object& object) {
    const gh_ost_names ghost = gh_ost_names_of(table.table);
    if (object.name == table.table) return std::nullopt;
    if (object.name == ghost.ghost) return leftover_kind::copy;
    if (object.name == ghost.changelog) return leftover_kind::changelog;
    if (object.name == ghost.checkpoint) return leftover_kind::checkpoint;
    if (object.name == ghost.old || is_gh_ost_timestamped_old(object.name, table.table))
        return object.comment == sentry_comment ? leftover_kind::sentry : leftover_kind::old_data;
    // A name of 64 characters leaves no room for the ending: nothing tells copy from old table.
    const bool cut = table.table.size() + 5 > longest_identifier;
    if (cut && contains(names.copies, object.name)) return leftover_kind::foreign;
    if (contains(names.copies, object.name)) return leftover_kind::copy;
    if (contains(names.olds, object.name)) return leftover_kind::old_data;
    return std::nullopt;
}

// Whether the original has been swapped away is not seen from names alone; an old table is data.
cleanup_line judge(const leftover& found, const cleanup_policy& policy, checks::wall_time now) {
    cleanup_line made{found, false, "", ""};
    const std::string name = quoted(found.what.database) + "." + quoted(found.what.name);
    made.statement =
        found.what.is_trigger ? "DROP TRIGGER IF EXISTS " + name : "DROP TABLE IF EXISTS " + name;
    if (!policy.tool_at_work.empty()) {
        made.why = "kept: " + policy.tool_at_work + " is at work";
        return made;
    }
    switch (found.kind) {
        case leftover_kind::trigger:
            made.drop = true;
            made.why = "a trigger of a tool that does not run any more";
            return made;
        case leftover_kind::copy:
            made.drop = true;
            made.why = "an unfinished copy; every row is in the original";
            return made;
        case leftover_kind::changelog: made.why = "gh-ost's own notes"; break;
        case leftover_kind::checkpoint:
            made.why = "gh-ost's checkpoint; without it no --resume";
            break;
        case leftover_kind::sentry: made.why = "an empty place holder of gh-ost"; break;
        case leftover_kind::foreign:
            made.why = "kept: its name is a tool's, and what it holds is not certain";
            return made;
        case leftover_kind::old_data: {
            if (!found.what.created_at) {
                made.why = "kept: it is the original table, and its age is not known";
                return made;
            }
            auto age = now - *found.what.created_at;
            if (!policy.drop_old_data)
                made.why = "kept: it is the original table; --drop-old permits to drop it";
            else if (age < policy.keep_old)
                made.why = "kept: it is the original table, and younger than " +
                           checks::words::seconds(policy.keep_old);
            else {
                made.drop = true;
                made.why = "the original table, by a person's permit";
            }
            return made;
        }
    }
    made.drop = true;
    return made;
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

std::vector<leftover> leftovers_of(const table_name& table,
                                   const std::vector<listed_object>& objects) {
    const pt_osc_names names = pt_osc_names_of(table);
    std::vector<leftover> made;
    for (const auto& object : objects) {
        if (object.database != table.database) continue;
        auto kind = object.is_trigger ? kind_of_trigger(table, names, object)
                                      : kind_of_table(table, names, object);
        if (kind) made.push_back({object, *kind});
    }
    std::stable_sort(made.begin(), made.end(), [](const leftover& one, const leftover& other) {
        return one.kind < other.kind;
    });
    return made;
}

std::vector<cleanup_line> plan_cleanup(const std::vector<leftover>& found,
                                       const cleanup_policy& policy, checks::wall_time now) {
    std::vector<cleanup_line> made;
    for (const auto& each : found)
        made.push_back(judge(each, policy, now));
    return made;
}

std::string describe(const leftover& what) {
    return std::string(what.what.is_trigger ? "trigger " : "table ") + quoted(what.what.name) +
           " on " + what.what.server;
}

}  // namespace primacy::osc
