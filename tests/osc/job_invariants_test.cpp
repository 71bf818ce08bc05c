// Thousands of random jobs: whatever is seen in whatever order, what must always hold is looked at
// after every single step.
#include "tests/osc/job_world.hpp"
#include "tests/support/random_histories.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace primacy::osc;
using namespace primacy::osc_stories;
using namespace std::chrono_literals;
using fate = process_view::fate;
using primacy::tests::script;

template <class Action>
bool acts(const job_step& step) {
    return std::any_of(step.actions.begin(), step.actions.end(),
                       [](const job_action& each) { return std::holds_alternative<Action>(each); });
}

bool is_safe(const topology_view& topology) {
    return !topology.split_brain && topology.writer_known && !topology.writer.empty() &&
           !topology.writer_is_fenced;
}

// Looks at each step of one job; the answer is what is violated, empty when nothing is.
class referee {
public:
    std::string look(const stepped& now) {
        const job_record &before = now.before, &after = now.step.next;
        if (is_over(before.state)) return look_at_the_end(now);
        if (after.sentence.empty()) return "a job must always say what is going on";
        if ((after.held != hold_cause::none) != (after.state == job_state::paused))
            return "a cause belongs to a pause, and to nothing else";
        if ((after.ended_at != primacy::checks::wall_time{}) != is_over(after.state))
            return "the end has a time, and nothing else has";
        if (after.attempts < before.attempts) return "attempts are never forgotten";
        for (auto check :
             {&referee::look_at_stop, &referee::look_at_beginning, &referee::look_at_swap,
              &referee::look_at_hold, &referee::look_at_result})
            if (std::string wrong = (this->*check)(now); !wrong.empty()) return wrong;
        return "";
    }

private:
    std::string look_at_the_end(const stepped& now) {
        if (!now.step.actions.empty()) return "a job that is over does nothing";
        if (now.step.next.state != now.before.state ||
            now.step.next.sentence != now.before.sentence ||
            now.step.next.ended_at != now.before.ended_at)
            return "a job that is over does not change";
        return "";
    }

    std::string look_at_stop(const stepped& now) {
        const bool lets_go = acts<release_tool>(now.step) || acts<permit_cut_over>(now.step) ||
                             acts<start_tool>(now.step) || acts<hold_tool>(now.step);
        if (stopped_ && lets_go) return "a tool that was told to end is told nothing else";
        stopped_ |= acts<stop_tool>(now.step);
        const auto& topology = now.seen.topology;
        const bool must_end = now.before.wanted.abort || topology.writer_is_fenced ||
                              (topology.writer_known && topology.writer != now.before.writer);
        if (is_alive(now) && must_end && !acts<stop_tool>(now.step))
            return "a tool that must end is told so in this very step";
        return "";
    }

    std::string look_at_beginning(const stepped& now) {
        if (acts<plan_again>(now.step) != (now.step.next.state == job_state::preflight))
            return "a plan is asked for in preflight, and there always";
        if (acts<look_at_database>(now.step) && now.step.next.state != job_state::verifying)
            return "the database is asked in verification alone";
        if (!acts<start_tool>(now.step)) return "";
        if (!is_safe(now.seen.topology)) return "nothing begins while the topology is in trouble";
        if (now.step.next.writer != now.seen.topology.writer)
            return "nothing begins on another server than the writer";
        if (now.before.wanted.abort || now.before.wanted.pause)
            return "nothing begins against a person's word";
        if (!now.seen.planned || !now.seen.planned->may_run())
            return "nothing begins without a plan that allows it";
        if (now.seen.process.what == fate::alive) return "no tool is started beside another";
        if (now.step.next.which != tool::native && started_++) return "a tool is started once";
        return now.step.next.which == tool::native ? look_at_attempt(now) : "";
    }

    std::string look_at_swap(const stepped& now) {
        if (!acts<permit_cut_over>(now.step)) return "";
        if (!acts<release_tool>(now.step)) return "a tool that is held cannot use its leave";
        if (now.step.next.writer != now.seen.topology.writer)
            return "nothing is swapped on another server than the writer";
        if (now.seen.tool.phase != tool_phase::ready) return "leave is given to a tool that waits";
        return look_at_attempt(now);
    }

    // Of a swap or of a native ALTER.
    static std::string look_at_attempt(const stepped& now) {
        const job_spec& spec = now.before.spec;
        const bool asked = now.before.wanted.cut_over;
        if (!is_safe(now.seen.topology)) return "no attempt while the topology is in trouble";
        if (now.seen.throttle.cause != hold_cause::none) return "no attempt while throttled";
        if (!now.seen.queue.may_cut_over) return "one attempt at a time on a topology";
        if (!now.seen.long_transaction.empty()) return "no attempt behind a long transaction";
        if (asked) return "";
        if (spec.cut_over == cut_over_by::person) return "a person alone may say so";
        if (now.before.attempts >= spec.attempts) return "more attempts of its own than allowed";
        if (!inside_window(spec.window, now.seen.now, longest_attempt(now.step.next.which, spec)))
            return "an attempt that may end outside the window";
        return "";
    }

    std::string look_at_hold(const stepped& now) {
        const bool holds = acts<hold_tool>(now.step), lets_go = acts<release_tool>(now.step);
        if (holds && lets_go) return "held and let go at once";
        if (holds != (now.step.next.state == job_state::paused)) return "paused is held";
        if (!is_alive(now) || now.before.which == tool::native || stopped_) return "";
        if (!is_safe(now.seen.topology) &&
            !(holds && now.step.next.held == hold_cause::split_brain))
            return "a topology in trouble holds the tool in this very step";
        const bool bound = now.before.permit != permit_state::none &&
                           !now.step.next.permit_by_person &&
                           now.step.next.permit != permit_state::none;
        if (lets_go && bound && now.before.state == job_state::paused &&
            !inside_window(now.before.spec.window, now.seen.now, 0s))
            return "a tool with leave in its pocket is let go outside the window";
        return "";
    }

    std::string look_at_result(const stepped& now) {
        const job_record& after = now.step.next;
        if (!is_over(after.state)) return "";
        const bool began = now.before.state == job_state::verifying;
        const auto& truth = now.seen.database;
        switch (after.state) {
            case job_state::completed: return look_at_success(now);
            case job_state::failed:
            case job_state::aborted:
                if (!after.left.empty()) return "nothing left means nothing left";
                if (began && (!truth || truth->altered || !truth->unreadable.empty()))
                    return "a failure without knowing that nothing was changed";
                if (!began && now.seen.process.what != fate::none)
                    return "an end without asking the servers";
                return "";
            case job_state::leftover:
                return after.left.empty() ? "leftover without anything left" : "";
            default: return "";
        }
    }

    static std::string look_at_success(const stepped& now) {
        const auto& truth = now.seen.database;
        const auto& process = now.seen.process;
        const bool proved = process.what == fate::ended && process.exit_code == 0 &&
                            !process.signal && now.seen.tool.said_success;
        const bool unseen = process.what == fate::gone &&
                            (now.seen.tool.said_success || now.seen.tool.failure.empty());
        if (!truth || !truth->table_exists || !truth->unreadable.empty())
            return "success without the server's word";
        if (now.before.spec.attempt != trial::none)
            return proved && !truth->altered ? "" : "a trial that proves too little";
        if (!truth->altered || !truth->left.empty()) return "success that the server denies";
        if (!is_safe(now.seen.topology) || now.seen.topology.writer != now.before.writer)
            return "success on a server that may be the wrong one";
        return proved || unseen ? "" : "success without three proofs";
    }

    // At work in the sense that the state machine has to do with a process that runs.
    static bool is_alive(const stepped& now) {
        return now.seen.process.what == fate::alive && now.before.state != job_state::queued &&
               now.before.state != job_state::preflight;
    }

    bool stopped_ = false;
    int started_ = 0;
};

class storyteller {
public:
    explicit storyteller(std::uint64_t seed) : random_(seed) {}

    script tell() {
        script lines = {"job " +
                        pick({"tool=gh-ost", "tool=gh-ost", "tool=pt-osc", "tool=native"}) +
                        pick({"", "", " window=11:00-12:02", " window=22:00-04:00"}) +
                        pick({"", "", "", " cut_over_by_person"}) +
                        pick({" attempts=1", " attempts=2", "", ""}) +
                        pick({"", "", "", "", "", " dry_run", " test_on=db3"})};
        if (below(3)) lines.push_back("tick 3");
        for (int i = 10 + below(40); i > 0; --i)
            lines.push_back(step());
        lines.push_back("tick 3");
        return lines;
    }

private:
    int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
    std::string pick(const std::vector<const char*>& words) {
        return words[static_cast<std::size_t>(below(static_cast<int>(words.size())))];
    }

    std::string step() {
        switch (below(12)) {
            case 0:
            case 1:
            case 2:
            case 3: return "tick " + std::to_string(1 + below(4));
            case 4:
                return "tool " + pick({"copying", "ready", "ready", "swapping", "done", "starting",
                                       "failed=1", "failed=2", "backlog=5000", "backlog=0",
                                       "behind=9", "behind=0", "says_success", "says_success",
                                       "says=\"FATAL oops\"", "silent"});
            case 5:
                return "process " + pick({"alive", "alive", "none", "gone", "exit=0", "exit=0",
                                          "exit=1", "signal=9"});
            case 6:
                return "database " +
                       pick({"altered", "altered", "unaltered", "unaltered", "missing", "silent",
                             "unaltered \"left=table `_orders_gho` on db1\"",
                             "altered \"left=table `_orders_ghc` on db1\"",
                             "altered unreadable=db3"});
            case 7:
                return "topology " + pick({"split_brain", "whole", "whole", "whole writer=db1",
                                           "whole not_fenced writer=db1", "writer=db2",
                                           "writer_unknown", "fenced", "not_fenced"});
            case 8:
                return pick({"throttle lag \"db2 lags\"", "throttle load", "throttle off",
                             "throttle off", "queue free", "queue free", "queue behind=lines-3",
                             "queue cutting_over=lines-3"});
            case 9:
                return "person " +
                       pick({"pause", "resume", "resume", "cut_over", "cut_over", "abort"});
            case 10: return rare();
            default: return "wait " + pick({"6s", "30s", "3m", "12m"});
        }
    }

    std::string rare() {
        return pick({"restart", "dies_before_acting", "long_transaction a long one",
                     "long_transaction ends", "long_transaction ends", "plan writer=db2",
                     "plan writer=db1", "plan refused=triggers:triggers",
                     "plan refused=split_brain:split", "plan fine", "time 21:59:50",
                     "time 11:59:50", "time 12:01:50", "tool speaks"});
    }

    std::mt19937_64 random_;
};

// How often the histories came to the places where it matters.
using tally = std::map<std::string, int>;

void count(const stepped& now, tally& counts) {
    const job_record &before = now.before, &after = now.step.next;
    if (before.state != after.state) ++counts[std::string(to_string(after.state))];
    if (after.state == job_state::paused && after.held != before.held)
        ++counts["paused " + std::string(to_string(after.held))];
    counts["permits"] += acts<permit_cut_over>(now.step);
    counts["starts"] += acts<start_tool>(now.step);
    counts["stops"] += acts<stop_tool>(now.step) && before.stopping_because.empty();
    counts["held in an attempt"] +=
        acts<hold_tool>(now.step) && before.state == job_state::cutting_over;
}

}  // namespace

TEST_CASE("what must always hold of a job holds whatever is seen") {
    tally counts;
    const auto counted = [&counts](const stepped& now) { count(now, counts); };
    if (!primacy::tests::holds_in_random_histories<job_world, referee, storyteller>(20'000,
                                                                                    counted))
        return;
    for (const char* place :
         {"completed", "failed", "aborted", "leftover", "ambiguous", "postponed", "cutting_over",
          "verifying", "paused user", "paused lag", "paused load", "paused split_brain",
          "paused window", "permits", "starts", "stops", "held in an attempt"}) {
        CAPTURE(std::string(place));
        CHECK(counts[place] > 20);
    }
}
