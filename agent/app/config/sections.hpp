// From checked sections to the typed configuration: one function for each part of the file, and
// what must hold between its keys. Inner to this folder.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/app/config/section_reader.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace primacy::app {

// [agent]; null: all defaults.
agent_config read_agent(reading& into, const document_value* table);

// [osc]; null: all defaults.
osc_config read_osc(reading& into, const document_value* table);

// [method.*]; null: none.
std::vector<method_config> read_methods(reading& into, const document_value* table);

// Where the fence agents among them stand.
std::map<std::string, agent_places> places_of_agents(const document_value* table);

// tls = { … } of a topology or a method.
rt::sql::tls_options read_tls(reading& into, const section_values& owner);

// The part that has the keys of this method's type.
section section_of(const method_config& method);
bool stops_without_sql(section type);

// What topologies share.
struct shared_names {
    // By name; with nothing where the type is not clear, which is a problem of its own.
    std::map<std::string, std::optional<section>, std::less<>> methods;
    std::set<std::string, std::less<>> used_methods;                         // by a server's fence
    std::map<std::string, std::pair<std::string, file_position>> addresses;  // to topology, place
};

topology_config read_topology(reading& into, const document_entry& entry, shared_names& shared);

// [[topology.NAME.server]], in order. `topology` is read but for its servers.
std::vector<server_config> read_servers(reading& into, const section_values& topology,
                                        const std::string& topology_name, shared_names& shared);

}  // namespace primacy::app
