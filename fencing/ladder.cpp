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
    trials_.push_back({last_.rung, verification ? after_unknown_act(report) : report, verification,
                       verification});
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
        if (!best || !outweighs(best->report.outcome, each.report.outcome)) best = &each;
    }
    if (best) {
        made.stage = stage_of(best->report.outcome);
        made.rung = rungs_[best->rung].name;
        made.sentence = best->report.sentence;
    }
    if (!stopped_.empty() && made.stage != fence_stage::confirmed)
        made.sentence += "; it stopped there: " + stopped_;
    made.interrupted = told_to_stop_;
    return made;
}

}  // namespace primacy::fencing
