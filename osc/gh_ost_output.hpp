// What gh-ost (1.0.49 to 1.1.10 and its main branch of August 2026) writes to stdout and stderr,
// line by line. Pure; knows nothing of files, sockets or jobs. Progress is in the lines of stdout
// alone: the copies that --verbose sends to stderr are broken in 1.1.6 and are told as `info`.
#pragma once

#include "osc/gh_ost_throttle.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace primacy::osc {

enum class gh_ost_state {
    counting_rows,
    migrating,  // also during the cut-over; gh-ost has no state of its own for that, nor for the
                // end
    throttled,
    postponing,  // the copy is done and the cut-over waits for us
    other        // a word of a version that is not known yet
};
std::string_view to_string(gh_ost_state state) noexcept;

struct gh_ost_eta {
    enum class form {
        unknown,  // "N/A": less than 0.1 % is copied
        due,      // nothing left by its estimate, which may be wrong, or the cut-over is postponed
        left      // `time`
    } what = form::unknown;
    std::chrono::seconds time{};
    bool operator==(const gh_ost_eta&) const = default;
};

struct gh_ost_status {
    std::uint64_t rows_copied = 0;
    // An estimate that grows and shrinks with the writes; it may be too small, and even negative.
    // When the copy ends gh-ost sets it to rows_copied, but equal they may also be before.
    std::int64_t rows_estimated = 0;
    double percent =
        0;  // as printed; above 100 when the estimate is too small, and no sign of an end
    std::uint64_t events_applied = 0;  // of the binary log
    std::uint64_t backlog = 0, backlog_capacity = 0;
    std::chrono::seconds elapsed{}, copy_elapsed{};
    std::string streamer;  // "file:position", or a GTID set
    // Absent: unknown (no heartbeat was seen yet). Below zero when clocks differ. Under a throttle
    // commanded by the user there are no heartbeats, and both rise without meaning.
    std::optional<double> lag_seconds, heartbeat_lag_seconds;
    gh_ost_state state = gh_ost_state::other;
    std::string state_text;                   // as printed
    std::optional<gh_ost_throttle> throttle;  // of `throttled`
    gh_ost_eta eta;
    bool operator==(const gh_ost_status&) const = default;
};

// A whole status line or nothing; a line that was cut anywhere is nothing.
std::optional<gh_ost_status> parse_gh_ost_status(std::string_view line);

enum class gh_ost_line_kind {
    blank,
    status,
    hint,              // one line of the block that tells the settings
    note,              // "# Note: …", other remarks that begin with '#', the list of options
    done,              // "# Done", the last line of stdout, and only of a success
    fatal,             // the reason of a failure; the last line of stderr
    error,             // gh-ost goes on after it; seen also on the way to a success
    warning,           //
    info,              // whatever --verbose adds
    copy_complete,     // one of those: all rows are copied
    finished,          // another: cut over, and its own tables dropped ("# Done" does not say that)
    library,           // go-mysql's remarks
    library_error,     //
    table_definition,  // the SHOW CREATE TABLE of a noop run
    crash,             // a Go panic
    unknown
};

enum class gh_ost_hint {
    none,
    tables,            // `db`.`table`; Ghost table is `db`.`_table_gho`
    hosts,             // host:port; inspecting host:port; executing on host
    started,           // Sat Nov 21 20:54:11 +0000 2026
    settings,          // chunk-size: 1000; max-lag-millis: 1500ms; …
    throttle_file,     //
    additional_file,   //
    throttle_query,    //
    control_replicas,  // their number
    postpone_file,     //
    panic_file,        //
    socket,            // a path
    tcp_port           //
};

struct gh_ost_line {
    gh_ost_line_kind kind = gh_ost_line_kind::unknown;
    // Without time stamp and level; of a hint, its value.
    std::string text;
    gh_ost_hint hint = gh_ost_hint::none;
    bool is_set = false;  // of a flag file: it exists
    std::optional<gh_ost_status> status;
};

// Without the line's end, but with its trailing blanks, which gh-ost writes for a reason.
gh_ost_line parse_gh_ost_line(std::string_view line);

}  // namespace primacy::osc
