// Programs that outlive us. A watcher, a process of its own, starts the program with its output in
// files, waits for its end and writes down how it ended: so a later run of ours, or another one,
// finds it at work or learns its exit status. Both are known by id and start time, which together
// are never those of another process. Knows nothing of what the programs do. For Linux.
#pragma once

#include "agent/rt/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace primacy::rt {

struct process_identity {
    pid_t id = 0;
    std::uint64_t start_ticks = 0;  // since boot, field 22 of /proc/PID/stat
    bool operator==(const process_identity&) const = default;
};

// Absent when there is none of that id, or it is a zombie.
std::optional<process_identity> identify(pid_t id);
bool is_running(const process_identity& who);

// Where a watcher keeps its notes; all in a folder of the caller's that exists.
struct detached_files {
    std::string watcher;  // its identity
    std::string program;  // the identity of what it watches, which leads a process group
    std::string ending;   // how that ended
    std::string output;   // appended to
    std::string errors;   // appended to
};
detached_files detached_files_in(const std::string& folder, const std::string& log_folder);

// Becomes the watcher: the calling process forks, the child goes on in a session of its own and
// never returns; the parent returns when the program runs, or with why it does not. To be called by
// a process with one thread and nothing to lose. `argv[0]` is looked up in PATH.
result<void> watch_detached(const detached_files& files, std::vector<std::string> argv);

struct detached_state {
    enum class fate {
        none,   // never started
        alive,  // the watcher or the program runs
        ended,  // and how is known
        gone    // neither runs, and nobody wrote down how it ended
    } what = fate::none;
    std::optional<process_identity> program;
    std::optional<int> exit_code;
    std::optional<int> signal;
};
// Blocks for as long as the disk takes.
detached_state look_at_detached(const detached_files& files);

// Of a program that has ended: the next look finds that none was started. The outputs stay.
result<void> forget_detached(const detached_files& files);

// To the program and all of its group; false when it does not run (any more).
bool signal_detached(const process_identity& program, int number);

}  // namespace primacy::rt
