#include "osc/leftovers.hpp"

#include "checks/words.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view sentry_comment = "ghost-cut-over-sentry";
constexpr std::string_view changelog_comment = "gh-ost changelog";
// Between a server's clock and ours.
constexpr auto clock_slack = 1min;

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

struct judging {
    const std::vector<leftover>& all;
    const cleanup_policy& policy;
    checks::wall_time now;
};

bool is_not_over(const job_trace& job) {
    return job.ended_at == checks::wall_time{};
}

bool was_made_by_a_job(const judging& in, const listed_object& object) {
    return object.created_at &&
           std::any_of(in.policy.jobs.begin(), in.policy.jobs.end(), [&](const job_trace& job) {
               return *object.created_at >= job.started_at - clock_slack &&
                      *object.created_at <= job.ended_at + clock_slack;
           });
}

std::ptrdiff_t count_beside(const judging& in, const listed_object& object, auto matches) {
    return std::count_if(in.all.begin(), in.all.end(), [&](const leftover& each) {
        return each.what.server == object.server && matches(each);
    });
}

// What only a tool makes stands beside it, and it is the only one of its kind there.
bool stands_beside_a_tools(const judging& in, const leftover& found) {
    const bool gh_ost = !found.what.name.ends_with("_new");
    return count_beside(in, found.what,
                        [&](const leftover& each) {
                            return gh_ost ? each.kind == leftover_kind::changelog &&
                                                each.what.comment == changelog_comment
                                          : each.kind == leftover_kind::trigger;
                        }) > 0 &&
           count_beside(in, found.what, [&](const leftover& each) {
               return each.kind == found.kind && each.what.name.ends_with("_new") == !gh_ost;
           }) == 1;
}

// Names are no proof: a person may have a table that is called so.
bool is_proved(const judging& in, const leftover& found) {
    return was_made_by_a_job(in, found.what) || found.what.comment == changelog_comment ||
           stands_beside_a_tools(in, found);
}

void judge_tools_own(const judging& in, const leftover& found, std::string_view what,
                     cleanup_line& made) {
    if (is_proved(in, found)) {
        made.drop = true;
        made.why = what;
    } else if (contains(in.policy.named, found.what.name)) {
        made.drop = true;
        made.why = "a person named it to be dropped";
    } else {
        made.why = "kept: it has the name of " + std::string(what) +
                   ", and nothing shows that a tool made it; look at it, and name it to have it "
                   "dropped";
    }
}

void judge_old_data(const judging& in, cleanup_line& made) {
    const std::string what = "by its name it is the original table of an earlier change";
    std::optional<checks::wall_time> last_end;
    for (const auto& job : in.policy.jobs)
        last_end = std::max(last_end.value_or(job.ended_at), job.ended_at);
    if (!in.policy.drop_old_data)
        made.why = "kept: " + what + "; --drop-old permits to drop it";
    else if (!last_end)
        made.why = "kept: " + what +
                   ", and since when is not known, because no job on record made it; drop it by "
                   "hand when you are sure";
    else if (in.now - *last_end < in.policy.keep_old)
        made.why = "kept: " + what + ", and the last job ended less than " +
                   checks::words::seconds(in.policy.keep_old) + " ago";
    else {
        made.drop = true;
        made.why = what + ", and a person permits it";
    }
}

cleanup_line judge(const judging& in, const leftover& found) {
    cleanup_line made{found, false, "", ""};
    const std::string name = quoted(found.what.database) + "." + quoted(found.what.name);
    made.statement =
        found.what.is_trigger ? "DROP TRIGGER IF EXISTS " + name : "DROP TABLE IF EXISTS " + name;
    if (!in.policy.tool_at_work.empty())
        made.why = "kept: " + in.policy.tool_at_work + " is at work";
    else if (std::any_of(in.policy.jobs.begin(), in.policy.jobs.end(), is_not_over))
        made.why = "kept: a job on this table is not over";
    if (!made.why.empty()) return made;
    switch (found.kind) {
        case leftover_kind::trigger:
            made.drop = true;
            made.why = "a trigger of a tool that does not run any more";
            break;
        case leftover_kind::sentry:
            made.drop = true;
            made.why = "an empty place holder of gh-ost";
            break;
        case leftover_kind::copy:
            judge_tools_own(in, found, "an unfinished copy; every row is in the original", made);
            break;
        case leftover_kind::changelog:
            judge_tools_own(in, found, "gh-ost's own notes", made);
            break;
        case leftover_kind::checkpoint:
            judge_tools_own(in, found, "gh-ost's checkpoint; without it no --resume", made);
            break;
        case leftover_kind::foreign:
            made.why = "kept: its name is a tool's, and what it holds is not certain";
            break;
        case leftover_kind::old_data: judge_old_data(in, made); break;
    }
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

std::vector<cleanup_line> plan_cleanup(const std::vector<leftover>& found,
                                       const cleanup_policy& policy, checks::wall_time now) {
    const judging in{found, policy, now};
    std::vector<cleanup_line> made;
    for (const auto& each : found)
        made.push_back(judge(in, each));
    return made;
}

std::string describe(const leftover& what) {
    return std::string(what.what.is_trigger ? "trigger " : "table ") + quoted(what.what.name) +
           " on " + what.what.server;
}

}  // namespace primacy::osc
