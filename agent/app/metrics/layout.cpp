#include "agent/app/metrics/layout.hpp"

#include <algorithm>
#include <chrono>

namespace primacy::app::metrics {

namespace {

std::string source_name(const topology_snapshot& from, std::size_t server,
                        const checks::channel& link) {
    if (auto member = checks::source_of(link, server, from.seen))
        return from.seen.servers[*member].name;
    if (link.source_host.empty()) return "unknown";
    return link.source_host + ":" + std::to_string(link.source_port);
}

void lay_out_channels(const topology_snapshot& from, std::size_t index, server_entry& server) {
    for (const auto& link : server.facts->channels) {
        channel_entry entry{&link, server.fresh(), source_name(from, index, link), server.labels};
        add_label(entry.labels, "channel", link.name);
        // What a server sends is data: two channels of one name must not become one series twice.
        bool twice = std::any_of(server.channels.begin(), server.channels.end(),
                                 [&](const auto& other) { return other.labels == entry.labels; });
        if (!twice) server.channels.push_back(std::move(entry));
    }
}

server_entry lay_out_server(const topology_snapshot& from, std::size_t index,
                            const std::string& topology_labels) {
    const server_config& configured = from.config->servers[index];
    server_entry server;
    server.name = configured.name;
    server.address = configured.address();
    server.labels = topology_labels;
    add_label(server.labels, "server", server.name);
    if (index >= from.seen.servers.size() || index >= from.verdict.graph.members.size())
        return server;
    server.view = &from.seen.servers[index];
    server.now = &from.verdict.graph.members[index];
    server.facts = server.now->facts ? server.now->facts : server.view->last_good.facts.get();
    if (index < from.verdict.errant.size()) server.errant = from.verdict.errant[index];
    if (server.facts) lay_out_channels(from, index, server);
    return server;
}

}  // namespace

page lay_out(const agent_snapshot& from, const process_facts& process) {
    page made{from, process, {}};
    for (const auto& snapshot : from.topologies) {
        topology_entry topology{snapshot.get(), "", {}};
        add_label(topology.labels, "topology", snapshot->config->name);
        for (std::size_t i = 0; i < snapshot->config->servers.size(); ++i)
            topology.servers.push_back(lay_out_server(*snapshot, i, topology.labels));
        made.topologies.push_back(std::move(topology));
    }
    return made;
}

double unix_seconds(checks::wall_time when) {
    auto since = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch());
    return static_cast<double>(since.count()) / 1000;
}

}  // namespace primacy::app::metrics
