#include "osc/queue.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

// It copies, or will before one that was asked for later.
bool takes_a_place(const queued_job& job) {
    if (is_over(job.state)) return false;
    const bool waits_for_swap =
        job.state == job_state::postponed || job.state == job_state::cutting_over;
    return !(waits_for_swap && (job.copy_done || job.which == tool::native));
}

bool swaps(const queued_job& job) {
    return job.state == job_state::cutting_over ||
           (job.which == tool::native && job.state == job_state::running);
}

}  // namespace

queue_view queue_of(const std::string& id, const std::vector<queued_job>& all, int most_copying) {
    queue_view made;
    auto self = std::find_if(all.begin(), all.end(), [&](const auto& job) { return job.id == id; });
    if (self == all.end()) return made;
    int before = 0;
    std::string copies, swapping;
    for (auto job = all.begin(); job != all.end(); ++job) {
        if (job == self || job->topology != self->topology) continue;
        if (job < self && takes_a_place(*job)) {
            ++before;
            copies = job->id;
        }
        if (swaps(*job)) swapping = job->id;
    }
    made.may_begin = before < most_copying;
    made.may_cut_over = swapping.empty();
    made.waits_for = !made.may_cut_over ? swapping : copies;
    return made;
}

}  // namespace primacy::osc
