#include "agent/app/guard/drivers.hpp"

#include "agent/app/config/address.hpp"
#include "agent/app/watch/topology_monitor.hpp"
#include "fencing/drivers/detach.hpp"
#include "fencing/drivers/exec.hpp"
#include "fencing/drivers/fence_agent.hpp"
#include "fencing/drivers/haproxy.hpp"
#include "fencing/drivers/ipmi.hpp"
#include "fencing/drivers/proxysql.hpp"
#include "fencing/drivers/sql.hpp"
#include "fencing/drivers/ssh.hpp"

#include <algorithm>

namespace primacy::app {

using namespace std::chrono_literals;

namespace {

// The whole procedure of the sql rung: several attempts, kill rounds and the verification.
constexpr auto sql_timeout = 10s;
constexpr auto detach_timeout = 10s;

const method_config* method_named(const config& settings, const std::string& name) {
    for (const auto& method : settings.methods)
        if (method.name == name) return &method;
    return nullptr;
}

struct making {
    const driver_parts& parts;
    const topology_config& topology;
    const server_config& server;
    fencing::fence_target target;
    std::chrono::milliseconds timeout;

    std::unique_ptr<fencing::driver> operator()(const ssh_method& how) const {
        fencing::ssh_options options;
        options.host = how.host;
        options.port = how.port;
        options.user = how.user;
        options.key = how.key;
        options.known_hosts = how.known_hosts;
        options.timeout = timeout;
        return fencing::make_ssh_driver(*parts.runner, target, options);
    }
    std::unique_ptr<fencing::driver> operator()(const ipmi_method& how) const {
        fencing::ipmi_options options;
        options.address = how.address;
        options.port = how.port;
        options.user = how.user;
        options.password_file = how.password_file;
        options.interface = how.interface;
        options.cipher = how.cipher;
        options.timeout = timeout;
        return fencing::make_ipmi_driver(*parts.runner, target, options);
    }
    std::unique_ptr<fencing::driver> operator()(const fence_agent_method& how) const {
        fencing::fence_agent_options options;
        options.agent = how.agent;
        options.options = how.options;
        options.password = how.password;
        options.timeout = timeout;
        return fencing::make_fence_agent_driver(*parts.runner, target, options);
    }
    std::unique_ptr<fencing::driver> operator()(const exec_method& how) const {
        fencing::exec_options options;
        options.command = how.command;
        options.timeout = timeout;
        options.style =
            how.style == exec_style::mha ? fencing::exec_style::mha : fencing::exec_style::json;
        options.verify = how.verify;
        return fencing::make_exec_driver(*parts.runner, target, options);
    }
    std::unique_ptr<fencing::driver> operator()(const haproxy_method& how) const {
        fencing::haproxy_options options;
        options.socket = how.socket;
        options.host = how.host;
        options.port = how.port;
        options.backend = how.backend;
        options.server = how.server;
        options.timeout = timeout;
        return fencing::make_haproxy_driver(parts.executor, target, options);
    }
    std::unique_ptr<fencing::driver> operator()(const proxysql_method& how) const {
        fencing::proxysql_options options;
        options.admin = how.admin;
        options.server_host = how.server_host;
        options.server_port = how.server_port;
        options.writer_hostgroup = how.writer_hostgroup;
        options.timeout = timeout;
        return fencing::make_proxysql_driver(parts.executor, *parts.network, target, options);
    }
    std::unique_ptr<fencing::driver> operator()(const detach_method&) const {
        fencing::detach_options options;
        for (const auto& other : topology.servers)
            if (other.name != server.name)
                options.replicas.push_back({other.name, endpoint_of(topology, other)});
        options.timeout = timeout;
        return fencing::make_detach_driver(parts.executor, *parts.network, target, options);
    }
};

}  // namespace

std::unique_ptr<fencing::driver> make_driver(const driver_parts& parts, const config& settings,
                                             const topology_config& topology,
                                             const server_config& server, const std::string& name) {
    making make{parts,
                topology,
                server,
                {topology.name, server.name, server.host, server.port, server.socket},
                detach_timeout};
    if (name == "sql") {
        fencing::sql_fence_options options;
        options.where = endpoint_of(topology, server);
        return fencing::make_sql_driver(parts.executor, *parts.network, make.target,
                                        std::move(options));
    }
    const method_config* method = method_named(settings, name);
    if (!method) return name == "detach" ? make(detach_method{}) : nullptr;
    make.timeout = method->timeout;
    return std::visit(make, method->how);
}

namespace {

fencing::rung rung_of(const config& settings, const std::string& name) {
    if (name == "sql") return {name, true, sql_timeout};
    const method_config* method = method_named(settings, name);
    if (!method) return {name, true, detach_timeout};
    return {name, !stops_without_sql(*method), method->timeout};
}

}  // namespace

fencing::fencing_policy fencing_policy_of(const config& settings, const topology_config& topology) {
    fencing::fencing_policy made;
    made.enforce = topology.mode == topology_mode::enforce;
    made.needs_lease = topology.lease.backend == lease_backend::servers;
    made.keep.clear();
    for (const auto& word : topology.fencing.keep)
        for (auto rule : {fencing::keep_rule::pin, fencing::keep_rule::incumbent,
                          fencing::keep_rule::replicas, fencing::keep_rule::gtid})
            if (fencing::to_string(rule) == word) made.keep.push_back(rule);
    made.pin = topology.fencing.pin;
    made.fence_all = topology.fencing.on_ambiguous == ambiguity::fence_all;
    made.fence_unseen = topology.fencing.unseen_former == unseen_former_action::fence;
    made.max_fences = topology.fencing.max_fences;
    made.per = topology.fencing.per;
    made.cooldown = topology.fencing.cooldown;
    made.deadline = topology.fencing.deadline;
    made.expected_writers = topology.expected_writers;
    made.stale_after = policy_of(topology).stale_after();
    for (const auto& server : topology.servers)
        for (const auto& name : server.fence)
            made.ladders[server.name].push_back(rung_of(settings, name));
    return made;
}

fencing::servers_lease_options lease_options_of(const topology_config& topology) {
    fencing::servers_lease_options made;
    made.topology = topology.name;
    made.ttl = std::chrono::duration_cast<std::chrono::seconds>(topology.lease.ttl);
    for (const auto& server : topology.servers)
        made.voters.push_back({server.name, endpoint_of(topology, server)});
    for (const auto& witness : topology.lease.witnesses) {
        server_config as_server;
        as_server.name = witness;
        if (auto at = parse_host_port(witness)) {
            as_server.host = at->host;
            as_server.port = at->port;
        }
        made.voters.push_back({witness, endpoint_of(topology, as_server)});
    }
    return made;
}

}  // namespace primacy::app
