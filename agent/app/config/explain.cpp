#include "agent/app/config/explain.hpp"

#include "agent/app/config/address.hpp"
#include "agent/app/config/duration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

namespace primacy::app {

namespace {

constexpr int slow_probe_polls = 5;

std::string line(std::string_view title, std::string_view text) {
    return fmt::format("  {:<14}{}\n", title, text);
}

bool acts(const topology_config& topology) {
    return topology.mode == topology_mode::enforce;
}

bool stops_without_sql(const server_config& server, const std::vector<method_config>& methods) {
    return std::any_of(methods.begin(), methods.end(), [&](const method_config& method) {
        const auto& rungs = server.fence;
        return std::find(rungs.begin(), rungs.end(), method.name) != rungs.end() &&
               stops_without_sql(method);
    });
}

std::string servers_text(const topology_config& topology) {
    std::size_t name_width = 0;
    std::size_t address_width = 0;
    for (const server_config& server : topology.servers) {
        name_width = std::max(name_width, server.name.size());
        address_width = std::max(address_width, server.address().size());
    }
    std::string text;
    for (const server_config& server : topology.servers)
        text += line(text.empty() ? "servers" : "",
                     fmt::format("{:<{}}  {:<{}}  fenced by {}", server.name, name_width,
                                 server.address(), address_width, fmt::join(server.fence, ", ")));
    return text;
}

std::string_view tls_text(rt::sql::tls_mode mode) {
    switch (mode) {
        case rt::sql::tls_mode::disabled: return "without TLS";
        case rt::sql::tls_mode::preferred: return "TLS where a server offers it";
        case rt::sql::tls_mode::required: return "TLS always, certificates not checked";
        case rt::sql::tls_mode::verify: return "TLS always, certificates checked";
    }
    return "";
}

std::string login_text(const topology_config& topology) {
    const std::string password =
        topology.password_file.empty() ? "no password" : "password from " + topology.password_file;
    return fmt::format("{}, {}, {}", topology.user, password, tls_text(topology.tls.mode));
}

std::string fencing_text(const fencing_config& fencing) {
    std::string rules;
    for (const std::string& rule : fencing.keep) {
        rules += (rules.empty() ? "" : ", ") + rule;
        if (rule == "pin" && !fencing.pin.empty()) rules += fmt::format(" ({})", fencing.pin);
    }
    const std::string_view otherwise =
        fencing.on_ambiguous == ambiguity::alert ? "a person decides" : "every writer is fenced";
    const std::string budget =
        fmt::format("{} fence{} in {}, the same server again after {}, {} for all rungs of one",
                    fencing.max_fences, fencing.max_fences == 1 ? "" : "s", to_text(fencing.per),
                    to_text(fencing.cooldown), to_text(fencing.deadline));
    const std::string_view unseen = fencing.unseen_former == unseen_former_action::alert
                                        ? "a person is told"
                                        : "it is fenced without SQL";
    return line("keeps", fmt::format("by {}; else {}", rules, otherwise)) +
           line("unseen former", unseen) + line("budget", budget);
}

std::string lease_text(const lease_config& lease) {
    if (lease.backend == lease_backend::none) return "none: this agent acts on its own word";
    const std::string witnesses =
        lease.witnesses.empty() ? "no witnesses"
                                : fmt::format("witnesses {}", fmt::join(lease.witnesses, ", "));
    return fmt::format("locks on a majority of the servers for {}, {}", to_text(lease.ttl),
                       witnesses);
}

// Where the method acts; what kind it is stands before it.
struct where_it_acts {
    std::string operator()(const ssh_method& how) const {
        return fmt::format("{}@{}", how.user, address_text(how.host, how.port));
    }
    std::string operator()(const ipmi_method& how) const {
        return fmt::format("{}@{}", how.user, address_text(how.address, how.port));
    }
    std::string operator()(const fence_agent_method& how) const { return how.agent; }
    std::string operator()(const exec_method& how) const {
        return fmt::format("{}{}{}", how.command.front(),
                           how.style == exec_style::mha ? ", with MHA's options" : "",
                           how.verify ? ", which also verifies" : "");
    }
    std::string operator()(const haproxy_method& how) const {
        return fmt::format("{}/{} at {}", how.backend, how.server,
                           how.socket.empty() ? address_text(how.host, how.port) : how.socket);
    }
    std::string operator()(const proxysql_method& how) const {
        const std::string group = how.writer_hostgroup
                                      ? fmt::format("hostgroup {}", *how.writer_hostgroup)
                                      : "every hostgroup";
        return fmt::format("{} at {}@{}", group, how.admin.user, how.admin.address());
    }
    std::string operator()(const detach_method&) const { return "the replicas that follow it"; }
};

std::string methods_text(const std::vector<method_config>& methods) {
    std::size_t width = 0;
    for (const method_config& method : methods)
        width = std::max(width, method.name.size());
    std::string text;
    for (const method_config& method : methods)
        text +=
            fmt::format("  {:<{}}  {:<11}  {}, at most {}\n", method.name, width, type_word(method),
                        std::visit(where_it_acts{}, method.how), to_text(method.timeout));
    return text;
}

std::string topology_text(const topology_config& topology,
                          const std::vector<method_config>& methods) {
    std::string text = fmt::format("topology {}\n", topology.name);
    text += line("mode", acts(topology) ? "enforce: fences" : "observe: watches, never acts");
    text += servers_text(topology);
    text += line("login", login_text(topology));
    text +=
        line("polls", fmt::format("every {}, each given up after {}; settings and accounts "
                                  "every {}",
                                  to_text(topology.poll_interval), to_text(topology.probe_timeout),
                                  to_text(topology.detail_interval)));
    text += line("split brain",
                 fmt::format("from {} writers on; confirmed after {} poll{} and {}, at most {} "
                             "after it began",
                             topology.expected_writers + 1, topology.confirm_polls,
                             topology.confirm_polls == 1 ? "" : "s", to_text(topology.confirm_for),
                             to_text(longest_confirmation(topology))));
    text += line("warns", fmt::format("at a lag of {}, a clock {} off", to_text(topology.lag_warn),
                                      to_text(topology.clock_skew_warn)));
    if (acts(topology)) {
        text += fencing_text(topology.fencing);
        text += line("lease", lease_text(topology.lease));
    }
    for (const std::string& note : notes_on(topology, methods))
        text += line("note", note);
    return text;
}

}  // namespace

std::chrono::milliseconds longest_confirmation(const topology_config& topology) {
    const auto polls = (topology.confirm_polls - 1) * topology.poll_interval;
    return topology.poll_interval + std::max(polls, topology.confirm_for);
}

std::vector<std::string> notes_on(const topology_config& topology,
                                  const std::vector<method_config>& methods) {
    std::vector<std::string> notes;
    const std::size_t voices = topology.servers.size() + topology.lease.witnesses.size();
    if (voices < 3)
        notes.push_back(
            fmt::format("with {} no majority is left when one is gone; then it is "
                        "uncertain who wrote last, and no lease can be held",
                        voices == 1 ? "one server" : "two servers"));
    if (topology.probe_timeout > slow_probe_polls * topology.poll_interval)
        notes.push_back(fmt::format(
            "a server that hangs is noticed after {} (probe_timeout), when "
            "{} polls were due",
            to_text(topology.probe_timeout), topology.probe_timeout / topology.poll_interval));
    for (const server_config& server : topology.servers) {
        if (!acts(topology) || stops_without_sql(server, methods)) continue;
        notes.push_back(fmt::format(
            "server {} has no rung that works without SQL, so nothing stops it when its network is "
            "gone",
            server.name));
        break;
    }
    return notes;
}

std::string describe(const config& value) {
    const agent_config& agent = value.agent;
    std::string text = fmt::format("agent {}\n", agent.name);
    std::string listen = agent.listen;
    if (agent.web && !agent.web->cert_file.empty()) listen += ", TLS";
    if (agent.web && !agent.web->client_ca_file.empty()) listen += ", client certificates";
    if (agent.web && !agent.web->basic_auth_users.empty()) listen += ", passwords";
    text += line("http", listen);
    text += line("control", agent.control);
    text += line("state", agent.state_dir);
    text += line("log", fmt::format("{}, {}", agent.log_level, agent.log_format));
    for (const topology_config& topology : value.topologies)
        text += "\n" + topology_text(topology, value.methods);
    if (!value.methods.empty()) text += "\nmethods\n" + methods_text(value.methods);
    return text;
}

}  // namespace primacy::app
