#include "osc/cleanup.hpp"

#include "checks/words.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

namespace words = checks::words;

constexpr std::string_view changelog_comment = "gh-ost changelog";

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
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

// Whoever drops the triggers of a tool that waits loses the writes that they would have copied.
void judge_trigger(const judging& in, const leftover& found, cleanup_line& made) {
    made.drop = in.policy.tool_has_ended || was_made_by_a_job(in, found.what);
    made.why = made.drop ? "a trigger of a tool that does not run any more"
                         : "kept: no job on record has made it, and a tool that waits shows no "
                           "sign of life; make sure that it has ended, then --allow tool_unseen";
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
    cleanup_line made;
    made.what = found;
    const std::string name = quoted(found.what.database) + "." + quoted(found.what.name);
    made.statement =
        found.what.is_trigger ? "DROP TRIGGER IF EXISTS " + name : "DROP TABLE IF EXISTS " + name;
    if (!in.policy.tool_at_work.empty())
        made.why = "kept: " + in.policy.tool_at_work + " is at work";
    else if (std::any_of(in.policy.jobs.begin(), in.policy.jobs.end(), is_not_over))
        made.why = "kept: a job on this table is not over";
    if (!made.why.empty()) return made;
    switch (found.kind) {
        case leftover_kind::trigger: judge_trigger(in, found, made); break;
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

// --- all servers together

using lines = std::vector<cleanup_line>;

void keep(cleanup_line& line, std::string why) {
    line.drop = false;
    line.through.clear();
    line.why = "kept: " + std::move(why);
}

bool same_object(const cleanup_line& one, const cleanup_line& other) {
    return one.what.what.name == other.what.what.name &&
           one.what.what.is_trigger == other.what.what.is_trigger;
}

// While a trigger stands, each write to its table needs the copy that it writes to.
void keep_what_triggers_need(lines& all) {
    for (const auto& trigger : all) {
        if (trigger.drop || trigger.what.kind != leftover_kind::trigger) continue;
        for (auto& line : all) {
            const auto& object = line.what.what;
            const bool of_pt_osc = object.name.ends_with("_new") || object.name.ends_with("_old");
            if (line.drop && !object.is_trigger && of_pt_osc &&
                object.server == trigger.what.what.server)
                keep(line, "the trigger " + quoted(trigger.what.what.name) + " is kept");
        }
    }
}

// Why the writer's drop, which every replica carries out, must not be; empty: it may.
std::string why_not_everywhere(const lines& all, const cleanup_line& line,
                               const cleanup_policy& policy) {
    if (!policy.unreadable.empty() && !policy.may_be_unreadable)
        return words::list(policy.unreadable) +
               " cannot be read, and would carry out the same; --allow server_unknown permits it";
    for (const auto& each : all)
        if (same_object(each, line) && !each.drop)
            return each.what.what.server + " would carry out the same, and there it is " + each.why;
    return "";
}

void weigh(lines& all, cleanup_line& line, const cleanup_policy& policy) {
    const std::string& server = line.what.what.server;
    if (policy.writer.empty()) return keep(line, "which server is the writer is not known");
    line.through = server;
    if (server == policy.writer) {
        std::string why = why_not_everywhere(all, line, policy);
        if (!why.empty()) keep(line, std::move(why));
        return;
    }
    auto on_writer = std::find_if(all.begin(), all.end(), [&](const cleanup_line& each) {
        return each.what.what.server == policy.writer && same_object(each, line);
    });
    if (on_writer == all.end()) return;
    // Gone here alone, the next change of it there would stop replication.
    if (on_writer->drop)
        line.through = policy.writer;
    else
        keep(line, "it is kept on " + policy.writer);
}

std::ptrdiff_t drops_in(const lines& all) {
    return std::count_if(all.begin(), all.end(),
                         [](const cleanup_line& each) { return each.drop; });
}

// Each thing that is kept may be the reason to keep another one.
void weigh_servers(lines& all, const cleanup_policy& policy) {
    for (std::ptrdiff_t before = -1; before != drops_in(all);) {
        before = drops_in(all);
        keep_what_triggers_need(all);
        for (auto& line : all)
            if (line.drop) weigh(all, line, policy);
    }
}

}  // namespace

std::vector<cleanup_line> plan_cleanup(const std::vector<leftover>& found,
                                       const cleanup_policy& policy, checks::wall_time now) {
    const judging in{found, policy, now};
    std::vector<cleanup_line> made;
    for (const auto& each : found)
        made.push_back(judge(in, each));
    weigh_servers(made, policy);
    return made;
}

}  // namespace primacy::osc
