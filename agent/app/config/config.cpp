#include "agent/app/config/config.hpp"

#include "agent/app/config/address.hpp"
#include "agent/app/config/named_files.hpp"
#include "agent/app/config/sections.hpp"
#include "agent/rt/file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <sys/stat.h>
#include <system_error>

namespace primacy::app {

namespace {

constexpr std::size_t largest_file = 1 << 20;

std::filesystem::path directory_of(const std::string& path) {
    std::error_code failed;
    const auto absolute = std::filesystem::absolute(path, failed);
    return failed ? std::filesystem::path("/") : absolute.parent_path();
}

config_outcome cannot_read(const std::string& path, const rt::error& failure) {
    std::string sentence = "cannot be read: " + std::generic_category().message(failure.native);
    if (failure.native == ENOENT)
        sentence = "does not exist; write it, or name another file with --config FILE";
    else if (failure.native == EACCES)
        sentence =
            "cannot be read by this user; the agent runs as user primacy: "
            "chgrp primacy it and chmod 0640";
    else if (failure.code == rt::errc::limit)
        sentence = "is larger than 1 MiB; that is no configuration of primacy";
    else if (failure.native == 0)
        sentence = "is not a regular file; name the file itself with --config FILE";
    config_outcome outcome;
    outcome.value.path = path;
    outcome.problems.push_back({0, 0, std::move(sentence)});
    return outcome;
}

// Whoever can write the file decides which programs run.
void warn_of_open_file(config_outcome& outcome, const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || (facts.st_mode & S_IWOTH) == 0) return;
    const std::string sentence = "can be written by everyone; run: chmod o-w " + path;
    outcome.warnings.insert(outcome.warnings.begin(), {0, 0, sentence});
}

void warn_of_unused_methods(reading& into, const document_value* methods,
                            const shared_names& shared) {
    if (methods == nullptr) return;
    for (const document_entry& method : methods->entries) {
        if (shared.used_methods.contains(method.key)) continue;
        into.found.warning(method.at, "method." + method.key, "no server's \"fence\" names it");
    }
}

const document_value* table_of(const section_values& values, std::string_view key) {
    return values[key].value;
}

}  // namespace

std::string to_text(std::string_view path, const config_problem& problem) {
    if (problem.line == 0) return fmt::format("{}: {}", path, problem.message);
    return fmt::format("{}:{}:{}: {}", path, problem.line, problem.column, problem.message);
}

std::string server_config::address() const {
    return socket.empty() ? address_text(host, port) : socket;
}

rt::sql::endpoint endpoint_of(const topology_config& topology, const server_config& server) {
    rt::sql::endpoint made;
    made.host = server.host;
    made.port = server.port;
    made.socket = server.socket;
    made.user = topology.user;
    made.password = topology.password;
    made.tls = topology.tls;
    return made;
}

bool same_methods(const config& one, const config& other, const topology_config& topology) {
    const auto find = [](const config& in, const std::string& name) -> const method_config* {
        for (const auto& method : in.methods)
            if (method.name == name) return &method;
        return nullptr;
    };
    for (const auto& server : topology.servers)
        for (const auto& name : server.fence) {
            const auto *first = find(one, name), *second = find(other, name);
            if ((first == nullptr) != (second == nullptr)) return false;
            if (first && *first != *second) return false;
        }
    return true;
}

config_outcome load(const std::string& path) {
    auto text = rt::read_file(path, largest_file);
    if (!text) return cannot_read(path, text.error());
    config_outcome outcome = parse(*text, path);
    warn_of_open_file(outcome, path);
    return outcome;
}

config_outcome parse(std::string_view text, const std::string& path, files look) {
    config_outcome outcome;
    outcome.value.path = path;
    const document read = parse_document(text);
    if (read.problem) {
        outcome.problems.push_back(*read.problem);
        return outcome;
    }
    reading into{directory_of(path), look == files::check, {}};
    const section_values top = read_section(into, &read.root, {section::file}, "", {1, 1});
    outcome.value.agent = read_agent(into, table_of(top, "agent"));
    outcome.value.osc = read_osc(into, table_of(top, "osc"));
    outcome.value.methods = read_methods(into, table_of(top, "method"));
    outcome.value.fence_agents = places_of_agents(table_of(top, "method"));
    shared_names shared;
    if (const document_value* methods = table_of(top, "method")) {
        for (const document_entry& method : methods->entries)
            shared.methods[method.key];
        for (const method_config& method : outcome.value.methods)
            shared.methods[method.name] = section_of(method);
    }
    if (const document_value* topologies = table_of(top, "topology")) {
        for (const document_entry& topology : topologies->entries)
            outcome.value.topologies.push_back(read_topology(into, topology, shared));
    }
    outcome.problems = into.found.take_problems();
    // A list of rungs that could not be read might have named them.
    if (outcome.ok()) warn_of_unused_methods(into, table_of(top, "method"), shared);
    outcome.warnings = into.found.take_warnings();
    return outcome;
}

}  // namespace primacy::app
