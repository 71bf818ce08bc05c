// One step of a job in the making. Not for use outside this folder. Pure.
#pragma once

#include "osc/supervise.hpp"

#include <string>
#include <vector>

namespace primacy::osc {

struct stepping {
    job_record next;
    const supervision& seen;
    std::vector<job_action> actions;

    void go(job_state state, std::string sentence);
    void act(job_action action) { actions.push_back(action); }
    bool native() const { return next.which == tool::native; }
    bool process_ended() const {
        return seen.process.what == process_view::fate::ended ||
               seen.process.what == process_view::fate::gone;
    }
};

// Why nobody may start or swap anything on this topology now; empty: no reason. Which server is the
// writer is not compared with the job's.
std::string why_topology_unsafe(const topology_view& topology);
// Why a swap, or a native ALTER, may not begin now; empty: it may.
std::string why_not_now(const stepping& in);

// While the tool is at work.
void work(stepping& in);
// After it has ended, or was never seen to run.
void verify(stepping& in);

}  // namespace primacy::osc
