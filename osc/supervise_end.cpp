// A job whose tool has ended: what is true, by its exit status, its words and the servers.
#include "checks/words.hpp"
#include "osc/supervise_step.hpp"

namespace primacy::osc {

using namespace std::chrono_literals;
using fate = process_view::fate;
namespace words = checks::words;

namespace {

// How long the servers are asked what is true before a person has to look.
constexpr auto patience_with_database = 10min;
// How long replicas may take to drop what the writer has dropped, before it counts as left there.
constexpr auto patience_with_replicas = 1min;

std::string how_it_ended(const process_view& process) {
    if (process.what == fate::none)
        return "the tool was never seen to run: it could not be started, or the agent ended at "
               "that moment";
    if (process.what == fate::gone) return "its exit status was not seen";
    if (process.signal) return "it was killed by signal " + std::to_string(*process.signal);
    if (process.exit_code) return "it ended with exit code " + std::to_string(*process.exit_code);
    return "how it ended is not known";
}

std::string why_it_ended(const stepping& in) {
    if (!in.next.stopping_because.empty()) return in.next.stopping_because;
    if (!in.seen.tool.failure.empty()) return in.seen.tool.failure;
    return how_it_ended(in.seen.process);
}

bool status_good(const stepping& in) {
    return in.seen.process.what == fate::ended && in.seen.process.exit_code == 0 &&
           !in.seen.process.signal;
}

// It ended without being seen, and nothing that it said speaks against success.
bool status_unseen(const stepping& in) {
    return in.seen.process.what == fate::gone &&
           (in.seen.tool.said_success || in.seen.tool.failure.empty());
}

// The writer changed under it: what it did may be on the wrong side.
bool on_the_wrong_side(const stepping& in) {
    return in.seen.topology.writer != in.next.writer ||
           (!in.next.stopping_because.empty() && in.next.writers.size() > 1);
}

void conclude_altered(stepping& in, const std::string& why) {
    const auto& left = in.next.left;
    const std::string stopped =
        in.next.stopping_because.empty()
            ? ""
            : "; it was too late to end it (" + in.next.stopping_because + ")";
    if (on_the_wrong_side(in))
        return in.go(job_state::ambiguous, "the table is altered on " + in.next.writer +
                                               ", and the writer is " + in.seen.topology.writer +
                                               " now; compare the table on both");
    if (!left.empty())
        return in.go(job_state::leftover, "the table is altered; " + why + "; left: " +
                                              words::list(left) + "; see `primacy osc cleanup`");
    if (status_good(in) && in.seen.tool.said_success)
        return in.go(job_state::completed, "the table is altered" + stopped);
    if (status_unseen(in))
        return in.go(job_state::completed,
                     "the table is altered (the tool's exit status was not seen)" + stopped);
    in.go(job_state::ambiguous, "the table is altered, and the tool does not say so: " + why);
}

void conclude_unaltered(stepping& in, const std::string& why) {
    const auto& left = in.next.left;
    if (in.seen.tool.said_success)
        return in.go(job_state::ambiguous,
                     "the tool says that it succeeded, and the table is not altered");
    if (!left.empty())
        return in.go(job_state::leftover,
                     why + "; left: " + words::list(left) + "; see `primacy osc cleanup`");
    if (!in.next.stopping_because.empty()) return in.go(job_state::aborted, why);
    if (in.native() && in.process_ended() && in.seen.tool.failed_attempts > 0) {
        in.act(forget_tool{});
        in.next.step_began_at = in.seen.now;
        return in.go(job_state::postponed, "attempt " + std::to_string(in.next.attempts) +
                                               " did not get the table's lock");
    }
    in.go(job_state::failed, why);
}

void conclude_trial(stepping& in, bool altered, const std::string& why) {
    const auto& left = in.next.left;
    if (altered)
        return in.go(job_state::ambiguous, "it was a trial, and the table is altered; " + why);
    const bool succeeded = status_good(in) && in.seen.tool.said_success;
    const bool keeps = in.next.spec.attempt == trial::test_on_replica;
    if (succeeded && (left.empty() || keeps))
        return in.go(job_state::completed,
                     left.empty() ? "the trial succeeded; nothing was changed"
                                  : "the trial succeeded; to compare, it left " +
                                        words::list(left) + "; see `primacy osc cleanup`");
    if (!left.empty())
        return in.go(job_state::leftover,
                     why + "; left: " + words::list(left) + "; see `primacy osc cleanup`");
    in.go(in.next.stopping_because.empty() ? job_state::failed : job_state::aborted, why);
}

void conclude(stepping& in, const database_view& truth) {
    const std::string why = why_it_ended(in);
    if (!truth.table_exists)
        return in.go(job_state::ambiguous, "the table is not there any more; " + why);
    if (in.next.spec.attempt != trial::none) return conclude_trial(in, truth.altered, why);
    truth.altered ? conclude_altered(in, why) : conclude_unaltered(in, why);
}

// Why what the servers say is not enough to conclude; empty: it is.
std::string why_not_known(const stepping& in) {
    if (!in.seen.database) return in.next.writer + " could not be asked what is true";
    if (!in.seen.database->unreadable.empty())
        return "what the tool left on " + words::list(in.seen.database->unreadable) +
               " is not known";
    // Of a test on a replica it is the result.
    if (in.seen.database->replicas_behind && in.next.spec.attempt != trial::test_on_replica &&
        in.seen.now < in.next.step_began_at + patience_with_replicas)
        return "replicas have yet to drop what " + in.next.writer + " has dropped";
    const std::string unsafe = why_topology_unsafe(in.seen.topology);
    if (in.seen.database->altered && in.next.spec.attempt == trial::none && !unsafe.empty())
        return "the table is altered on " + in.next.writer + ", and " + unsafe;
    return "";
}

void begin_to_verify(stepping& in) {
    const auto& topology = in.seen.topology;
    if (in.next.stopping_because.empty() && topology.writer_known &&
        topology.writer != in.next.writer)
        in.next.stopping_because =
            "the writer is " + topology.writer + " now, not " + in.next.writer;
    in.next.step_began_at = in.seen.now;
    in.act(look_at_database{});
    in.go(job_state::verifying, "the tool has ended; asking the servers what is true");
}

}  // namespace

void verify(stepping& in) {
    // An answer that is older than the tool's end proves nothing.
    if (in.next.state != job_state::verifying) return begin_to_verify(in);
    if (in.seen.database) {
        in.next.left = in.seen.database->left;
        in.next.kept = in.seen.database->kept;
    }
    std::string why = why_not_known(in);
    if (why.empty()) return conclude(in, *in.seen.database);
    if (in.seen.now > in.next.step_began_at + patience_with_database)
        return in.go(job_state::ambiguous, why + "; a person has to look");
    in.act(look_at_database{});
    in.go(job_state::verifying, "waits to learn what is true: " + why);
}

}  // namespace primacy::osc
