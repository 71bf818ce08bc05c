// How a job goes on: from what is remembered and what is seen to the next state and to what is to
// be done. A pure state machine; a thin shell sees and acts. The same step is made after a restart
// of the agent, so that nothing depends on having watched without a gap.
#pragma once

#include "checks/moment.hpp"
#include "osc/job.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace primacy::osc {

// How far the tool itself has come, by its own words.
enum class tool_phase {
    starting,   // no word yet
    preparing,  // tables and triggers are made
    copying,
    ready,     // everything is copied; it waits for leave to swap
    swapping,  // it has leave, or took it
    done       // it says that it has succeeded
};

struct tool_view {
    tool_phase phase = tool_phase::starting;
    std::optional<checks::wall_time> last_word_at;  // the newest sign of life
    bool said_success = false;
    std::string failure;  // its own last words on why it fails; empty: none
    // To swap, since it was started. Of a native ALTER: 1 when it did not get its lock in time and
    // changed nothing (error 1205), which is worth another attempt.
    int failed_attempts = 0;
    std::optional<std::uint64_t> backlog;  // events not yet applied to the copy
    // Behind the server's binary log, by gh-ost's heartbeat. While it is high gh-ost keeps a permit
    // for later, and nothing but its end can take that back.
    std::optional<double> behind_seconds;
};

struct process_view {
    enum class fate {
        none,  // never started
        alive,
        ended,  // and how is known
        gone    // it ended and nobody saw how: it was killed together with its watcher
    } what = fate::none;
    std::optional<int> exit_code;  // of `ended` by itself
    std::optional<int> signal;     // of `ended` by one
};

// Of the topology, by the newest judgement.
struct topology_view {
    bool split_brain = false;  // suspected or confirmed
    bool writer_known = false;
    std::string writer;
    bool writer_is_fenced = false;  // a fence of the job's writer is at work or was confirmed
    bool maintenance = false;
};

// What the throttle says (throttle.hpp).
struct throttle_view {
    hold_cause cause = hold_cause::none;
    std::string sentence;
};

// What the server says about the table, asked when the tool has ended.
struct database_view {
    bool altered = false;  // the table has the definition that was asked for
    bool table_exists = false;
    // Copies, change logs, triggers: "table `x` on db1".
    std::vector<std::string> left;
    std::vector<std::string> kept;  // the original after a swap, which is kept on purpose
    // All that is left is gone from the writer: replicas may only have yet to drop it.
    bool replicas_behind = false;
    // Servers that could not be asked; what they hold is not known.
    std::vector<std::string> unreadable;
};

// Of the queue: what other jobs allow.
struct queue_view {
    bool may_begin = false;     // no other copy on this topology is in the way
    bool may_cut_over = false;  // nobody else is cutting over there
    std::string waits_for;      // a job's id, when it may not
};

struct supervision {
    checks::wall_time now{};
    process_view process;
    tool_view tool;
    topology_view topology;
    throttle_view throttle;
    queue_view queue;
    std::optional<plan> planned;            // made anew, while in `preflight`
    std::optional<database_view> database;  // the answer to look_at_database
    std::string long_transaction;  // one that would hold up the swap, in words; empty: none
};

// What the shell is to do, at once and in this order, after `next` is on disk. Each is safe to do
// twice and comes again with every step that still wants it: an agent that died in between does it
// then.
struct plan_again {};       // and tell it in `planned`
struct start_tool {};       // by the job's plan
struct hold_tool {};        // make it wait
struct release_tool {};     // let it go on
struct permit_cut_over {};  // one bounded attempt
struct stop_tool {          // end it the way that leaves least behind; a held one is woken for it
    bool hard = false;      // it did not listen
};
struct look_at_database {};  // and tell it in `database`
// Of an attempt that is over: the next look finds no process. Another attempt may follow.
struct forget_tool {};
using job_action = std::variant<plan_again, start_tool, hold_tool, release_tool, permit_cut_over,
                                stop_tool, look_at_database, forget_tool>;

struct job_step {
    job_record next;
    std::vector<job_action> actions;
};

job_step supervise(const job_record& now, const supervision& seen);

// Whether a swap that begins at `at` ends inside the window; true without one.
bool inside_window(const std::optional<daily_window>& window, checks::wall_time at,
                   std::chrono::seconds needs) noexcept;
// How long one attempt may block writes, at most.
std::chrono::seconds longest_block(const job_spec& spec) noexcept;
// How long after its permit an attempt is over, at most: pt-online-schema-change tries again by
// itself, because it would lose the copy otherwise.
std::chrono::seconds longest_attempt(tool which, const job_spec& spec) noexcept;

}  // namespace primacy::osc
