// A snapshot laid out for the metrics page: per topology, server and channel what the families ask
// for again and again, with the labels already written. And the table of the families themselves,
// from which the page, its help texts and docs/metrics.md are made. Private to this folder.
#pragma once

#include "agent/app/metrics/page_writer.hpp"
#include "agent/app/metrics/process_facts.hpp"
#include "agent/app/watch/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace primacy::app::metrics {

// A channel of the newest good reading; it stays while its server cannot be read.
struct channel_entry {
    const checks::channel* link;
    bool fresh;          // that reading still counts
    std::string source;  // name of the member, else "host:port"
    std::string labels;  // topology, server, channel
};

struct server_entry {
    std::string name;
    std::string address;
    std::string labels;                           // topology, server
    const checks::server_view* view = nullptr;    // null before the first judgement
    const checks::member* now = nullptr;          // null before the first judgement
    const checks::server_facts* facts = nullptr;  // of the newest good reading, fresh or not
    std::optional<std::uint64_t> errant;
    std::vector<channel_entry> channels;

    bool fresh() const { return now && now->facts; }
    bool known() const { return now && now->known(); }
};

struct topology_entry {
    const topology_snapshot* from;
    std::string labels;  // topology
    std::vector<server_entry> servers;
};

struct page {
    const agent_snapshot& agent;
    const process_facts& process;
    std::vector<topology_entry> topologies;
};

// Points into both arguments.
page lay_out(const agent_snapshot& from, const process_facts& process);

// A moment as the page shows it, in seconds with milliseconds; the epoch itself stands for "never".
double unix_seconds(checks::wall_time when);

struct family {
    const char* name;
    family_type type;
    const char* labels;  // "topology, server"
    const char* help;    // one line, shown as HELP and in docs/metrics.md
    void (*write)(const page& from, page_writer& to);
};

std::vector<family> agent_families();
std::vector<family> server_families();
std::vector<family> replication_families();
std::vector<family> topology_families();
std::vector<family> fence_families();
std::vector<family> osc_families();
// All of them, in the order of the page.
const std::vector<family>& all_families();

// Shapes of `write`: one sample for each server, channel or topology.
template <double (*value)(const server_entry&)>
void each_server(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers)
            to.sample(server.labels, value(server));
}

template <double (*value)(const channel_entry&)>
void each_channel(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers)
            for (const auto& channel : server.channels)
                to.sample(channel.labels, value(channel));
}

template <double (*value)(const topology_entry&)>
void each_topology(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        to.sample(topology.labels, value(topology));
}

}  // namespace primacy::app::metrics
