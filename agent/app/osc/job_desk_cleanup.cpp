// What becomes of jobs that are over once somebody has cleaned up after them.
#include "agent/app/osc/job_desk.hpp"
#include "agent/rt/log.hpp"

#include <algorithm>

namespace primacy::app {

void job_desk::amend(const osc::job_record& job) {
    if (auto found = keepers_.find(job.id); found != keepers_.end()) found->second->amend(job);
    for (auto& each : over_)
        if (each.id == job.id) each = job;
    if (auto saved = store_.save(job); !saved)
        rt::log(rt::log_level::warning, "osc",
                job.id + " cannot be noted: " + saved.error().message, {{"osc_job", job.id}});
}

boost::asio::awaitable<void> job_desk::look_again(std::string topology, osc::table_name table) {
    for (auto& job : jobs()) {
        const bool concerned = osc::is_over(job.state) && !job.left.empty() &&
                               job.spec.topology == topology && job.spec.table == table;
        if (!concerned) continue;
        auto found = co_await inspect(job);
        if (!found || !found->unreadable.empty()) continue;
        // What a later job has left is none of this one's.
        std::erase_if(job.left, [&](const std::string& each) {
            return std::find(found->left.begin(), found->left.end(), each) == found->left.end();
        });
        job.kept = found->kept;
        if (job.left.empty()) job.sentence += "; it was cleaned up since";
        amend(job);
    }
}

}  // namespace primacy::app
