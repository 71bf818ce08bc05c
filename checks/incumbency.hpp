// Who was last the only writable primary, and whether this agent has watched without a gap since.
// A memory with a gap must not be defended: while nobody looked, another server may have taken
// over.
#pragma once

#include "checks/confirmation.hpp"
#include "checks/topology.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace primacy::checks {

struct incumbent {
    std::string server;
    bool watched = false;  // a majority of the servers was seen without a gap since it was the
                           // only writable primary
    std::string doubt;     // why not, when `watched` is false

    bool operator==(const incumbent&) const = default;
};

// A former incumbent that could not be read when another server became the only visible writer.
struct unseen_former {
    std::string server;
    std::string successor;
    bool operator==(const unseen_former&) const = default;
};

struct watch_state {
    std::optional<incumbent> who;
    std::optional<moment> watched_until;  // a majority has been read at this moment or later
    std::optional<moment> doubted_at;     // when a gap in the watch was noticed
    std::string successor;                // another sole writer, on its way to be confirmed
    confirmation succession;
    std::vector<unseen_former> formers;  // until seen harmless, fenced, or confirmed by a person
};

// What survives a restart of the agent. The proof of watch is a moment of the boot clock, so it
// means nothing after a reboot.
struct watch_memory {
    std::optional<incumbent> who;
    std::optional<moment> watched_until;
    std::vector<unseen_former> formers;
    bool same_boot = true;

    bool operator==(const watch_memory&) const = default;
};
// The next judgement decides by `watched_until` whether the restart was a gap; a reboot always is.
watch_state recall(watch_memory memory);

// Servers that were proved to be stopped, by a fence or by a person's word, since when, and have
// not been read since: unknown, and no danger. Whoever stops them says so.
using stopped_servers = std::map<std::string, moment>;

struct watch_result {
    watch_state next;
    std::vector<std::string> events;
};

// `split` is the split-brain suspicion of this same judgement: while it stands, nobody becomes
// incumbent. `stopped` are the servers that were proved to be stopped.
watch_result watch(const observation& seen, const topology_graph& graph, const watch_state& before,
                   const confirmation& split, const stopped_servers& stopped,
                   const judging_policy& policy);

}  // namespace primacy::checks
