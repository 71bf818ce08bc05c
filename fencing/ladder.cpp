#include "fencing/ladder.hpp"

#include <algorithm>
#include <set>

namespace primacy::fencing {

ladder::ladder(std::vector<rung> rungs, checks::moment deadline, bool until_seen)
    : rungs_(std::move(rungs)), deadline_(deadline), until_seen_(until_seen) {}

// Its own timeout, as far as the later rungs keep theirs; when there is not enough for all, an
// equal part of what is left.
checks::moment ladder::share_of(std::size_t index, checks::moment now) const {
    auto left = deadline_ - now;
    checks::duration later{};
    for (std::size_t i = index + 1; i < rungs_.size(); ++i)
        later += rungs_[i].timeout;
    auto equal = left / static_cast<std::int64_t>(rungs_.size() - index);
    return now + std::min(rungs_[index].timeout, std::max(left - later, equal));
}

std::optional<std::size_t> ladder::worth_verifying() const {
    for (std::size_t i = 0; i < trials_.size(); ++i)
        if (trials_[i].report.outcome == rung_outcome::unknown && !trials_[i].verified) return i;
    return std::nullopt;
}

ladder_action ladder::next(checks::moment now, const std::string& why_stop, bool seen_stopped) {
    bool confirmed = !trials_.empty() && trials_.back().report.outcome == rung_outcome::confirmed;
    auto again = worth_verifying();
    last_ = {};
    if (confirmed || finished_) {
        finished_ = true;
    } else if (!why_stop.empty()) {
        finished_ = true;
        stopped_ = why_stop;
        told_to_stop_ = true;
    } else if (now >= deadline_) {
        finished_ = true;
        stopped_ = "the time of the whole ladder is over";
    } else if (again && (seen_stopped || next_rung_ == rungs_.size())) {
        trials_[*again].verified = true;
        last_ = {ladder_step::verify, trials_[*again].rung,
                 std::min(deadline_, now + rungs_[trials_[*again].rung].timeout)};
    } else if (next_rung_ == rungs_.size()) {
        finished_ = true;
    } else if (until_seen_ && seen_stopped) {
        finished_ = true;
        stopped_ = "it is seen again, and takes no writes";
    } else {
        last_ = {ladder_step::run, next_rung_, share_of(next_rung_, now)};
        ++next_rung_;
    }
    return last_;
}

void ladder::ended(const rung_report& report) {
    bool verification = last_.what == ladder_step::verify;
    trials_.push_back({last_.rung, report, verification, verification});
}

namespace {

// The best that is known. A rung that is unknown may still stop the server, one that is partial
// has; what failed says nothing about the others.
int rank(rung_outcome outcome) {
    switch (outcome) {
        case rung_outcome::confirmed: return 3;
        case rung_outcome::partial: return 2;
        case rung_outcome::unknown: return 1;
        case rung_outcome::failed: return 0;
    }
    return 0;
}

}  // namespace

// What is seen not to be stopped now can be stopped by the late effect of an act that nobody
// answered (S7): a look at it never makes it "certainly not".
rung_outcome ladder::of(const trial& each) {
    const bool late = each.is_verification && each.report.outcome == rung_outcome::failed;
    return late ? rung_outcome::unknown : each.report.outcome;
}

ladder_result ladder::result() const {
    ladder_result made;
    made.stage = fence_stage::failed;
    made.sentence = "nothing was tried";
    const trial* best = nullptr;
    std::set<std::size_t> looked_at_again;
    for (const trial& each : trials_)
        if (each.is_verification) looked_at_again.insert(each.rung);
    for (const trial& each : trials_) {
        made.tried.push_back(rungs_[each.rung].name + ": " +
                             std::string(to_string(each.report.outcome)) + ": " +
                             each.report.sentence);
        // What was found when a rung was looked at again counts instead of what it said itself.
        if (!each.is_verification && looked_at_again.contains(each.rung)) continue;
        if (!best || rank(of(each)) >= rank(of(*best))) best = &each;
    }
    if (best) {
        made.stage = stage_of(of(*best));
        made.rung = rungs_[best->rung].name;
        made.sentence = best->report.sentence;
        if (of(*best) != best->report.outcome)
            made.sentence += "; what was tried may still take effect";
    }
    if (!stopped_.empty() && made.stage != fence_stage::confirmed)
        made.sentence += "; it stopped there: " + stopped_;
    made.interrupted = told_to_stop_;
    return made;
}

}  // namespace primacy::fencing
