// What a person asks of a schema change: which table, which ALTER, by which tool, how gently, and
// when the tables may be swapped. Plain values, as a job file or flags give them. Pure.
#pragma once

#include "osc/facts.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace primacy::osc {

// "Threads_running=25"
struct load_limit {
    std::string variable;  // of SHOW GLOBAL STATUS
    std::uint64_t most = 0;
    bool operator==(const load_limit&) const = default;
};

// Every day between two times, UTC; it may pass midnight. begin == end is the whole day.
struct daily_window {
    std::chrono::minutes begin{}, end{};  // since midnight, below 24 h
    bool operator==(const daily_window&) const = default;
};

enum class trial {
    none,            // the real thing
    dry_run,         // the tool's own: it creates nothing that stays
    test_on_replica  // gh-ost alone: copies on a replica and leaves the table there
};

enum class cut_over_by {
    itself,  // as soon as it is ready, inside the window if there is one
    person   // waits for `osc cut-over`
};

struct job_spec {
    std::string topology;
    table_name table;
    std::string alter;
    std::optional<tool> wanted;      // absent: the plan chooses
    std::vector<std::string> allow;  // refusals that were overridden, by their codes
    trial attempt = trial::none;
    std::string test_replica;  // of test_on_replica: the server's name
    cut_over_by cut_over = cut_over_by::itself;
    std::optional<daily_window> window;  // of the cut-over
    std::chrono::milliseconds max_lag = std::chrono::milliseconds(1500);
    std::vector<load_limit> max_load;  // above it the copy pauses
    std::uint32_t chunk_rows = 1000;
    std::chrono::seconds lock_wait = std::chrono::seconds(3);  // of one attempt to swap or alter
    int attempts = 10;  // to cut over, or to get the native ALTER's lock
    bool operator==(const job_spec&) const = default;
};

}  // namespace primacy::osc
