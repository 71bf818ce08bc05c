// What is new between two judgements, as lines for the log: said once when it begins, once when it
// ends, and not in between. Pure.
#pragma once

#include "agent/app/watch/snapshot.hpp"

#include <string>
#include <vector>

namespace primacy::app {

struct log_entry {
    checks::severity level;
    std::string server;  // the subject, when it is about one
    std::string message;
};

// `before` may be null: then everything that holds is new. Findings of a first round that is not
// done yet are left out; they would only say that servers have not been read.
std::vector<log_entry> changes(const topology_snapshot* before, const topology_snapshot& now);

}  // namespace primacy::app
