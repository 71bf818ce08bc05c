// What became of a run of pt-online-schema-change, from its exit status and all that it said. Pure;
// knows no process and no server. Its exit code alone proves nothing: 3.7.0 exits 0 after failures,
// and a plain `die` of Perl exits with whatever errno happened to be.
#pragma once

#include "osc/pt_osc_output.hpp"
#include "osc/tool_ending.hpp"

#include <string>
#include <vector>

namespace primacy::osc {

enum class pt_osc_last_words {
    none,  // it ended before it came to that, or its words were lost
    successfully_altered,
    altered_with_errors,
    not_altered,
    dry_run_complete
};

// Remembers of a run's lines what its ending is judged by. Lines of stdout and stderr may come in
// any order, but each once.
struct pt_osc_words {
    bool began = false;  // nothing was touched on the server before that
    bool new_table_made = false, new_table_dropped = false;
    bool triggers_begun = false, triggers_dropped = false;  // some exist from `begun` on
    bool copied = false, swap_begun = false, swapped = false, old_table_dropped = false;
    bool drop_failed = false;  // of the new table or a trigger, whatever it says beside that
    pt_osc_last_words last = pt_osc_last_words::none;
    std::string interrupted_by;                // "SIGTERM"
    std::string trouble;                       // the last error or warning
    std::string not_understood;                // the last line that is unknown
    std::vector<std::string> drop_statements;  // that it leaves to us, in its order, at most 100

    void hear(const pt_osc_line& line);
};

// "the ALTER was refused or …": what the manual says of an exit code, and what is known of it.
std::string explain_pt_osc_exit(int code);

// `dry_run`: it was started with --dry-run.
tool_ending judge_pt_osc(const process_status& status, const pt_osc_words& words, bool dry_run);

}  // namespace primacy::osc
