#include "agent/app/config/address.hpp"
#include "agent/app/config/nearest_name.hpp"
#include "agent/app/config/sections.hpp"

#include <fmt/format.h>

namespace primacy::app {

namespace {

using taken_names = std::map<std::string, file_position>;

// The server in problems: by its name when it has one, else by its number.
std::string place_of(const section_values& topology, const document_value& server,
                     std::size_t number) {
    const document_entry* name = server.find("name");
    const bool named = name && name_complaint(name->value.text).empty();
    return topology.where("server") + "." +
           (named ? name->value.text : "#" + std::to_string(number));
}

void check_host_and_socket(reading& into, const section_values& server) {
    const setting& host = server["host"];
    const setting& socket = server["socket"];
    if (host.written && socket.written)
        into.found.problem(socket.at, server.where(),
                           "has both a host and a socket; write one of them");
    else if (!host.written && !socket.written)
        into.found.problem(server.at(), server.where(),
                           "has neither a host nor a socket; write host = \"…\"");
    else if (socket.written && server["port"].written)
        into.found.problem(server["port"].at, server.where("port"),
                           "a socket has no port; remove it");
}

void check_rungs(reading& into, const section_values& server, shared_names& shared) {
    const setting& fence = server["fence"];
    std::vector<std::string_view> known = {"sql", "detach"};
    for (const auto& [name, type] : shared.methods)
        known.push_back(name);
    for (std::size_t i = 0; i < fence.list.size(); ++i) {
        const std::string& rung = fence.list[i];
        shared.used_methods.insert(rung);
        if (rung == "sql" || rung == "detach" || shared.methods.contains(rung)) continue;
        const file_position at = fence.written ? fence.list_positions[i] : fence.at;
        std::string advice = did_you_mean(rung, known);
        if (advice.empty()) advice = fmt::format("; add a table [method.{}]", rung);
        into.found.problem(at, server.where("fence"),
                           "no method is named " + in_quotes(rung) + advice);
    }
}

void check_name(reading& into, const section_values& server, taken_names& taken) {
    const setting& name = server["name"];
    if (!name.good) return;
    const auto [first, free] = taken.emplace(name.text, name.at);
    if (!free)
        into.found.problem(name.at, server.where(),
                           fmt::format("the name {} is taken by the server of line {}",
                                       in_quotes(name.text), first->second.line));
}

void check_address(reading& into, const section_values& server, const server_config& read,
                   const std::string& topology_name, shared_names& shared) {
    const setting& given = server[read.socket.empty() ? "host" : "socket"];
    if (!given.good || !given.written || !server["port"].good) return;
    const std::string key =
        read.socket.empty() ? canonical_address(read.host, read.port) : read.socket;
    const auto [first, free] = shared.addresses.emplace(key, std::pair(topology_name, given.at));
    if (free) return;
    const auto& [other, at] = first->second;
    const std::string sentence =
        other == topology_name
            ? fmt::format("{} is also the address of the server of line {}", read.address(),
                          at.line)
            : fmt::format(
                  "{} belongs to topology {} already (line {}); a server can be in one "
                  "topology only",
                  read.address(), other, at.line);
    into.found.problem(given.at, server.where(), sentence);
}

server_config read_server(reading& into, const section_values& server) {
    server_config read;
    read.name = server["name"].text;
    read.host = server["host"].text;
    read.port = static_cast<std::uint16_t>(server["port"].number);
    read.socket = server["socket"].text;
    read.fence = server["fence"].list;
    check_host_and_socket(into, server);
    return read;
}

}  // namespace

std::vector<server_config> read_servers(reading& into, const section_values& topology,
                                        const std::string& topology_name, shared_names& shared) {
    std::vector<server_config> servers;
    const document_value* list = topology["server"].value;
    if (!list) return servers;
    taken_names taken;
    for (const document_value& item : list->items) {
        const std::string where = place_of(topology, item, servers.size() + 1);
        if (item.kind != value_kind::table) {
            into.found.problem(
                item.at, where,
                "expected a table [[" + topology.where("server") + "]], got " + shown(item));
            continue;
        }
        const section_values server = read_section(into, &item, {section::server}, where, item.at);
        servers.push_back(read_server(into, server));
        check_name(into, server, taken);
        check_address(into, server, servers.back(), topology_name, shared);
        check_rungs(into, server, shared);
    }
    return servers;
}

}  // namespace primacy::app
