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
constexpr double short_part = 0.1, short_least = 30;
constexpr double long_part = 0.5, long_least = 30;

constexpr double unsteady_seconds = 60;

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
    const double span = copying_time(sample, in_seconds(sample.at - last_->at));
    if (span > 0) {
        const auto copied = std::max(sample.copied, last_->copied);
        points_.push_back({points_.back().seconds + span, static_cast<double>(copied)});
        if (!sample.paused && !last_->paused) steady_at_ = points_.back().seconds;
    }
    note(sample);
    if (points_.size() >= most_points) thin_out();
}

// How much of the time since the last sample it copied.
double progress_estimator::copying_time(const copy_sample& sample, double span) const {
    if (last_->done) return 0;
    if (!sample.paused && !last_->paused) return span;
    if (sample.copied <= last_->copied) return 0;
    // A pause began or ended within the span, or both. When there is nothing else for long, as with
    // a throttle that comes and goes with every sample, the pauses are part of the speed.
    const bool steady = steady_at_ && points_.back().seconds - *steady_at_ <= unsteady_seconds;
    if (!steady || !has_rate()) return span;
    const double rate = rate_over(newest_part());
    const double rows = static_cast<double>(sample.copied) - points_.back().rows;
    return rate > 0 ? std::clamp(rows / rate, 0.0, span) : span;
}

// Every second one goes, and never the newest.
void progress_estimator::thin_out() {
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
    if (has_rate()) seen.rows_per_second = rate_over(newest_part());
    if (seen.done) {
        seen.eta = checks::duration::zero();
    } else if (seen.rows_per_second && !seen.paused && last_->estimated.value_or(0) > seen.copied) {
        const double left = static_cast<double>(*last_->estimated - seen.copied);
        const double longer = std::max(long_part * points_.back().seconds, long_least);
        const double rate = (*seen.rows_per_second + rate_over(longer)) / 2;
        // A century is as good as never, and still a duration.
        constexpr double longest = 100.0 * 365 * 86400;
        if (rate > 0 && left / rate < longest)
            seen.eta = std::chrono::duration_cast<checks::duration>(
                std::chrono::duration<double>(left / rate));
    }
    return seen;
}

double progress_estimator::newest_part() const {
    return std::max(short_part * points_.back().seconds, short_least);
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
