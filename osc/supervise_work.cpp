// A job whose tool is at work: held, let go, permitted to swap, ended.
#include "checks/words.hpp"
#include "osc/supervise_step.hpp"

namespace primacy::osc {

using namespace std::chrono_literals;
namespace words = checks::words;

namespace {

// How long a tool that was told to end may take before it is killed.
constexpr auto patience_with_tool = 20s;
// A tool that works says something at least this often.
constexpr auto patience_with_silence = 2min;

bool is_overdue(const stepping& in) {
    return in.seen.now > in.next.step_began_at + longest_attempt(in.next.which, in.next.spec);
}

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
    }
    const bool hard = in.seen.now > in.next.step_began_at + patience_with_tool;
    in.act(stop_tool{hard});
    in.go(job_state::running, "is being ended: " + in.next.stopping_because +
                                  (hard ? "; it did not listen and is killed" : ""));
}

// A statement of the server: it ends or is ended, and cannot wait.
void work_natively(stepping& in) {
    std::string but;
    if (std::string why = why_topology_unsafe(in.seen.topology); !why.empty())
        but = why;
    else if (in.next.wanted.pause)
        but = "a person wants a pause";
    else
        but = in.seen.throttle.sentence;
    in.go(job_state::running,
          "ALTER TABLE runs on " + in.next.writer +
              (but.empty() ? "" : "; " + but + ", but it can only be ended, not held"));
}

void hold(stepping& in, hold_cause cause, std::string sentence) {
    if (sentence.empty()) sentence = "it is held because of " + std::string(to_string(cause));
    in.go(job_state::paused, std::move(sentence));
    in.next.held = cause;
    in.act(hold_tool{});
}

// What became of the permit, as far as the tool shows.
void follow_permit(stepping& in) {
    job_record& job = in.next;
    const tool_view& tool = in.seen.tool;
    const bool swaps = tool.phase == tool_phase::swapping || tool.phase == tool_phase::done;
    if (job.permit == permit_state::given && (swaps || tool.failed_attempts > job.failed_before))
        job.permit = permit_state::taken;
    if (job.permit == permit_state::taken && tool.phase == tool_phase::ready)
        job.permit = permit_state::none;
    if (job.permit != permit_state::none && job.wanted.cut_over) job.permit_by_person = true;
}

bool permit_is_bound(const stepping& in) {
    return in.next.permit != permit_state::none && !in.next.permit_by_person;
}

// A permit that was given inside the window must not be used after it.
bool outlives_window(const stepping& in) {
    return permit_is_bound(in) && is_overdue(in) &&
           !inside_window(in.next.spec.window, in.seen.now, 0s);
}

// Held with a permit in its pocket, it swaps as soon as it is let go.
bool may_not_be_released(const stepping& in) {
    return in.next.state == job_state::paused && permit_is_bound(in) &&
           !inside_window(in.next.spec.window, in.seen.now,
                          longest_attempt(in.next.which, in.next.spec));
}

std::string why_window_holds(const stepping& in) {
    const std::string attempt = "attempt " + std::to_string(in.next.attempts) + " to swap";
    return inside_window(in.next.spec.window, in.seen.now, 0s)
               ? "its window closes too soon for " + attempt + ", which it may still make"
               : "its window closed before " + attempt + " was known to be over";
}

// Whether something makes it wait; it does then.
bool held(stepping& in) {
    if (std::string why = why_topology_unsafe(in.seen.topology); !why.empty())
        hold(in, hold_cause::split_brain, std::move(why));
    else if (outlives_window(in) || may_not_be_released(in))
        hold(in, hold_cause::window, why_window_holds(in));
    // What is bounded and under way ends sooner than it could be stopped.
    else if (in.next.state == job_state::cutting_over && in.next.permit != permit_state::none &&
             !is_overdue(in))
        return false;
    else if (in.next.wanted.pause)
        hold(in, hold_cause::user, "a person has paused it");
    else if (in.seen.throttle.cause != hold_cause::none)
        hold(in, in.seen.throttle.cause, in.seen.throttle.sentence);
    else
        return false;
    return true;
}

void await_attempt(stepping& in) {
    std::string what = in.next.attempts == 0 ? "the tool swaps the tables without leave"
                                             : "attempt " + std::to_string(in.next.attempts) +
                                                   " to swap the tables is under way";
    in.go(job_state::cutting_over,
          what + (is_overdue(in) ? " and takes longer than it should" : ""));
}

void permit(stepping& in) {
    job_record& job = in.next;
    ++job.attempts;
    job.step_began_at = in.seen.now;
    job.permit = permit_state::given;
    job.permit_by_person = job.wanted.cut_over;
    job.failed_before = in.seen.tool.failed_attempts;
    job.wanted.cut_over = false;
    in.act(permit_cut_over{});
    in.go(job_state::cutting_over,
          "attempt " + std::to_string(job.attempts) + " to swap the tables");
}

void ready(stepping& in) {
    const bool under_way = in.next.permit != permit_state::none && !is_overdue(in);
    if (under_way) return await_attempt(in);
    std::string why = why_not_now(in);
    if (why.empty()) return permit(in);
    if (in.next.permit != permit_state::none) why += "; the tool may still use the leave it has";
    in.go(job_state::postponed, "is ready and waits: " + why);
}

void swaps_without_leave(stepping& in) {
    in.next.permit = permit_state::taken;
    in.next.permit_by_person = false;
    in.next.step_began_at = in.seen.now;
    in.go(job_state::cutting_over,
          "the tool swaps the tables without leave; was one of its flag files removed?");
}

void go_on(stepping& in) {
    std::string what = in.seen.tool.phase == tool_phase::copying ? "copies rows on "
                       : in.seen.tool.phase == tool_phase::done  ? "is done and ends on "
                                                                 : "works on ";
    what += in.next.writer;
    const auto silent = in.seen.now - in.next.last_activity_at;
    if (silent > patience_with_silence)
        what += "; the tool has said nothing for " + words::seconds(silent) +
                ", see `primacy osc logs " + in.next.id + "`";
    in.go(job_state::running, std::move(what));
}

}  // namespace

void work(stepping& in) {
    if (std::string why = why_stop(in); !why.empty() || !in.next.stopping_because.empty())
        return stop(in, std::move(why));
    if (in.native()) return work_natively(in);
    follow_permit(in);
    if (held(in)) return;
    in.act(release_tool{});
    const tool_phase phase = in.seen.tool.phase;
    if (phase == tool_phase::ready) return ready(in);
    if (in.next.permit != permit_state::none && phase != tool_phase::done) return await_attempt(in);
    if (phase == tool_phase::swapping) return swaps_without_leave(in);
    go_on(in);
}

}  // namespace primacy::osc
