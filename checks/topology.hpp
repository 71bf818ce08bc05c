// The replication graph of one observation: who follows whom, who may write, in which role.
#pragma once

#include "checks/observation.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::checks {

enum class server_role {
    primary,           // writable, and not replicating from another member (or only in a circle)
    writable_replica,  // writable although it replicates from another member
    replica,           // read-only with a replication channel
    relay,             // a replica that others replicate from
    standalone,        // read-only, without any channel
    unknown            // could not be read, or not understood
};
std::string_view to_string(server_role role) noexcept;
const std::vector<server_role>& all_server_roles();

struct member {
    const server_facts* facts = nullptr;  // fresh ones; null when the server is unknown
    std::string why_unknown;              // a clause, when facts is null
    std::optional<bool> may_write;        // an ordinary client can write here
    server_role role = server_role::unknown;
    // Per channel of the server: the member that it replicates from, if it is one.
    std::vector<std::optional<std::size_t>> sources;
    std::vector<std::size_t> replicas;  // members that actively replicate from this one
    bool in_circle = false;

    bool known() const noexcept { return facts != nullptr && may_write.has_value(); }
    bool writable_primary() const noexcept { return role == server_role::primary; }
};

struct topology_graph {
    std::vector<member> members;                    // as in the observation
    std::vector<std::vector<std::size_t>> circles;  // each with two members or more
    // Writable primaries, grouped: servers of one Galera component write as one.
    std::vector<std::vector<std::size_t>> writer_groups;

    std::size_t known_count() const noexcept;
    std::vector<std::size_t> writers() const;  // all of writer_groups, in the observation's order
    bool majority_known() const noexcept { return 2 * known_count() > members.size(); }
};

// The channels that a server had while it was a primary, by its name ("channel|host:port" each).
using channels_of_writers = std::map<std::string, std::set<std::string>>;

// Uses only readings that are good and fresh at `seen.at`; the graph points into `seen`. `writers`
// is what remember_writers() made of the graph before.
topology_graph draw(const observation& seen, const judging_policy& policy,
                    const channels_of_writers& writers);

// A primary that starts to replicate over a channel that it had all along has not been made a
// replica by anybody: its IO thread came back by itself, or a circle broke, while clients go on
// writing. It stays a primary until it is seen read-only, is given another channel, or its history
// proves that it holds nothing of its own.
channels_of_writers remember_writers(const observation& seen, const topology_graph& graph,
                                     channels_of_writers before);

// The index of the member that `link` replicates from, by its address as configured, the source's
// uuid, or its server id, in that order: an address is somebody's word about this very topology, an
// id may also be a stranger's. An id that two members share identifies nobody.
std::optional<std::size_t> source_of(const channel& link, std::size_t replica,
                                     const observation& seen);

}  // namespace primacy::checks
