#include "osc/progress.hpp"

#include <algorithm>
#include <chrono>

namespace primacy::osc {

namespace {

constexpr double almost_all = 0.999;
constexpr std::size_t most_points = 1024;
// Less than that says nothing of what is to come.
constexpr double enough_seconds = 5;
constexpr double enough_ratio = 0.05;
constexpr std::size_t enough_points = 3;

// The rate is that of the newest time. The ETA takes the mean of it and of a longer one: alone, the
// short one follows every wave, and the long one comes late when the speed has changed for good.
constexpr double short_part = 0.1, short_least = 10;
constexpr double long_part = 0.5, long_least = 30;

double in_seconds(checks::duration length) {
    return std::chrono::duration<double>(length).count();
}

std::optional<double> ratio_of(const copy_sample& now) {
    if (now.done) return 1.0;
    if (now.estimated.value_or(0) == 0) return std::nullopt;
    return std::min(static_cast<double>(now.copied) / static_cast<double>(*now.estimated),
                    almost_all);
}

}  // namespace

void progress_estimator::add(const copy_sample& sample) {
    if (!last_) {
        last_ = sample;
        points_.push_back({0, static_cast<double>(sample.copied)});
        return;
    }
    if (sample.at < last_->at) return;
    const bool moved = sample.copied > last_->copied;
    const bool in_pause = (sample.paused || last_->paused) && !moved;
    const double span = in_seconds(sample.at - last_->at);
    if (!in_pause && !last_->done && span > 0) {
        const auto copied = std::max(sample.copied, last_->copied);
        points_.push_back({points_.back().seconds + span, static_cast<double>(copied)});
    }
    note(sample);
    if (points_.size() < most_points) return;
    // Every second one goes, and never the newest.
    std::size_t kept = 0;
    for (std::size_t i = (points_.size() - 1) % 2; i < points_.size(); i += 2)
        points_[kept++] = points_[i];
    points_.resize(kept);
}

void progress_estimator::note(const copy_sample& sample) {
    const copy_sample before = *last_;
    last_ = sample;
    last_->copied = std::max(sample.copied, before.copied);
    last_->done = sample.done || before.done;
    if (!sample.estimated) last_->estimated = before.estimated;
}

copy_progress progress_estimator::view() const {
    if (!last_) return {};
    copy_progress seen;
    seen.copied = last_->copied;
    seen.estimated = last_->estimated;
    seen.ratio = ratio_of(*last_);
    seen.paused = last_->paused && !last_->done;
    seen.done = last_->done;
    const double all = points_.back().seconds;
    const double newest = std::max(short_part * all, short_least);
    if (has_rate()) seen.rows_per_second = rate_over(newest);
    if (seen.done) {
        seen.eta = checks::duration::zero();
    } else if (seen.rows_per_second && !seen.paused && last_->estimated.value_or(0) > seen.copied) {
        const double left = static_cast<double>(*last_->estimated - seen.copied);
        const double longer = std::max(long_part * all, long_least);
        const double rate = (*seen.rows_per_second + rate_over(longer)) / 2;
        // A century is as good as never, and still a duration.
        constexpr double longest = 100.0 * 365 * 86400;
        if (rate > 0 && left / rate < longest)
            seen.eta = std::chrono::duration_cast<checks::duration>(
                std::chrono::duration<double>(left / rate));
    }
    return seen;
}

bool progress_estimator::has_rate() const {
    const double seconds = points_.back().seconds - points_.front().seconds;
    const double rows = points_.back().rows - points_.front().rows;
    if (points_.size() < enough_points || seconds <= 0 || rows <= 0) return false;
    return seconds >= enough_seconds || ratio_of(*last_).value_or(0) >= enough_ratio;
}

// Between two points the rows are taken to come evenly.
double progress_estimator::rows_at(double seconds) const {
    const auto after =
        std::lower_bound(points_.begin(), points_.end(), seconds,
                         [](const point& one, double wanted) { return one.seconds < wanted; });
    if (after == points_.begin()) return after->rows;
    if (after == points_.end()) return points_.back().rows;
    const point& before = *(after - 1);
    const double part = (seconds - before.seconds) / (after->seconds - before.seconds);
    return before.rows + part * (after->rows - before.rows);
}

// Rows for each second of the last `seconds`, or of all that there are.
double progress_estimator::rate_over(double seconds) const {
    const double end = points_.back().seconds;
    const double begin = std::max(points_.front().seconds, end - seconds);
    return (points_.back().rows - rows_at(begin)) / (end - begin);
}

}  // namespace primacy::osc
