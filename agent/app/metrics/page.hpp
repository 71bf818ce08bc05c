// The metrics page: what a snapshot says, as Prometheus text (version 0.0.4). Pure: it reads the
// snapshot and the process facts it is given and nothing else, so a pool's thread may render while
// the loop goes on. Knows nothing of HTTP. docs/metrics.md tells how the series are to be read.
#pragma once

#include "agent/app/metrics/process_facts.hpp"
#include "agent/app/watch/snapshot.hpp"

#include <string>

namespace primacy::app::metrics {

// Each topology of the snapshot has its config; one that was not judged yet may have nothing else,
// and all its series are there all the same.
std::string render(const agent_snapshot& from, const process_facts& process);
// The same with this process' facts as they are now; for a pool's thread.
std::string render(const agent_snapshot& from);

// The table of docs/metrics.md: a row per family with its type, labels and meaning.
std::string reference_table();

}  // namespace primacy::app::metrics
