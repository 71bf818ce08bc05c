// What pt-online-schema-change (3.2.1 to 3.7) writes to stdout and stderr, line by line. Pure;
// knows nothing of files or jobs. Its words differ little between the two streams, so one parser
// serves both; "slave" and "replica" are the same to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace primacy::osc {

enum class pt_osc_line_kind {
    blank,
    // Before it begins.
    note,              // understood, and of no consequence
    replicas_found,    // `number` of them; each follows as a `server`
    no_replicas,       // it will not see any lag
    replicas_ignored,  // --recursion-method=none
    lag_watched,       // on the servers that follow
    lag_not_watched,   //
    server,            // "host -> address:port"
    // What it does, in this order. `text` is the table where one is named.
    altering,            //
    dry_run_begun,       //
    creating_new_table,  //
    created_new_table,   // db._table_new, without quotes
    altering_new_table,  //
    altered_new_table,   //
    creating_triggers,   //
    created_triggers,    //
    copying,             // about `number` rows
    nothing_to_copy,     // the table is empty
    copied,              //
    analyzing,           //
    swapping,            //
    swapped,             //
    dropping_old_table,  //
    dropped_old_table,   //
    dropping_triggers,   //
    dropped_triggers,    //
    dropping_new_table,  //
    dropped_new_table,   // said also when it failed: see `trouble`
    step_skipped,        // "Not … because …", by an option or a dry run
    // While it copies.
    progress,             // `percent` of `text`, `remaining`
    other_progress,       // the same of something else than the copy
    waits_for_lag,        // of `text`, `number` seconds when it says so
    waits_for_stopped,    // `text` does not replicate: it waits for ever
    waits_for_load,       // `text`: "Threads_running=26"
    waits_for_flow,       // Galera's flow control
    waits_for_file,       // `text` exists; it looks again in `number` seconds
    watched_set_changed,  // of replicas; two lines follow
    // How it ends.
    interrupted,           // by the signal `text`
    triggers_left,         // statements follow
    new_table_left,        // `text`; a statement follows, or the triggers that were not dropped
    drop_statement,        // `text`, to be executed by a person
    statistics,            //
    successfully_altered,  // `text`
    altered_with_errors,   // swapped, but something went wrong after it
    not_altered,           //
    dry_run_complete,      //
    trouble,               // an error
    warning,               // it goes on after that
    unknown
};

struct pt_osc_line {
    pt_osc_line_kind kind = pt_osc_line_kind::unknown;
    std::string text;  // see the kinds; else the line without its time stamp
    std::optional<std::uint64_t> number;
    // Of `progress`. Its names go through printf: when `text` is not the table of the job (one that
    // has a % in its name), the figures mean nothing. They end before the copy does when the
    // estimate was too small.
    unsigned percent = 0;
    std::chrono::seconds remaining{};
};

// Without the line's end.
pt_osc_line parse_pt_osc_line(std::string_view line);

// "01:23", "02:01:23", "3+02:01:23".
std::optional<std::chrono::seconds> parse_pt_osc_time(std::string_view text);

}  // namespace primacy::osc
