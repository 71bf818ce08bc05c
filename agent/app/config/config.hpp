// The configuration as typed values, and the way from a TOML file to them: every key and value is
// checked, and all that is wrong with a file is reported at once, each with its line and column.
// Knows nothing of who uses the values; it opens no connection and starts nothing.
#pragma once

#include "agent/app/config/problem.hpp"
#include "agent/rt/sql/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace primacy::app {

// In the manner of Prometheus' own web-config. Paths are absolute, as everywhere below.
struct web_config {
    std::string cert_file;  // both or none
    std::string key_file;
    std::string client_ca_file;                           // when given, clients show a certificate
    std::map<std::string, std::string> basic_auth_users;  // name to bcrypt hash
};

struct agent_config {
    std::string name;                       // the host's name unless written
    std::string listen = "127.0.0.1:9963";  // "address:port", "[v6]:port" or ":port"
    std::string control = "/run/primacy/control.sock";
    std::string state_dir = "/var/lib/primacy";
    std::string log_level = "info";   // debug | info | warning | error
    std::string log_format = "text";  // text | json | journal
    std::optional<web_config> web;
};

// The enumerators of each of the following stand in the order of the key's words (keys.cpp).
enum class topology_mode {
    observe,  // decides, explains, exports; never acts
    enforce   // acts
};

enum class ambiguity {
    alert,     // waits for a person's resolve
    fence_all  // stops every writer
};

enum class unseen_former_action {
    alert,  // says so
    fence   // fences it through rungs that need no SQL
};

enum class lease_backend {
    none,    // this agent acts on its own word
    servers  // locks on a majority of the servers and witnesses
};

struct server_config {
    std::string name;
    std::string host;  // empty when socket is set
    std::uint16_t port = 3306;
    std::string socket;
    std::vector<std::string> fence = {"sql"};  // "sql", "detach" or names of methods

    // "10.0.0.1:3306", "[::1]:3306" or the socket's path.
    std::string address() const;
    bool operator==(const server_config&) const = default;
};

struct fencing_config {
    std::vector<std::string> keep = {"pin", "incumbent", "replicas", "gtid"};
    std::string pin;  // name of a server of the topology, or empty
    ambiguity on_ambiguous = ambiguity::alert;
    unseen_former_action unseen_former = unseen_former_action::alert;
    int max_fences = 2;
    std::chrono::milliseconds per = std::chrono::minutes(10);
    std::chrono::milliseconds cooldown = std::chrono::seconds(60);
    std::chrono::milliseconds deadline = std::chrono::seconds(90);
    bool operator==(const fencing_config&) const = default;
};

struct lease_config {
    lease_backend backend = lease_backend::none;
    std::chrono::milliseconds ttl = std::chrono::seconds(8);
    std::vector<std::string> witnesses;  // "host:port", "[v6]:port"
    bool operator==(const lease_config&) const = default;
};

struct topology_config {
    std::string name;
    topology_mode mode = topology_mode::observe;
    std::chrono::milliseconds poll_interval = std::chrono::seconds(1);
    std::chrono::milliseconds probe_timeout = std::chrono::seconds(2);
    std::chrono::milliseconds detail_interval = std::chrono::seconds(10);
    int confirm_polls = 3;
    std::chrono::milliseconds confirm_for = std::chrono::seconds(2);
    int expected_writers = 1;
    std::string user = "primacy";
    std::string password_file;
    std::string password;  // what the file held when it was loaded; never to be shown
    rt::sql::tls_options tls;
    std::chrono::milliseconds lag_warn = std::chrono::seconds(30);
    std::chrono::milliseconds clock_skew_warn = std::chrono::seconds(2);
    std::vector<server_config> servers;
    fencing_config fencing;
    lease_config lease;
    bool operator==(const topology_config&) const = default;
};

struct ssh_method {
    std::string host;
    std::uint16_t port = 22;
    std::string user;
    std::string key;
    std::string known_hosts;
    bool operator==(const ssh_method&) const = default;
};

struct ipmi_method {
    std::string address;
    std::uint16_t port = 623;
    std::string user;
    std::string password_file;
    std::string password;       // never to be shown
    std::string interface;      // lanplus | lan
    std::optional<int> cipher;  // suite; the device is asked when there is none
    bool operator==(const ipmi_method&) const = default;
};

struct fence_agent_method {
    std::string agent;  // "fence_ipmilan", or an absolute path
    std::map<std::string, std::string> options;
    std::string password_file;  // may be empty
    std::string password;       // never to be shown
    bool operator==(const fence_agent_method&) const = default;
};

// In the order of the key's words (keys.cpp).
enum class exec_style {
    json,  // one JSON object on stdin
    mha    // the options that MHA gives to a shutdown_script
};

struct exec_method {
    std::vector<std::string> command;  // the first is an absolute path
    exec_style style = exec_style::json;
    bool verify = false;  // the program can also be asked whether the server is stopped
    bool operator==(const exec_method&) const = default;
};

// Takes the server out of a backend. By `socket`, or by host and port when that is empty.
struct haproxy_method {
    std::string socket;
    std::string host;
    std::uint16_t port = 0;
    std::string backend;
    std::string server;  // as the backend names it
    bool operator==(const haproxy_method&) const = default;
};

struct proxysql_method {
    rt::sql::endpoint admin;  // its password is never to be shown
    std::string password_file;
    std::string server_host;  // as ProxySQL names it; empty: the server's own host and port
    std::uint16_t server_port = 0;
    std::optional<std::int64_t> writer_hostgroup;  // every hostgroup when there is none
    bool operator==(const proxysql_method&) const = default;
};

// Stops the replicas that follow the server.
struct detach_method {
    bool operator==(const detach_method&) const = default;
};

struct method_config {
    std::string name;
    std::chrono::milliseconds timeout{};
    // In the order of the words of the key "type" (keys.cpp).
    std::variant<ssh_method, ipmi_method, fence_agent_method, exec_method, haproxy_method,
                 proxysql_method, detach_method>
        how;
    bool operator==(const method_config&) const = default;
};

// Where a fence agent stands in the file: what it says about its options is found out later.
struct agent_places {
    file_position agent;                           // its name
    std::map<std::string, file_position> options;  // by name
};

// "ssh", "fence-agent" …
std::string_view type_word(const method_config& method);

// Whether it stops a server without logging in to it: ssh, ipmi, fence-agent and exec. Proxies and
// detach only keep others away from it.
bool stops_without_sql(const method_config& method);

struct osc_config {
    std::string log_dir = "/var/log/primacy/osc";
    std::string gh_ost = "gh-ost";
    std::string pt_osc = "pt-online-schema-change";
    int max_running = 1;                                           // copying jobs per topology
    std::chrono::milliseconds keep_old = std::chrono::hours(168);  // old data, after its job
};

struct config {
    agent_config agent;
    std::vector<topology_config> topologies;  // in the order of the file, as are the servers
    std::vector<method_config> methods;
    std::map<std::string, agent_places> fence_agents;  // by method
    osc_config osc;
    std::string path;  // as it was named
};

// Whether the methods that the topology's ladders name are the same in both.
bool same_methods(const config& one, const config& other, const topology_config& topology);

struct config_outcome {
    config value;                          // to be used only when ok()
    std::vector<config_problem> problems;  // in the order of the file
    std::vector<config_problem> warnings;  // what is allowed and probably not meant

    bool ok() const { return problems.empty(); }
};

enum class files {
    check,  // read password files, and see that certificates and keys are there
    ignore  // look at nothing but the text
};

// Reads and checks a file of at most 1 MiB. Blocks for as long as the disk takes.
config_outcome load(const std::string& path);

// The same for a text. Relative paths in it are relative to the directory of `path`.
config_outcome parse(std::string_view text, const std::string& path, files look = files::check);

// How to log in to one server of the topology.
rt::sql::endpoint endpoint_of(const topology_config& topology, const server_config& server);

}  // namespace primacy::app
