#include "osc/inspection.hpp"

namespace primacy::osc {

std::optional<database_view> inspect_job(const job_record& job, const table_facts& now,
                                         const std::vector<listed_object>& objects,
                                         std::vector<std::string> unreadable) {
    database_view made;
    made.table_exists = now.exists;
    made.unreadable = std::move(unreadable);
    auto altered = is_altered(parse_alter(job.spec.alter), job.before, now);
    if (!altered) return std::nullopt;
    made.altered = *altered;
    bool on_writer = false;
    for (const auto& each : leftovers_of(job.spec.table, objects)) {
        // What an earlier job kept, or had left before this one began, is none of its leftovers.
        const bool older = each.what.created_at &&
                           *each.what.created_at + clock_slack < job.started_at &&
                           each.kind != leftover_kind::old_data;
        if (each.kind == leftover_kind::old_data)
            made.kept.push_back(describe(each));
        else if (!older) {
            made.left.push_back(describe(each));
            on_writer |= each.what.server == job.writer;
        }
    }
    made.replicas_behind = !made.left.empty() && !on_writer;
    return made;
}

}  // namespace primacy::osc
