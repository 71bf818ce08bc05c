// When a look at a topology that begins from nothing has seen enough, for commands that find no
// agent to ask. Pure.
#pragma once

#include "agent/app/watch/snapshot.hpp"

namespace primacy::app {

// Every server was tried, and nothing is merely suspected: polling on would only show more of it.
inline bool settled(const topology_snapshot& judged) {
    const auto& state = judged.verdict.next;
    return judged.first_round_done && state.split.suspected == state.split.confirmed &&
           state.no_writer.suspected == state.no_writer.confirmed;
}

// The slowest look that still ends: every probe times out, then the confirmation.
inline std::chrono::milliseconds longest_look(const topology_config& topology) {
    return 2 * topology.probe_timeout + topology.confirm_for +
           topology.poll_interval * (topology.confirm_polls + 1);
}

}  // namespace primacy::app
