// The climb from rung to rung until one is confirmed: a state machine that is told what happened
// and says what to do next. Pure: time, outcomes and the permission to go on come in as values.
#pragma once

#include "fencing/fence_state.hpp"
#include "fencing/policy.hpp"
#include "fencing/rung_report.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace primacy::fencing {

enum class ladder_step {
    run,     // the rung: note the intent, then act, by `until`
    verify,  // a rung that was tried before: an effect that came late counts (S7)
    finish   // there is nothing more to do
};

struct ladder_action {
    ladder_step what = ladder_step::finish;
    std::size_t rung = 0;    // index into the rungs, for run and verify
    checks::moment until{};  // its share of the time
};

struct ladder_result : fence_end {   // the stage is confirmed, partial, failed or unknown
    std::vector<std::string> tried;  // "sql: unknown (timeout): …", in order
};

class ladder {
public:
    // `rungs` is not empty; `deadline` is of the whole climb. `until_seen`: it is climbed only
    // because nobody can see the server, and ends when it is seen stopped.
    ladder(std::vector<rung> rungs, checks::moment deadline, bool until_seen = false);

    // What is to be done at this moment. `why_stop` is not empty when it must not go on (lease
    // lost, survivor gone …): then it finishes with what it has. `seen_stopped`: a fresh reading
    // by the monitor shows that the server is not writable any more, so that what was tried is
    // looked at again before the next rung, which may be a harder one.
    ladder_action next(checks::moment now, const std::string& why_stop, bool seen_stopped);
    // What the action that next() asked for came to.
    void ended(const rung_report& report);

    bool finished() const noexcept { return finished_; }
    const std::vector<rung>& rungs() const noexcept { return rungs_; }
    // Of a finished one.
    ladder_result result() const;

private:
    checks::moment share_of(std::size_t index, checks::moment now) const;
    std::optional<std::size_t> worth_verifying() const;

    struct trial {
        std::size_t rung;
        rung_report report;
        bool verified = false;         // looked at again since
        bool is_verification = false;  // this is that look
    };

    std::vector<rung> rungs_;
    checks::moment deadline_;
    bool until_seen_;
    std::vector<trial> trials_;
    std::size_t next_rung_ = 0;
    ladder_action last_;
    bool finished_ = false;
    std::string stopped_;        // why it did not go on
    bool told_to_stop_ = false;  // and it was not for its own time
};

}  // namespace primacy::fencing
