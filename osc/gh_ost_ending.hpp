// What became of a gh-ost run, from its exit status and all that it said. Pure; knows no process
// and no server. gh-ost exits 0 also when it could not drop its own tables after the cut-over, and
// it leaves its tables behind on every failure and signal.
#pragma once

#include "osc/gh_ost_output.hpp"
#include "osc/tool_ending.hpp"

#include <string>
#include <string_view>

namespace primacy::osc {

// Why it gave up, as far as that is known by its words.
enum class gh_ost_failure {
    none,
    panic_commanded,   // by the socket
    panic_file,        //
    critical_load,     //
    remains_in_way,    // a table of an earlier run
    socket_taken,      // a socket file of an earlier run, or of one that is alive
    hook_failed,       // or our own hook asked for the end
    cut_over_timeout,  // the last of all attempts
    already_running,   // another gh-ost has the table's lock (1.1.10 and later)
    other
};
std::string_view to_string(gh_ost_failure why) noexcept;
gh_ost_failure classify_gh_ost_fatal(std::string_view reason) noexcept;

// Remembers of a run's lines what its ending is judged by. Lines of stdout and stderr may come in
// any order, but each once.
struct gh_ost_words {
    bool any_status = false;  // its tables exist: they are made before the first one
    bool done = false;        // "# Done"
    bool finished = false;    // also its tables are dropped; said with --verbose only
    std::string fatal;        // the last one
    std::string error;        // the last one; not necessarily the reason of anything
    std::string crash;        // first line of a Go panic

    void hear(const gh_ost_line& line);
};

// After --test-on-replica and --migrate-on-replica the caller knows better what stays.
tool_ending judge_gh_ost(const process_status& status, const gh_ost_words& words);

}  // namespace primacy::osc
