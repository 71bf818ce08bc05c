#include "agent/app/config/address.hpp"
#include "agent/app/config/named_files.hpp"
#include "agent/app/config/nearest_name.hpp"
#include "agent/app/config/sections.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace primacy::app {

namespace {

// A section within the topology's, or all its defaults when it is not written.
section_values read_part(reading& into, const section_values& topology, std::string_view key,
                         section which) {
    const setting& part = topology[key];
    return read_section(into, part.value, {which}, topology.where(key), part.at);
}

bool reachable_without_sql(const server_config& server, const shared_names& shared) {
    return std::any_of(server.fence.begin(), server.fence.end(), [&](const std::string& rung) {
        const auto method = shared.methods.find(rung);
        if (method == shared.methods.end()) return false;
        return !method->second || stops_without_sql(*method->second);
    });
}

// Whoever cannot be seen cannot be logged in to either.
void check_unseen_former(reading& into, const section_values& fencing, const fencing_config& read,
                         const std::vector<server_config>& servers, const shared_names& shared) {
    if (read.unseen_former != unseen_former_action::fence) return;
    for (const server_config& server : servers) {
        if (reachable_without_sql(server, shared)) continue;
        into.found.problem(
            fencing["unseen_former"].at, fencing.where("unseen_former"),
            fmt::format("\"fence\" needs a rung that works without SQL, and server {} "
                        "has none; add a method of type ssh, ipmi, fence-agent or "
                        "exec to its \"fence\"",
                        server.name));
    }
}

fencing_config read_fencing(reading& into, const section_values& topology,
                            const std::vector<server_config>& servers, const shared_names& shared) {
    const section_values fencing = read_part(into, topology, "fencing", section::fencing);
    fencing_config read;
    read.keep = fencing["keep"].list;
    read.pin = fencing["pin"].text;
    read.on_ambiguous = fencing["on_ambiguous"].as<ambiguity>();
    read.unseen_former = fencing["unseen_former"].as<unseen_former_action>();
    read.max_fences = static_cast<int>(fencing["max_fences"].number);
    read.per = fencing["per"].duration();
    read.cooldown = fencing["cooldown"].duration();
    read.deadline = fencing["deadline"].duration();
    std::vector<std::string_view> names;
    for (const server_config& server : servers)
        names.push_back(server.name);
    const bool found = std::find(names.begin(), names.end(), read.pin) != names.end();
    if (!read.pin.empty() && !found)
        into.found.problem(fencing["pin"].at, fencing.where("pin"),
                           "no server of this topology is named " + in_quotes(read.pin) +
                               did_you_mean(read.pin, names));
    check_unseen_former(into, fencing, read, servers, shared);
    return read;
}

void check_witnesses(reading& into, const section_values& lease, const lease_config& read,
                     const std::vector<server_config>& servers) {
    const setting& witnesses = lease["witnesses"];
    std::map<std::string, std::string> taken;  // canonical address to whose it is
    for (const server_config& server : servers) {
        if (server.socket.empty() && !server.host.empty())
            taken.emplace(canonical_address(server.host, server.port), "server " + server.name);
    }
    for (std::size_t i = 0; i < read.witnesses.size(); ++i) {
        const auto parsed = parse_host_port(read.witnesses[i]);
        if (!parsed) continue;
        const auto [where, free] = taken.emplace(canonical_address(parsed->host, parsed->port),
                                                 "witness " + read.witnesses[i]);
        if (!free)
            into.found.problem(witnesses.list_positions[i], lease.where("witnesses"),
                               fmt::format("{} has a voice already, as {}",
                                           in_quotes(read.witnesses[i]), where->second));
    }
    if (!read.witnesses.empty() && read.backend == lease_backend::none && lease["backend"].good)
        into.found.warning(witnesses.at, lease.where("witnesses"),
                           "are only used with backend = \"servers\"");
}

// Half of an even number is no majority, so a third voice is what makes the first one dispensable.
void check_voices(reading& into, const section_values& lease, const lease_config& read,
                  std::size_t servers) {
    constexpr std::size_t enough = 3;
    const std::size_t voices = servers + read.witnesses.size();
    if (read.backend != lease_backend::servers || servers == 0 || voices >= enough) return;
    into.found.warning(
        lease["backend"].at, lease.where("backend"),
        fmt::format("has {} voice{}, so no lease can be held when one server is gone; add {}, such "
                    "as witnesses = [{}]",
                    voices, voices == 1 ? "" : "s", voices == 1 ? "two witnesses" : "a witness",
                    voices == 1 ? R"("10.0.0.8:3306", "10.0.0.9:3306")" : R"("10.0.0.9:3306")"));
}

// The servers' own timeouts, which end a holder's locks, count in seconds.
void check_ttl(reading& into, const section_values& lease, const lease_config& read) {
    if (read.ttl % std::chrono::seconds(1) == std::chrono::milliseconds::zero()) return;
    into.found.problem(lease["ttl"].at, lease.where("ttl"),
                       "expected whole seconds, got " + in_quotes(lease["ttl"].text));
}

lease_config read_lease(reading& into, const section_values& topology,
                        const std::vector<server_config>& servers) {
    const section_values lease = read_part(into, topology, "lease", section::lease);
    lease_config read;
    read.backend = lease["backend"].as<lease_backend>();
    read.ttl = lease["ttl"].duration();
    read.witnesses = lease["witnesses"].list;
    check_witnesses(into, lease, read, servers);
    check_voices(into, lease, read, servers.size());
    check_ttl(into, lease, read);
    const setting& mode = topology["mode"];
    const bool acts = mode.good && mode.as<topology_mode>() == topology_mode::enforce;
    if (acts && !lease["backend"].written)
        into.found.problem(mode.at, topology.where("mode"),
                           fmt::format("\"enforce\" needs a lease, so that two agents never act at "
                                       "once; write backend = \"servers\" into [{}], or \"none\" "
                                       "when this is the only agent",
                                       topology.where("lease")));
    return read;
}

void check_login(reading& into, const section_values& topology, const topology_config& read) {
    const bool over_network =
        std::any_of(read.servers.begin(), read.servers.end(),
                    [](const server_config& server) { return server.socket.empty(); });
    if (over_network && !topology["password_file"].written && read.tls.cert.empty())
        into.found.warning(topology.at(), topology.where(),
                           "logs in without a password; name a file with it in password_file");
}

void read_plain_keys(const section_values& topology, topology_config& read) {
    read.mode = topology["mode"].as<topology_mode>();
    read.poll_interval = topology["poll_interval"].duration();
    read.probe_timeout = topology["probe_timeout"].duration();
    read.detail_interval = topology["detail_interval"].duration();
    read.confirm_polls = static_cast<int>(topology["confirm_polls"].number);
    read.confirm_for = topology["confirm_for"].duration();
    read.expected_writers = static_cast<int>(topology["expected_writers"].number);
    read.user = topology["user"].text;
    read.password_file = topology["password_file"].text;
    read.lag_warn = topology["lag_warn"].duration();
    read.clock_skew_warn = topology["clock_skew_warn"].duration();
}

// A verified certificate bears a name, and a unix socket has none.
void check_sockets(reading& into, const section_values& topology, const topology_config& read) {
    if (read.tls.mode != rt::sql::tls_mode::verify) return;
    for (const server_config& server : read.servers) {
        if (server.socket.empty()) continue;
        into.found.problem(topology["tls"].at, topology.where("tls"),
                           fmt::format("mode = \"verify\" cannot be had over the socket of server "
                                       "{}; give it a host, or choose another mode",
                                       server.name));
    }
}

}  // namespace

rt::sql::tls_options read_tls(reading& into, const section_values& owner) {
    const section_values tls = read_part(into, owner, "tls", section::tls);
    rt::sql::tls_options read;
    read.mode = tls["mode"].as<rt::sql::tls_mode>();
    read.ca = tls["ca"].text;
    read.cert = tls["cert"].text;
    read.key = tls["key"].text;
    const bool cert = tls["cert"].written;
    if (cert != tls["key"].written)
        into.found.problem(tls[cert ? "cert" : "key"].at, tls.where(),
                           "cert and key belong together; write both or none");
    if (tls["mode"].good && tls["ca"].written && read.mode != rt::sql::tls_mode::verify)
        into.found.warning(tls["ca"].at, tls.where("ca"), "is only used with mode = \"verify\"");
    if (tls["mode"].good && cert && read.mode == rt::sql::tls_mode::disabled)
        into.found.warning(tls["cert"].at, tls.where("cert"), "is not used: TLS is disabled");
    check_named_file(into, tls, "ca");
    check_named_file(into, tls, "cert");
    check_named_key(into, tls, "key");
    return read;
}

topology_config read_topology(reading& into, const document_entry& entry, shared_names& shared) {
    topology_config read;
    read.name = entry.key;
    const bool is_table = entry.value.kind == value_kind::table;
    const auto complaint = name_complaint(entry.key);
    if (!is_table || !complaint.empty()) {
        const std::string expected(is_table ? complaint : "a table such as [topology.NAME]");
        const std::string got = is_table ? in_quotes(entry.key) : shown(entry.value);
        into.found.problem(entry.at, "topology." + in_quotes(entry.key),
                           fmt::format("expected {}, got {}", expected, got));
        return read;
    }
    const section_values topology =
        read_section(into, &entry.value, {section::topology}, "topology." + entry.key, entry.at);
    read_plain_keys(topology, read);
    read.password = read_named_secret(into, topology, "password_file");
    read.tls = read_tls(into, topology);
    read.servers = read_servers(into, topology, entry.key, shared);
    read.fencing = read_fencing(into, topology, read.servers, shared);
    read.lease = read_lease(into, topology, read.servers);
    check_login(into, topology, read);
    check_sockets(into, topology, read);
    const auto count = static_cast<int>(read.servers.size());
    if (count > 0 && read.expected_writers > count)
        into.found.problem(topology["expected_writers"].at, topology.where("expected_writers"),
                           fmt::format("{} writers cannot be expected of {} server{}",
                                       read.expected_writers, count, count == 1 ? "" : "s"));
    return read;
}

}  // namespace primacy::app
