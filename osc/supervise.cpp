#include "osc/supervise.hpp"

#include "checks/words.hpp"
#include "osc/supervise_step.hpp"

#include <algorithm>

namespace primacy::osc {

using namespace std::chrono_literals;
using fate = process_view::fate;

namespace {

// Between two attempts to cut over.
constexpr auto pause_between_attempts = 5s;
// Before a plan that met a topology in trouble is made again.
constexpr auto pause_between_plans = 5s;
// Events that may wait to be applied when a swap is tried.
constexpr std::uint64_t backlog_at_cut_over = 100;

// gh-ost uses a permit at once below both of its limits; half of them is well below.
double most_behind(const job_spec& spec) {
    const std::chrono::duration<double> lag = spec.max_lag, wait = spec.lock_wait;
    return std::min(lag, wait).count() / 2;
}

checks::duration as_duration(double seconds) {
    constexpr double year = 365.0 * 24 * 3600;  // it shows 292 years when it knows nothing
    return std::chrono::duration_cast<checks::duration>(
        std::chrono::duration<double>(std::min(seconds, year)));
}

std::string waits_for(const stepping& in) {
    return in.seen.queue.waits_for.empty() ? "another job" : in.seen.queue.waits_for;
}

// Nothing is at work yet, or any more.
void end_before_beginning(stepping& in) {
    in.go(job_state::aborted, in.next.attempts == 0 ? "it was ended before it began"
                                                    : "it was ended; nothing was changed");
}

// Why it may not even be prepared; empty: it may.
std::string why_wait(const stepping& in) {
    if (in.next.wanted.pause) return "waits, because a person has paused it";
    std::string why = why_topology_unsafe(in.seen.topology);
    return why.empty() ? "" : "waits: " + why;
}

void ask_for_plan(stepping& in) {
    in.go(job_state::preflight, "is checked once more before it begins");
    in.act(plan_again{});
}

void wait_in_queue(stepping& in) {
    if (in.next.wanted.abort) return end_before_beginning(in);
    if (std::string why = why_wait(in); !why.empty()) return in.go(job_state::queued, why);
    if (in.seen.now < in.next.step_began_at + pause_between_plans) return;
    if (!in.seen.queue.may_begin) return in.go(job_state::queued, "waits behind " + waits_for(in));
    ask_for_plan(in);
}

void take_plan(stepping& in, const plan& made) {
    in.next.which = *made.chosen;
    in.next.algorithm = made.algorithm;
    in.next.writer = made.writer;
    auto& writers = in.next.writers;
    if (std::find(writers.begin(), writers.end(), made.writer) == writers.end())
        writers.push_back(made.writer);
    in.next.replicas = made.replicas;
    in.next.before = remember_table(made.table);
    in.next.progress.estimated = made.expected.rows.value_or(0);
}

void begin(stepping& in) {
    if (in.next.started_at == checks::wall_time{}) in.next.started_at = in.seen.now;
    in.next.last_activity_at = in.next.step_began_at = in.seen.now;
    in.next.permit = permit_state::none;
    in.act(start_tool{});
    if (in.native()) {
        ++in.next.attempts;
        in.next.wanted.cut_over = false;
    }
    in.go(job_state::running, "has begun on " + in.next.writer);
}

// A topology in trouble ends by itself or by others; the job has done nothing yet and can wait.
bool is_only_the_topology(const plan& made) {
    return std::all_of(made.refusals.begin(), made.refusals.end(), [](const refusal& each) {
        return each.code == "split_brain" || each.code == "unknown_writer";
    });
}

void preflight(stepping& in) {
    if (in.next.wanted.abort) return end_before_beginning(in);
    if (std::string why = why_wait(in); !why.empty()) return in.go(job_state::queued, why);
    if (!in.seen.planned) return ask_for_plan(in);
    const plan& made = *in.seen.planned;
    if (!made.may_run()) {
        std::string reasons;
        for (const auto& each : made.refusals)
            reasons += (reasons.empty() ? "" : "; ") + each.reason;
        if (reasons.empty()) reasons = "no tool can do it";
        const bool may_pass = !made.refusals.empty() && is_only_the_topology(made);
        in.next.step_began_at = in.seen.now;
        return may_pass ? in.go(job_state::queued, "waits: " + reasons)
                        : in.go(job_state::failed, "refused: " + reasons);
    }
    if (made.writer != in.seen.topology.writer) return ask_for_plan(in);
    take_plan(in, made);
    if (!in.native()) return begin(in);
    std::string why = why_not_now(in);
    if (why.empty()) return begin(in);
    in.go(job_state::postponed, "is ready and waits: " + why);
}

// A native ALTER between its plan and its beginning. What was planned hours ago may be wrong now.
void wait_to_begin(stepping& in) {
    if (in.next.wanted.abort) return end_before_beginning(in);
    if (in.next.wanted.pause)
        return in.go(job_state::postponed, "waits, because a person has paused it");
    std::string why = why_not_now(in);
    if (why.empty()) return ask_for_plan(in);
    in.go(job_state::postponed, "is ready and waits: " + why);
}

void dispatch(stepping& in) {
    const job_state state = in.next.state;
    const fate process = in.seen.process.what;
    if (state == job_state::queued) return wait_in_queue(in);
    if (state == job_state::preflight) return preflight(in);
    if (in.process_ended()) return verify(in);
    if (process == fate::alive) return work(in);
    if (in.native() && state == job_state::postponed) return wait_to_begin(in);
    verify(in);  // it was to be started, and was never seen
}

}  // namespace

void stepping::go(job_state state, std::string sentence) {
    next.state = state;
    next.sentence = std::move(sentence);
    if (state != job_state::paused) next.held = hold_cause::none;
    if (is_over(state)) next.ended_at = seen.now;
}

std::string why_topology_unsafe(const topology_view& topology) {
    if (topology.split_brain) return "a split brain is suspected or confirmed";
    if (!topology.writer_known || topology.writer.empty())
        return "which server is the writer is not known";
    if (topology.writer_is_fenced) return topology.writer + " is being fenced";
    return "";
}

std::string why_not_now(const stepping& in) {
    const job_record& job = in.next;
    if (std::string why = why_topology_unsafe(in.seen.topology); !why.empty()) return why;
    if (in.seen.throttle.cause != hold_cause::none)
        return in.seen.throttle.sentence.empty()
                   ? "it is held because of " + std::string(to_string(in.seen.throttle.cause))
                   : in.seen.throttle.sentence;
    if (!in.seen.queue.may_cut_over) return waits_for(in) + " is cutting over";
    if (!job.wanted.cut_over) {
        if (job.spec.cut_over == cut_over_by::person)
            return "a person has to say so: `primacy osc cut-over " + job.id + "`";
        if (job.attempts >= job.spec.attempts)
            return "all " + std::to_string(job.spec.attempts) +
                   " attempts failed; find out what holds the table, then `primacy osc cut-over " +
                   job.id + "`";
        if (!inside_window(job.spec.window, in.seen.now, 0s)) return "its window is closed";
        if (!inside_window(job.spec.window, in.seen.now, longest_attempt(job.which, job.spec)))
            return "its window closes too soon for another attempt";
    }
    if (in.seen.now < job.step_began_at + pause_between_attempts && job.attempts > 0)
        return "the last attempt was a moment ago";
    if (in.seen.tool.backlog.value_or(0) > backlog_at_cut_over)
        return std::to_string(*in.seen.tool.backlog) + " events are still to be applied";
    if (in.seen.tool.behind_seconds.value_or(0) > most_behind(job.spec))
        return "the tool is " + checks::words::seconds(as_duration(*in.seen.tool.behind_seconds)) +
               " behind the binary log";
    return in.seen.long_transaction;
}

std::chrono::seconds longest_block(const job_spec& spec) noexcept {
    return 2 * spec.lock_wait + 1s;
}

std::chrono::seconds longest_attempt(tool which, const job_spec& spec) noexcept {
    switch (which) {
        case tool::native: return spec.lock_wait + 1s;
        case tool::gh_ost: return longest_block(spec);
        // Each try waits for the lock and then a second; before them it analyses the new table.
        case tool::pt_osc: return spec.attempts * (spec.lock_wait + 1s) + 5s;
    }
    return longest_block(spec);
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
    if (is_over(now.state)) return {now, {}};
    stepping in{now, seen, {}};
    if (seen.tool.last_word_at && *seen.tool.last_word_at > now.last_activity_at)
        in.next.last_activity_at = *seen.tool.last_word_at;
    const auto& writers = now.writers;
    if (seen.topology.writer_known && !seen.topology.writer.empty() && !writers.empty() &&
        std::find(writers.begin(), writers.end(), seen.topology.writer) == writers.end())
        in.next.writers.push_back(seen.topology.writer);
    dispatch(in);
    return {std::move(in.next), std::move(in.actions)};
}

}  // namespace primacy::osc
