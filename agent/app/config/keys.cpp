#include "agent/app/config/keys.hpp"

#include <algorithm>
#include <iterator>

namespace primacy::app {

namespace {

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

using enum value_type;

constexpr value_rules needed{true, false, {}, 0, 0};
constexpr value_rules can_be_empty{false, true, {}, 0, 0};

constexpr value_rules one_of(std::string_view words) {
    return {false, false, words, 0, 0};
}

constexpr value_rules needed_one_of(std::string_view words) {
    return {true, false, words, 0, 0};
}

constexpr value_rules within(std::int64_t lowest, std::int64_t highest) {
    return {false, false, {}, lowest, highest};
}

constexpr key_description file_keys[] = {
    {section::file, "agent", table, "this agent: its name, where it listens, what it logs"},
    {section::file, "topology", named_tables, "the topologies to watch", "", needed},
    {section::file, "method", named_tables, "ways to fence a server, named in its \"fence\""},
    {section::file, "osc", table, "online schema changes"},
};

constexpr key_description agent_keys[] = {
    {section::agent, "name", value_type::name,
     "this agent in metrics, locks and logs; the host's name unless written"},
    {section::agent, "listen", listen,
     "address of /metrics, /healthz, /readyz, /api/v1/status and /check", "127.0.0.1:9963"},
    {section::agent, "control", socket_path,
     "unix socket for the command line, mode 0660, group primacy", "/run/primacy/control.sock"},
    {section::agent, "state_dir", path, "what must survive a restart: incumbents, journal",
     "/var/lib/primacy"},
    {section::agent, "log_level", word, "what is logged, and all above it", "info",
     one_of("debug | info | warning | error")},
    {section::agent, "log_format", word, "how it is logged", "text",
     one_of("text | json | journal")},
    {section::agent, "web", table, "TLS and passwords for the HTTP listener"},
};

constexpr key_description web_keys[] = {
    {section::web, "cert_file", path, "PEM certificate and intermediates; with key_file"},
    {section::web, "key_file", path, "PEM private key without a passphrase, mode 0640 at most"},
    {section::web, "client_ca_file", path,
     "PEM authorities; a client must show a certificate of one of them"},
    {section::web, "basic_auth_users", user_table,
     "names and bcrypt hashes (htpasswd -nBC 10 NAME)"},
};

constexpr key_description topology_keys[] = {
    {section::topology, "mode", word, "observe explains and never acts; enforce fences", "observe",
     one_of("observe | enforce")},
    {section::topology, "poll_interval", duration, "how often each server is read", "1s",
     within(100, 10 * minute)},
    {section::topology, "probe_timeout", duration, "how long one reading may take", "2s",
     within(50, 60 * second)},
    {section::topology, "detail_interval", duration,
     "how often what seldom changes is read: accounts, settings, versions", "10s",
     within(second, day)},
    {section::topology, "confirm_polls", number,
     "consecutive polls that must see a second writer before it is a split brain", "3",
     within(1, 100)},
    {section::topology, "confirm_for", duration, "and how long they must span", "2s",
     within(0, 10 * minute)},
    {section::topology, "expected_writers", number, "writable primaries that are in order", "1",
     within(1, 1000)},
    {section::topology, "user", text, "account on every server", "primacy"},
    {section::topology, "password_file", path,
     "file with the account's password alone, mode 0640 at most"},
    {section::topology, "tls", table, "encryption of connections to the servers"},
    {section::topology, "lag_warn", duration, "replication lag that is a finding", "30s",
     within(second, 30 * day)},
    {section::topology, "clock_skew_warn", duration,
     "difference of a server's clock to ours that is a finding", "2s", within(100, day)},
    {section::topology, "server", table_list, "the servers", "", needed},
    {section::topology, "fencing", table, "which writer stays, and what stops the others"},
    {section::topology, "lease", table, "which of several agents may act"},
};

constexpr key_description tls_keys[] = {
    {section::tls, "mode", word, "verify also checks the certificate and the name in it",
     "preferred", one_of("disabled | preferred | required | verify")},
    {section::tls, "ca", path, "PEM authorities for verify; the system's unless written"},
    {section::tls, "cert", path, "PEM client certificate; with key"},
    {section::tls, "key", path, "PEM key of it, mode 0640 at most"},
};

constexpr key_description server_keys[] = {
    {section::server, "name", value_type::name, "the server in metrics, commands and reasons", "",
     needed},
    {section::server, "host", host, "name or address to connect to, unless there is a socket"},
    {section::server, "port", number, "port to connect to", "3306", within(1, 65535)},
    {section::server, "socket", socket_path, "unix socket to connect to, instead of a host"},
    {section::server, "fence", name_list,
     "rungs to stop it, in order: sql, detach or names of methods", "sql"},
};

constexpr key_description fencing_keys[] = {
    {section::fencing, "keep", word_list, "rules that decide which writer stays, in order",
     "pin, incumbent, replicas, gtid", one_of("pin | incumbent | replicas | gtid")},
    {section::fencing, "pin", text, "server that stays whatever the other rules say", "",
     can_be_empty},
    {section::fencing, "on_ambiguous", word, "when no rule decides", "alert",
     one_of("alert | fence-all")},
    {section::fencing, "unseen_former", word,
     "when the former primary cannot be seen and another server writes", "alert",
     one_of("alert | fence")},
    {section::fencing, "max_fences", number, "fences within \"per\"; then a person is needed", "2",
     within(1, 1000)},
    {section::fencing, "per", duration, "window of max_fences", "10m", within(second, 30 * day)},
    {section::fencing, "cooldown", duration, "pause before the same server is fenced again", "60s",
     within(0, day)},
    {section::fencing, "deadline", duration, "for all rungs of one server together", "90s",
     within(second, hour)},
};

constexpr key_description lease_keys[] = {
    {section::lease, "backend", word,
     "where the right to act is held; must be written for mode = \"enforce\"", "none",
     one_of("none | servers")},
    {section::lease, "ttl", duration, "how long it lasts without being renewed, in whole seconds",
     "8s", within(3 * second, 60 * second)},
    {section::lease, "witnesses", address_list,
     "MariaDB or MySQL servers that only hold locks, as \"host:port\"", "", can_be_empty},
};

constexpr key_description method_keys[] = {
    {section::method, "type", word, "what kind of device or program it is", "",
     needed_one_of("ssh | ipmi | fence-agent | exec | haproxy | proxysql | detach")},
};

constexpr key_description ssh_keys[] = {
    {section::ssh, "host", host, "where primacy-fence-host is the forced command", "", needed},
    {section::ssh, "port", number, "port of its sshd", "22", within(1, 65535)},
    {section::ssh, "user", text, "account to log in with", "primacy"},
    {section::ssh, "key", path, "private key of the agent's user", "", needed},
    {section::ssh, "known_hosts", path, "file with the host's key", "/etc/primacy/known_hosts"},
    {section::ssh, "timeout", duration, "for the whole exchange", "10s",
     within(second, 10 * minute)},
};

constexpr key_description ipmi_keys[] = {
    {section::ipmi, "address", host, "the BMC", "", needed},
    {section::ipmi, "port", number, "its UDP port", "623", within(1, 65535)},
    {section::ipmi, "user", text, "account with operator rights", "", needed},
    {section::ipmi, "password_file", path, "file with its password alone, mode 0640 at most", "",
     needed},
    {section::ipmi, "interface", word, "as ipmitool -I", "lanplus", one_of("lanplus | lan")},
    {section::ipmi, "cipher", number, "cipher suite; the BMC is asked unless written", "",
     within(0, 17)},
    {section::ipmi, "timeout", duration, "until the power is seen to be off", "20s",
     within(second, 10 * minute)},
};

constexpr key_description fence_agent_keys[] = {
    {section::fence_agent, "agent", program, "program of the fence-agents family, as fence_apc", "",
     needed},
    {section::fence_agent, "options", option_table, "its options, as in its manual page"},
    {section::fence_agent, "password_file", path,
     "file with the device's password alone, mode 0640 at most"},
    {section::fence_agent, "timeout", duration, "for the whole action", "60s",
     within(second, 10 * minute)},
};

constexpr key_description exec_keys[] = {
    {section::exec, "command", command, "program and arguments; no shell reads them", "", needed},
    {section::exec, "timeout", duration, "until it is killed", "30s", within(second, 10 * minute)},
    {section::exec, "style", word, "what it is told: one JSON object on stdin, or MHA's options",
     "json", one_of("json | mha")},
    {section::exec, "verify", value_type::flag,
     "whether the program can also be asked if the server is stopped", "false"},
};

constexpr key_description haproxy_keys[] = {
    {section::haproxy, "socket", local_or_address,
     "HAProxy's stats socket of level admin: its path, or \"host:port\"", "", needed},
    {section::haproxy, "backend", haproxy_name, "the backend that sends writes to the server", "",
     needed},
    {section::haproxy, "server", haproxy_name, "the server's name in that backend", "", needed},
    {section::haproxy, "timeout", duration, "until its sessions are seen to be gone", "5s",
     within(second, 10 * minute)},
};

constexpr key_description proxysql_keys[] = {
    {section::proxysql, "host", host, "where ProxySQL's admin interface listens", "", needed},
    {section::proxysql, "port", number, "its port", "6032", within(1, 65535)},
    {section::proxysql, "user", text, "admin account", "", needed},
    {section::proxysql, "password_file", path, "file with its password alone, mode 0640 at most",
     "", needed},
    {section::proxysql, "server", address,
     "the server as ProxySQL names it, when that is not its host and port"},
    {section::proxysql, "writer_hostgroup", number,
     "hostgroup to take the server out of; every one unless written", "", within(0, 2147483647)},
    {section::proxysql, "tls", table, "encryption of the connection to it"},
    {section::proxysql, "timeout", duration, "until its connections are seen to be gone", "10s",
     within(second, 10 * minute)},
};

constexpr key_description detach_keys[] = {
    {section::detach, "timeout", duration, "until the replicas are seen to have stopped", "10s",
     within(second, 10 * minute)},
};

constexpr key_description osc_keys[] = {
    {section::osc, "log_dir", path, "what the tools print", "/var/log/primacy/osc"},
    {section::osc, "gh_ost", program, "gh-ost", "gh-ost"},
    {section::osc, "pt_osc", program, "pt-online-schema-change", "pt-online-schema-change"},
    {section::osc, "max_running", number, "jobs of a topology that copy at the same time", "1",
     within(1, 100)},
    {section::osc, "keep_old", duration,
     "of the original rows after a change, whatever is permitted", "168h", within(0, 365 * day)},
};

// The file of a schema change, and the flags of `osc plan` and `osc run`, which have these names.
constexpr key_description job_file_keys[] = {
    {section::job_file, "job", table, "the schema change", "", needed},
};

constexpr key_description job_keys[] = {
    {section::job, "topology", value_type::name, "where; needed when there are several"},
    {section::job, "table", text, "DATABASE.TABLE; a part that is not plain in backquotes"},
    {section::job, "alter", text, "what to change, as \"ADD COLUMN note TEXT\""},
    {section::job, "tool", word, "which one does it; auto lets the plan choose", "auto",
     one_of("auto | native | gh-ost | pt-osc")},
    {section::job, "allow", text_list, "refusals to go against, by their codes", "", can_be_empty},
    {section::job, "max_lag", duration, "lag of a replica above which the copy waits", "1500ms",
     within(100, hour)},
    {section::job, "max_load", text_list, "status variables above which the copy waits", "",
     can_be_empty},
    {section::job, "window", text, "UTC times of day between which tables are swapped"},
    {section::job, "cut_over", word, "manual waits for `osc cut-over`", "auto",
     one_of("auto | manual")},
    {section::job, "chunk_rows", number, "rows of one step of the copy", "1000",
     within(10, 100'000)},
    {section::job, "lock_wait", duration, "how long one attempt to swap may wait for its locks",
     "3s", within(second, 10 * second)},
    {section::job, "attempts", number, "to swap, or to get the locks of a native ALTER", "10",
     within(1, 1000)},
    {section::job, "dry_run_tool", value_type::flag, "the tool's own dry run", "false"},
    {section::job, "test_on_replica", value_type::name,
     "the server on which gh-ost tries it and leaves the copy"},
};

std::vector<key_description> gather() {
    std::vector<key_description> all;
    auto add = [&all](const auto& keys) {
        all.insert(all.end(), std::begin(keys), std::end(keys));
    };
    add(file_keys);
    add(agent_keys);
    add(web_keys);
    add(topology_keys);
    add(tls_keys);
    add(server_keys);
    add(fencing_keys);
    add(lease_keys);
    add(method_keys);
    add(ssh_keys);
    add(ipmi_keys);
    add(fence_agent_keys);
    add(exec_keys);
    add(haproxy_keys);
    add(proxysql_keys);
    add(detach_keys);
    add(osc_keys);
    return all;
}

}  // namespace

const std::vector<key_description>& all_keys() {
    static const std::vector<key_description> all = gather();
    return all;
}

std::vector<const key_description*> keys_of(section which) {
    std::vector<const key_description*> found;
    auto add = [&](const auto& keys) {
        for (const key_description& key : keys)
            if (key.where == which) found.push_back(&key);
    };
    add(all_keys());
    add(job_file_keys);
    add(job_keys);
    return found;
}

std::vector<std::string_view> words_of(const key_description& key) {
    constexpr std::string_view between = " | ";
    std::vector<std::string_view> words;
    std::string_view rest = key.rules.words;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(between), rest.size());
        words.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + between.size(), rest.size()));
    }
    return words;
}

std::string_view heading(section which) noexcept {
    switch (which) {
        case section::file: return "the top level";
        case section::agent: return "[agent]";
        case section::web: return "[agent.web]";
        case section::topology: return "[topology.NAME]";
        case section::tls: return "tls = { … }";
        case section::server: return "[[topology.NAME.server]]";
        case section::fencing: return "[topology.NAME.fencing]";
        case section::lease: return "[topology.NAME.lease]";
        case section::method: return "[method.NAME]";
        case section::ssh: return "[method.NAME] of type ssh";
        case section::ipmi: return "[method.NAME] of type ipmi";
        case section::fence_agent: return "[method.NAME] of type fence-agent";
        case section::exec: return "[method.NAME] of type exec";
        case section::haproxy: return "[method.NAME] of type haproxy";
        case section::proxysql: return "[method.NAME] of type proxysql";
        case section::detach: return "[method.NAME] of type detach";
        case section::osc: return "[osc]";
        case section::job_file: return "the top level";
        case section::job: return "[job]";
    }
    return "";
}

}  // namespace primacy::app
