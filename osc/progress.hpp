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
    // Of the last tenth of the copy's time, and at least of 10 s, without the pauses. While it is
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
    // which begins anew, make a new estimator. A span of time counts as paused when its beginning
    // or its end was paused and no row was copied in it.
    void add(const copy_sample& sample);

    copy_progress view() const;

private:
    // On the axis of time in which it copied: pauses are cut out.
    struct point {
        double seconds = 0;
        double rows = 0;
    };

    void note(const copy_sample& sample);
    double rows_at(double seconds) const;
    double rate_over(double seconds) const;
    bool has_rate() const;

    std::optional<copy_sample> last_;  // with the highest count so far
    std::vector<point> points_;        // thinned out when there are many
};

}  // namespace primacy::osc
