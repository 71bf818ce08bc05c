// Who of several schema changes goes first: one copies at a time on a topology (or as many as are
// configured), one swaps at a time. Pure.
#pragma once

#include "osc/job.hpp"
#include "osc/supervise.hpp"

#include <string>
#include <vector>

namespace primacy::osc {

// What the queue has to know of a job; `state` is where it is heading, also before that is on disk.
struct queued_job {
    std::string id;
    std::string topology;
    job_state state = job_state::queued;
    tool which = tool::native;
    bool copy_done = false;
};

// `all` is in the order in which they were asked for, and holds `id`.
queue_view queue_of(const std::string& id, const std::vector<queued_job>& all, int most_copying);

}  // namespace primacy::osc
