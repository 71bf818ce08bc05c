// Which leftovers of schema changes may be dropped, on which server, and why each of the others is
// kept. Never guesses: what might be somebody's data, or the work of a tool that is alive, stays. A
// drop on the writer is carried out on every replica, so that all of them have to agree to it.
// Pure.
#pragma once

#include "osc/leftovers.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace primacy::osc {

// A job on this table that is on record: what was created while it ran is a tool's.
struct job_trace {
    checks::wall_time started_at{}, ended_at{};  // zero: not over
};

struct cleanup_policy {
    std::string writer;  // empty: not known; then nothing is dropped
    // Servers that cannot be read, or not whole: what a drop would meet there is not known.
    std::vector<std::string> unreadable;
    bool may_be_unreadable = false;       // a person's permit
    bool drop_old_data = false;           // a person's permit
    std::chrono::milliseconds keep_old =  //
        std::chrono::hours(24 * 7);       // after its job, whatever the permit
    std::string tool_at_work;             // a session or process of a tool; nothing is dropped
    bool tool_has_ended = false;          // a person says so, of what no job on record has made
    std::vector<job_trace> jobs;
    // Tables that a person named to be dropped, because nothing shows whose they are. Not for what
    // may be original data.
    std::vector<std::string> named;
};

struct cleanup_line {
    leftover what;
    bool drop = false;
    std::string why;        // it is dropped, or kept
    std::string statement;  // that drops it; when one fails, the rest of its server is left alone
    // Where it is executed: the writer, whose drop is carried out here too, or this very server, on
    // which it must not be logged. Empty: it is kept.
    std::string through;
};

std::vector<cleanup_line> plan_cleanup(const std::vector<leftover>& found,
                                       const cleanup_policy& policy, checks::wall_time now);

}  // namespace primacy::osc
