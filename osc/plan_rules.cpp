#include "osc/plan_rules.hpp"

#include "checks/words.hpp"

#include <algorithm>

namespace primacy::osc {

namespace words = checks::words;

namespace {

// What an earlier run left that a new one would stumble over, and what it keeps as the way back.
void judge_leftovers(const planning& in) {
    std::vector<std::string> in_the_way, old;
    for (const auto& each : in.known.around.leftovers)
        (each.is_old_data ? old : in_the_way).push_back(quoted(each.name) + " on " + each.server);
    if (!in_the_way.empty() && in.copies())
        in.refuse("leftovers", "an earlier run left " + words::list(in_the_way) +
                                   "; `primacy osc cleanup` tells what each of them is");
    if (!old.empty())
        in.warn("old_data", words::list(old) +
                                (old.size() == 1 ? " looks like the original of an earlier change"
                                                 : " look like originals of earlier changes") +
                                "; `primacy osc cleanup` tells how long it stays");
}

}  // namespace

bool planning::allowed(std::string_view code) const {
    return std::find(asked.allow.begin(), asked.allow.end(), code) != asked.allow.end();
}

void planning::warn(std::string_view code, std::string reason) const {
    made.warnings.push_back({std::string(code), std::move(reason)});
}

void planning::refuse(std::string_view code, std::string reason) const {
    if (allowed(code))
        warn(code, "allowed by --allow: " + reason);
    else
        made.refusals.push_back({std::string(code), std::move(reason), true});
}

void planning::refuse_for_good(std::string_view code, std::string reason) const {
    made.refusals.push_back({std::string(code), std::move(reason), false});
}

bool planning::copies() const {
    return made.chosen == tool::gh_ost || made.chosen == tool::pt_osc;
}

const server_side* planning::read_by_gh_ost() const {
    if (asked.attempt != trial::test_on_replica) return known.writer();
    for (const auto& each : known.servers)
        if (each.name == asked.test_replica) return &each;
    return nullptr;
}

void judge_surroundings(const planning& in) {
    const environment& around = in.known.around;
    if (around.split_brain)
        in.refuse("split_brain",
                  "a split brain is suspected or confirmed, and the job would wait until it is "
                  "over; end it first");
    if (!around.jobs_on_table.empty())
        in.refuse_for_good("job_on_table", "the job " + around.jobs_on_table.front() +
                                               " works on this table; wait for its end");
    if (!around.jobs_on_topology.empty() && in.copies())
        in.warn("queued", "it waits behind " + words::list(around.jobs_on_topology));
    if (!around.tools_at_work.empty())
        in.refuse_for_good("tool_at_work",
                           "somebody alters this table now: " + words::list(around.tools_at_work));
    judge_leftovers(in);
    if (around.maintenance) in.warn("maintenance", "maintenance is on for this topology");
    if (in.asked.window && in.made.chosen == tool::native &&
        in.made.algorithm != native_algorithm::instant)
        in.warn("window",
                "a native ALTER cannot be held back before its end: it is started inside "
                "the window");
}

const std::vector<std::string_view>& codes_to_allow() {
    static const std::vector<std::string_view> all = {
        "binlog_format",    "binlog_retention", "binlog_row_image", "disk_space",
        "engine",           "foreign_keys",     "leftovers",        "log_bin_compress",
        "lossy_conversion", "new_check",        "new_unique_key",   "rename_column",
        "server_unknown",   "split_brain",      "strict_gtid",      "system_versioned",
        "triggers"};
    return all;
}

}  // namespace primacy::osc
