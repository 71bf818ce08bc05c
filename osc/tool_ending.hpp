// How a schema-change tool ended, as far as its exit status and its words tell. Pure; knows no
// tool. Neither is a proof: only the server's information_schema shows what became of the table.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace primacy::osc {

// Of a process that is gone. Neither is known of one that was adopted: only a parent is told.
struct process_status {
    std::optional<int> exit_code;
    std::optional<int> signal;  // that killed it
    bool known() const noexcept { return exit_code || signal; }
    bool operator==(const process_status&) const = default;
};

enum class tool_verdict {
    succeeded,  // exit status and words agree on it
    said_so,    // the words say success; the exit status is not known
    failed,
    unclear  // they contradict one another, or neither says anything
};
std::string_view to_string(tool_verdict verdict) noexcept;

// Tables, triggers and files of the tool's own; the old table is no leftover but a matter of
// policy.
enum class leftovers { none, possible, certain };
std::string_view to_string(leftovers what) noexcept;

struct tool_ending {
    tool_verdict verdict = tool_verdict::unclear;
    leftovers left = leftovers::possible;
    std::string sentence;  // what happened, with the tool's own reason
};

// "exit code 1", "signal 9 (SIGKILL)", "an unknown exit status".
std::string describe(const process_status& status);

}  // namespace primacy::osc
