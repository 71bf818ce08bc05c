// The rules that find the survivor of a split brain. Each looks at fresh readings only, decides for
// one writer or says why it does not, and never for a server that was fenced and not given back.
#pragma once

#include "fencing/verdict.hpp"

#include <cstddef>
#include <vector>

namespace primacy::fencing {

struct keep_input {
    const checks::observation& seen;
    const checks::judgement& verdict;
    const fence_state& state;
    const fencing_policy& policy;
    std::vector<std::size_t> writers;  // writable primaries, indices into `seen`

    const std::string& name(std::size_t i) const { return seen.servers[i].name; }
    // Its name is `server` and it is one of the writers.
    std::optional<std::size_t> writer_named(const std::string& server) const;
};

// The one that a person named, or else the configuration; empty: none.
const std::string& pinned_server(const fence_state& state, const fencing_policy& policy);

rule_outcome ask(keep_rule rule, const keep_input& in);

}  // namespace primacy::fencing
