#include "osc/supervise.hpp"

#include "checks/words.hpp"

#include <algorithm>

namespace primacy::osc {

using namespace std::chrono_literals;
using fate = process_view::fate;

namespace {

// How long a tool that was told to end may take before it is killed.
constexpr auto patience_with_tool = 20s;
// How long the servers are asked what is true before a person has to look.
constexpr auto patience_with_database = 10min;
// Between two attempts to cut over.
constexpr auto pause_between_attempts = 5s;
// Events that may wait to be applied when a swap is tried.
constexpr std::uint64_t backlog_at_cut_over = 100;

struct stepping {
    job_record next;
    const supervision& seen;
    std::vector<job_action> actions;

    void go(job_state state, std::string sentence) {
        next.state = state;
        next.sentence = std::move(sentence);
        if (state != job_state::paused) next.held = hold_cause::none;
        if (is_over(state)) next.ended_at = seen.now;
    }
    bool native() const { return next.which == tool::native; }
};

std::string list_of(const std::vector<std::string>& names) {
    return checks::words::list(names);
}

// --- before the tool

void wait_in_queue(stepping& in) {
    if (in.next.wanted.abort) return in.go(job_state::aborted, "it was ended before it began");
    if (in.next.wanted.pause) {
        in.next.sentence = "waits, because a person has paused it";
        return;
    }
    if (!in.seen.queue.may_begin) {
        in.next.sentence = "waits behind " + in.seen.queue.waits_for;
        return;
    }
    in.go(job_state::preflight, "is checked once more before it begins");
    in.actions.push_back(plan_again{});
}

void take_plan(stepping& in, const plan& made) {
    in.next.which = *made.chosen;
    in.next.algorithm = made.algorithm;
    in.next.writer = made.writer;
    in.next.writers = {made.writer};
    in.next.replicas = made.replicas;
    in.next.before = remember_table(made.table);
    in.next.progress.estimated = made.expected.rows.value_or(0);
}

// Why a swap, or a native ALTER, may not begin now; empty: it may.
std::string why_not_now(const stepping& in) {
    const job_record& job = in.next;
    if (in.seen.throttle.cause != hold_cause::none) return in.seen.throttle.sentence;
    if (!in.seen.queue.may_cut_over) return in.seen.queue.waits_for + " is cutting over";
    if (!job.wanted.cut_over) {
        if (job.spec.cut_over == cut_over_by::person)
            return "a person has to say so: `primacy osc cut-over " + job.id + "`";
        if (job.attempts >= job.spec.attempts)
            return "all " + std::to_string(job.spec.attempts) +
                   " attempts failed; find out what holds the table, then `primacy osc cut-over " +
                   job.id + "`";
        if (!inside_window(job.spec.window, in.seen.now, longest_block(job.spec)))
            return "its window is closed";
    }
    if (in.seen.now < job.step_began_at + pause_between_attempts && job.attempts > 0)
        return "the last attempt was a moment ago";
    if (in.seen.tool.backlog.value_or(0) > backlog_at_cut_over)
        return std::to_string(*in.seen.tool.backlog) + " events are still to be applied";
    return in.seen.long_transaction;
}

void begin(stepping& in) {
    in.next.started_at = in.next.last_activity_at = in.seen.now;
    in.actions.push_back(start_tool{});
    if (in.native()) {
        ++in.next.attempts;
        in.next.step_began_at = in.seen.now;
        in.next.wanted.cut_over = false;
    }
    in.go(job_state::running, "has begun on " + in.next.writer);
}

void preflight(stepping& in) {
    if (in.next.wanted.abort) return in.go(job_state::aborted, "it was ended before it began");
    if (!in.seen.planned) {
        in.actions.push_back(plan_again{});
        return;
    }
    const plan& made = *in.seen.planned;
    if (!made.may_run()) {
        std::string reasons;
        for (const auto& each : made.refusals)
            reasons += (reasons.empty() ? "" : "; ") + each.reason;
        return in.go(job_state::failed, "refused: " + reasons);
    }
    take_plan(in, made);
    if (!in.native() || in.next.spec.attempt != trial::none) return begin(in);
    in.go(job_state::postponed, "is ready to begin");
}

// A native ALTER that has not begun: nothing is at work yet.
void wait_to_begin(stepping& in) {
    if (in.next.wanted.abort) return in.go(job_state::aborted, "it was ended before it began");
    bool other_writer = in.seen.topology.writer_known && in.seen.topology.writer != in.next.writer;
    if (other_writer)
        return in.go(job_state::failed, "the writer is " + in.seen.topology.writer + " now, not " +
                                            in.next.writer + "; plan it again");
    if (in.next.wanted.pause) {
        in.next.sentence = "waits, because a person has paused it";
        return;
    }
    std::string why = why_not_now(in);
    if (why.empty()) return begin(in);
    in.next.sentence = "is ready and waits: " + why;
}

// --- while the tool is at work

// Why the tool must end at once; empty: it may go on.
std::string why_stop(const stepping& in) {
    const auto& topology = in.seen.topology;
    if (in.next.wanted.abort) return "a person ended it";
    if (topology.writer_known && topology.writer != in.next.writer)
        return "the writer is " + topology.writer + " now, not " + in.next.writer;
    if (topology.writer_is_fenced) return in.next.writer + " is being fenced";
    return "";
}

void stop(stepping& in, std::string why) {
    if (in.next.stopping_because.empty()) {
        in.next.stopping_because = std::move(why);
        in.next.step_began_at = in.seen.now;
        in.actions.push_back(stop_tool{false});
    } else if (in.seen.now > in.next.step_began_at + patience_with_tool) {
        in.actions.push_back(stop_tool{true});
    }
    in.next.sentence = "is being ended: " + in.next.stopping_because;
}

void hold(stepping& in, const throttle_view& why) {
    in.next.state = job_state::paused;
    in.next.held = why.cause;
    in.next.sentence = why.sentence;
    in.actions.push_back(hold_tool{});
}

void ready(stepping& in) {
    std::string why = why_not_now(in);
    if (!why.empty()) return in.go(job_state::postponed, "is ready and waits: " + why);
    ++in.next.attempts;
    in.next.step_began_at = in.seen.now;
    in.next.wanted.cut_over = false;
    in.actions.push_back(permit_cut_over{});
    in.go(job_state::cutting_over,
          "attempt " + std::to_string(in.next.attempts) + " to swap the tables");
}

// One attempt is under way; it is over when the tool waits for leave again, or has ended.
void cutting_over(stepping& in) {
    bool waits_again = in.seen.tool.phase == tool_phase::ready &&
                       in.seen.now > in.next.step_began_at + longest_block(in.next.spec);
    if (waits_again) return ready(in);
    in.next.sentence =
        "attempt " + std::to_string(in.next.attempts) + " to swap the tables is under way";
}

void work(stepping& in) {
    if (std::string why = why_stop(in); !why.empty() || !in.next.stopping_because.empty())
        return stop(in, std::move(why));
    if (in.next.state == job_state::cutting_over && in.seen.tool.phase != tool_phase::copying)
        return cutting_over(in);
    throttle_view why = in.seen.throttle;
    if (in.next.wanted.pause) why = {hold_cause::user, "a person has paused it"};
    if (in.native()) {  // nothing can hold it; it ends or is ended
        in.next.state = job_state::running;
        in.next.sentence = "ALTER TABLE runs on " + in.next.writer;
        return;
    }
    if (why.cause != hold_cause::none) return hold(in, why);
    if (in.next.state == job_state::paused) in.actions.push_back(release_tool{});
    if (in.seen.tool.phase == tool_phase::ready) return ready(in);
    std::string what = in.seen.tool.phase == tool_phase::copying ? "copies rows on " : "works on ";
    in.go(job_state::running, what + in.next.writer);
}

// --- after the tool

std::string how_it_ended(const process_view& process) {
    if (process.what == fate::gone) return "its exit status was not seen";
    if (process.signal) return "it was killed by signal " + std::to_string(*process.signal);
    if (process.exit_code) return "it ended with exit code " + std::to_string(*process.exit_code);
    return "how it ended is not known";
}

void conclude(stepping& in, const database_view& truth) {
    const process_view& process = in.seen.process;
    const bool status_good = process.exit_code && *process.exit_code == 0;
    const bool words_good = in.seen.tool.said_success;
    in.next.left = truth.left;
    in.next.kept = truth.kept;
    std::string why = in.next.stopping_because;
    if (why.empty()) why = in.seen.tool.failure;
    if (why.empty()) why = how_it_ended(process);
    if (!truth.table_exists)
        return in.go(job_state::ambiguous, "the table is not there any more; " + why);
    const bool trial_run = in.next.spec.attempt != trial::none;
    if (status_good && words_good && (truth.altered || trial_run) && truth.left.empty())
        return in.go(job_state::completed, trial_run ? "the trial succeeded; nothing was changed"
                                                     : "the table is altered");
    if (status_good && words_good && !truth.altered && !trial_run)
        return in.go(job_state::ambiguous,
                     "the tool says that it succeeded, and the table is not altered");
    // The swap has happened although the tool, or whoever watched it, died on the way.
    if (truth.altered && !trial_run) {
        if (truth.left.empty())
            return words_good || process.what == fate::gone
                       ? in.go(job_state::completed, "the table is altered (" + why + ")")
                       : in.go(job_state::ambiguous,
                               "the table is altered, and the tool says otherwise: " + why);
        return in.go(job_state::leftover,
                     "the table is altered; " + why + "; left: " + list_of(truth.left));
    }
    if (!truth.left.empty())
        return in.go(job_state::leftover,
                     why + "; left: " + list_of(truth.left) + "; see `primacy osc cleanup`");
    return in.go(in.next.stopping_because.empty() ? job_state::failed : job_state::aborted, why);
}

void verify(stepping& in) {
    if (in.next.state != job_state::verifying) {
        in.go(job_state::verifying, "the tool has ended; asking the servers what is true");
        in.next.step_began_at = in.seen.now;
    }
    const bool asked_long = in.seen.now > in.next.step_began_at + patience_with_database;
    if (in.seen.database && in.seen.database->unreadable.empty())
        return conclude(in, *in.seen.database);
    if (asked_long)
        return in.go(job_state::ambiguous,
                     in.seen.database ? "what the tool left on " +
                                            list_of(in.seen.database->unreadable) + " is not known"
                                      : in.next.writer + " could not be asked what is true");
    if (in.seen.database)
        in.next.sentence =
            "waits for " + list_of(in.seen.database->unreadable) + ", which may hold leftovers";
    in.actions.push_back(look_at_database{});
}

}  // namespace

std::chrono::seconds longest_block(const job_spec& spec) noexcept {
    return 2 * spec.lock_wait + 1s;
}

bool inside_window(const std::optional<daily_window>& window, checks::wall_time at,
                   std::chrono::seconds needs) noexcept {
    if (!window || window->begin == window->end) return true;
    constexpr auto day = 24h;
    std::chrono::nanoseconds of_day = at.time_since_epoch() % day;
    std::chrono::nanoseconds since = (of_day - window->begin + day) % day;
    std::chrono::nanoseconds length = (window->end - window->begin + day) % day;
    return since + needs <= length;
}

job_step supervise(const job_record& now, const supervision& seen) {
    stepping in{now, seen, {}};
    if (is_over(now.state)) return {now, {}};
    if (seen.tool.last_word_at && *seen.tool.last_word_at > now.last_activity_at)
        in.next.last_activity_at = *seen.tool.last_word_at;
    if (seen.topology.writer_known && !now.writers.empty() &&
        std::find(now.writers.begin(), now.writers.end(), seen.topology.writer) ==
            now.writers.end())
        in.next.writers.push_back(seen.topology.writer);

    const bool tool_ended = seen.process.what == fate::ended || seen.process.what == fate::gone;
    if (now.state == job_state::queued)
        wait_in_queue(in);
    else if (now.state == job_state::preflight)
        preflight(in);
    else if (now.state == job_state::verifying || tool_ended)
        verify(in);
    else if (seen.process.what == fate::none && now.state == job_state::postponed)
        wait_to_begin(in);
    else if (seen.process.what == fate::none) {
        // It was to be started, and the agent died before, or in the middle of it.
        in.next.stopping_because = "the agent ended before the tool was known to have started";
        verify(in);
    } else
        work(in);
    return {std::move(in.next), std::move(in.actions)};
}

}  // namespace primacy::osc
