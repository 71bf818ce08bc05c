// A schema change as a job: its states, and what is remembered of it, also across restarts. Plain
// values; how it goes from one state to the next is supervision's (supervise.hpp). Pure.
#pragma once

#include "checks/moment.hpp"
#include "osc/outcome.hpp"
#include "osc/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

enum class job_state {
    queued,        // waits for its turn
    preflight,     // planned again, right before it begins
    running,       // the tool is at work
    paused,        // the tool is held; the cause says why
    postponed,     // ready to be swapped or begun, and waits for the window or a person
    cutting_over,  // an attempt is under way
    verifying,     // the tool has ended; the server is asked what is true
    completed,     // exit status, the tool's words and the server agree
    failed,        // nothing was changed, and nothing is left
    aborted,       // a person or the topology's state ended it; nothing is left
    leftover,      // it ended without success and left objects that need a clean-up
    ambiguous      // nobody can tell what is true; a person has to look
};
std::string_view to_string(job_state state) noexcept;
std::optional<job_state> job_state_named(std::string_view word) noexcept;
// What it means, one clause for a person.
std::string_view meaning_of(job_state state) noexcept;
const std::vector<job_state>& all_job_states();
// Nothing happens in it any more.
bool is_over(job_state state) noexcept;
// The tool may be at work on the servers.
bool is_at_work(job_state state) noexcept;

enum class hold_cause {
    none,
    user,
    lag,
    load,
    split_brain,  // suspected or confirmed, or the writer is not known
    window        // of a native ALTER and of the cut-over
};
std::string_view to_string(hold_cause cause) noexcept;
std::optional<hold_cause> hold_cause_named(std::string_view word) noexcept;

// What a person has asked of a job that is under way; kept until it is done or the job is over.
struct wishes {
    bool pause = false;
    bool cut_over = false;  // now, whatever the window says
    bool abort = false;
    bool operator==(const wishes&) const = default;
};

// One permit to swap is one attempt. Until it is known to be over, the tool may swap at any moment
// that it is not held.
enum class permit_state {
    none,   // the tool has none
    given,  // and nothing shows yet that it was used
    taken   // an attempt was seen; it is over when the tool waits for leave again
};
std::string_view to_string(permit_state state) noexcept;
std::optional<permit_state> permit_state_named(std::string_view word) noexcept;

struct job_progress {
    std::uint64_t copied = 0;
    std::uint64_t estimated = 0;  // 0: not known
    std::optional<double> ratio;  // 0 to 1; never 1 before the copy is done
    std::optional<double> rows_per_second;
    std::optional<std::chrono::seconds> remaining;
    bool copy_done = false;
};

struct job_record {
    std::string id;  // for life; [a-z0-9-]
    job_spec spec;
    std::string asked_by, reason;
    job_state state = job_state::queued;
    hold_cause held = hold_cause::none;
    std::string sentence;  // what is going on, or what came of it
    // Of the plan it was begun with.
    tool which = tool::native;
    native_algorithm algorithm = native_algorithm::none;
    std::string writer;                // the server that it runs on
    std::vector<std::string> writers;  // each server that was the writer meanwhile, for clean-up
    std::vector<std::string> replicas;
    std::uint32_t replica_server_id = 0;  // of gh-ost; topology watching ignores it
    table_before before;                  // the table, when the job was planned for the last time
    wishes wanted;
    std::string stopping_because;  // the tool was told to end; empty: it was not
    int attempts = 0;              // to cut over, so far
    permit_state permit = permit_state::none;
    bool permit_by_person = false;  // the window does not bind it
    int failed_before = 0;          // attempts that the tool had said to have failed, at the permit
    checks::wall_time created_at{}, started_at{}, ended_at{}, last_activity_at{};
    // When the newest attempt to cut over, the ending of the tool, or the verification began.
    checks::wall_time step_began_at{};
    job_progress progress;
    std::vector<std::string> left;  // what its end left behind, "table `x` on db1"
    std::vector<std::string> kept;  // the original rows under another name: the only way back
};

}  // namespace primacy::osc
