// How far a copy is and how long it will take, from samples of rows copied. Pure: every sample
// brings its time. Knows no tool: whatever a tool says of 100 % or of its own ETA has no part in
// it.
#pragma once

#include "checks/moment.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace primacy::osc {

struct copy_sample {
    checks::moment at{};
    std::uint64_t copied = 0;
    std::optional<std::uint64_t> estimated;  // rows in all; absent or 0: not known
    bool paused = false;
    bool done = false;  // all rows are copied, by another sign than copied == estimated
};

struct copy_progress {
    std::uint64_t copied = 0;                // never less than before
    std::optional<std::uint64_t> estimated;  // as last told; it may be less than what is copied
    // 0 to 1, and 1 only once the copy is done: at most 0.999 before, however small the estimate.
    std::optional<double> ratio;
    // Of the last tenth of the copy's time, and at least of 30 s, without the pauses. While it is
    // paused, the rate before that.
    std::optional<double> rows_per_second;
    // Without pauses to come. Absent at first, while paused, and once more rows are copied than
    // were estimated: then nobody knows how many there are.
    std::optional<checks::duration> eta;
    bool paused = false;
    bool done = false;
};

class progress_estimator {
public:
    // Samples of one run, in the order of their times; an older one is not looked at. Of a new run,
    // which begins anew, make a new estimator. A span of time between two samples of which one is
    // paused counts as a pause if no row was copied in it; if some were, as long as they take at
    // the rate that is known.
    void add(const copy_sample& sample);

    copy_progress view() const;

private:
    // On the axis of time in which it copied: pauses are cut out.
    struct point {
        double seconds = 0;
        double rows = 0;
    };

    double copying_time(const copy_sample& sample, double span) const;
    void note(const copy_sample& sample);
    void thin_out();
    double rows_at(double seconds) const;
    double rate_over(double seconds) const;
    double newest_part() const;
    bool has_rate() const;

    std::optional<copy_sample> last_;  // with the highest count so far
    std::vector<point> points_;        // thinned out when there are many
    std::optional<double> steady_at_;  // where on that axis the last span without a pause ended
};

}  // namespace primacy::osc
