#include "agent/app/metrics/layout.hpp"
#include "agent/app/osc/job_view.hpp"

#include <limits>

namespace primacy::app::metrics {

namespace {

// Prometheus' own word for "not known", which no comparison takes for a value.
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

const std::vector<job_view>& jobs_of(const page& from) {
    static const std::vector<job_view> nothing;
    return from.agent.jobs ? *from.agent.jobs : nothing;
}

std::string labels_of(const job_view& view) {
    std::string labels;
    add_label(labels, "topology", view.job.spec.topology);
    add_label(labels, "osc_job", view.job.id);
    return labels;
}

template <double (*value)(const job_view&)>
void each_job(const page& from, page_writer& to) {
    for (const auto& view : jobs_of(from))
        to.sample(labels_of(view), value(view));
}

void job_state(const page& from, page_writer& to) {
    for (const auto& view : jobs_of(from))
        for (auto state : osc::all_job_states()) {
            std::string labels = labels_of(view);
            add_label(labels, "tool", osc::to_string(view.job.which));
            add_label(labels, "database", view.job.spec.table.database);
            add_label(labels, "table", view.job.spec.table.table);
            add_label(labels, "state", osc::to_string(state));
            to.sample(labels, state == view.job.state);
        }
}

double rows_copied(const job_view& view) {
    return static_cast<double>(view.job.progress.copied);
}
double rows_estimated(const job_view& view) {
    const auto rows = view.job.progress.estimated;
    return rows == 0 ? unknown : static_cast<double>(rows);
}
double progress_ratio(const job_view& view) {
    if (view.job.state == osc::job_state::completed) return 1;
    return view.job.progress.ratio.value_or(0);
}
double eta(const job_view& view) {
    const auto& left = view.job.progress.remaining;
    return left && !osc::is_over(view.job.state) ? static_cast<double>(left->count()) : unknown;
}
double lag(const job_view& view) {
    return view.lag_seconds.value_or(unknown);
}
double throttled(const job_view& view) {
    return view.throttled;
}
double last_activity(const job_view& view) {
    return unix_seconds(view.job.last_activity_at);
}
double attempts(const job_view& view) {
    return view.job.attempts;
}
double leftovers(const job_view& view) {
    return static_cast<double>(view.job.left.size());
}

}  // namespace

std::vector<family> osc_families() {
    using enum family_type;
    constexpr const char* labels = "topology, osc_job";
    return {
        {"primacy_osc_job_state", gauge, "topology, osc_job, tool, database, table, state",
         "1 for the state of a schema change, 0 for the others; until a day after its end.",
         job_state},
        {"primacy_osc_rows_copied", gauge, labels, "Rows that were copied.", each_job<rows_copied>},
        {"primacy_osc_rows_estimated", gauge, labels,
         "Rows that there are to copy, by an estimate; NaN while there is none.",
         each_job<rows_estimated>},
        {"primacy_osc_progress_ratio", gauge, labels,
         "Part of the copy that is done, 0 to 1, and 1 not before its end.",
         each_job<progress_ratio>},
        {"primacy_osc_eta_seconds", gauge, labels,
         "Time that the copy still takes; NaN while nobody can tell, or it is paused.",
         each_job<eta>},
        {"primacy_osc_lag_seconds", gauge, labels,
         "Lag of the worst replica that the job heeds; NaN while one is not known.", each_job<lag>},
        {"primacy_osc_throttled", gauge, labels, "1 while its tool may not copy.",
         each_job<throttled>},
        {"primacy_osc_last_activity_timestamp_seconds", gauge, labels,
         "When the tool last gave a sign of life.", each_job<last_activity>},
        {"primacy_osc_cut_over_attempts_total", counter, labels,
         "Attempts to swap the tables, or to begin a native ALTER.", each_job<attempts>},
        {"primacy_osc_leftover_objects", gauge, labels,
         "Tables and triggers that its end left behind.", each_job<leftovers>},
    };
}

}  // namespace primacy::app::metrics
