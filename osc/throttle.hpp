// May a schema change copy rows now? The decision behind `GET /check/<job>`, in freno's manner: any
// status but 200 makes the tool pause. Pure: readings and time come in, an answer and the state for
// the next question come out. Must not know HTTP, JSON or who asks. What is not known forbids.
#pragma once

#include "checks/moment.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

struct throttle_lag {
    std::string server;             // a replica that has to keep up
    std::optional<double> seconds;  // absent: not known, or known no longer
    std::string unknown_because;    // "it does not replicate"; may be empty
};

struct throttle_load {
    std::string variable;  // "Threads_running"
    std::optional<std::uint64_t> value;
    std::uint64_t limit = 0;  // reached is too much
};

enum class writer_sight {
    clear,                  // the job's primary is the only writer
    unknown,                // it cannot be told who writes
    split_brain_suspected,  //
    split_brain_confirmed   //
};

struct throttle_policy {
    double lag_limit_seconds = 1.5;  // more is too much
    // Once throttled, it goes on until everything has been below this part of its limit for
    // `settle`, or below the limit for `hold`. After something was unknown, or two may have been
    // writers, only `hold` counts.
    double release = 0.7;
    checks::duration settle = std::chrono::seconds(2);
    checks::duration hold = std::chrono::seconds(10);
};

struct throttle_input {
    checks::moment at{};
    bool job_exists = true;
    std::vector<throttle_lag> lags;
    std::vector<throttle_load> loads;
    writer_sight writer = writer_sight::unknown;
    bool maintenance = false;
    bool paused_by_user = false;
    bool window_closed = false;  // forbids the cut-over; the copy goes on
};

enum class throttle_cause {
    none,
    no_such_job,
    split_brain_confirmed,
    split_brain_suspected,
    writer_unknown,
    paused_by_user,
    maintenance,
    lag_unknown,
    load_unknown,
    lag,
    load,
    settling  // everything is in order again, but not for long enough
};
std::string_view to_string(throttle_cause cause) noexcept;

// Between two questions on the same job. A new job starts with a new one.
struct throttle_state {
    bool throttled = false;
    throttle_cause because = throttle_cause::none;  // the last cause that was more than settling
    bool needs_hold = false;                        // calm alone does not end it
    // Since when all readings are below the release level; below the limit, with one writer.
    std::optional<checks::moment> calm_since, good_since;
    bool operator==(const throttle_state&) const = default;
};

struct throttle_answer {
    int http_status = 500;  // 200 go, 404 no such job, 417 forbidden, 429 too much, 500 not known
    double value = 0;       // of freno's body: the reading that decides, or the worst lag
    double threshold = 0;   // its limit
    std::string message;    // one sentence; empty with 200
    throttle_cause cause = throttle_cause::none;
    std::string subject;  // the server or variable that decides; may be empty
    bool cut_over_allowed = false;
    std::string cut_over_refused_because;  // one sentence when it is not
    bool go() const noexcept { return http_status == 200; }
};

// The state is brought up to date; to be asked at least once for each poll, in the order of time.
throttle_answer decide_throttle(const throttle_input& seen, const throttle_policy& policy,
                                throttle_state& state);

}  // namespace primacy::osc
