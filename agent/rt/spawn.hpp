// The one place that starts a process: posix_spawn, three pipes, nothing else of ours inherited.
// Does not wait, read or reap; child does. Not for use outside this folder.
#pragma once

#include "agent/rt/descriptor.hpp"
#include "agent/rt/error.hpp"
#include "agent/rt/process.hpp"

#include <sys/types.h>

namespace primacy::rt {

// Our ends of its pipes, not blocking. The caller reaps `id`, which is also its process group.
struct spawned {
    pid_t id = -1;
    descriptor input;   // to write
    descriptor output;  // to read
    descriptor errors;  // to read
};

result<spawned> spawn(const command& what);

}  // namespace primacy::rt
