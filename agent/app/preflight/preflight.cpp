#include "agent/app/preflight/preflight.hpp"

#include "checks/words.hpp"

namespace primacy::app {

using checks::flavor;
using checks::server_version;
using checks::queries::detail;

std::string_view to_string(preflight_level level) noexcept {
    switch (level) {
        case preflight_level::pass: return "pass";
        case preflight_level::warn: return "warn";
        case preflight_level::fail: return "fail";
    }
    return "fail";
}

namespace {

constexpr auto pass = preflight_level::pass;
constexpr auto warn = preflight_level::warn;
constexpr auto fail = preflight_level::fail;

// The privilege that shows replication status has had three names.
std::string replication_privilege(const checks::server_facts& facts) {
    if (facts.kind == flavor::mysql || facts.version < server_version{10, 5, 0})
        return "REPLICATION CLIENT";
    return facts.version < server_version{10, 5, 9} ? "REPLICATION SLAVE ADMIN" : "REPLICA MONITOR";
}

std::string grant(const std::string& privilege, const std::string& on, const std::string& account) {
    return "GRANT " + privilege + " ON " + on + " TO " + account + ";";
}

std::string option_group(const checks::server_facts& facts) {
    return facts.kind == flavor::mariadb ? "[mariadbd]" : "[mysqld]";
}

class report {
public:
    explicit report(const server_survey& of) : of_(of) {}

    void add(preflight_level level, std::string what, std::string remedy = "") {
        lines_.push_back({level, of_.name, std::move(what), std::move(remedy)});
    }
    std::vector<preflight_line> take() { return std::move(lines_); }

private:
    const server_survey& of_;
    std::vector<preflight_line> lines_;
};

std::string how_to_connect(const rt::error& failed, const topology_config& topology) {
    switch (failed.code) {
        case rt::errc::denied:
            return "CREATE USER '" + topology.user +
                   "'@'…' IDENTIFIED BY '…'; with the password in " + topology.password_file;
        case rt::errc::tls: return "set tls.mode, tls.ca and the server's name so that they agree";
        case rt::errc::dns: return "write an address, or a name that this host can resolve";
        case rt::errc::too_many_connections: return "raise max_connections on the server";
        default: return "see that the server runs, and that bind-address and firewalls let us in";
    }
}

void check_connection(const server_survey& found, const topology_config& topology, report& to) {
    to.add(pass, "answers at " + found.address + " as " + std::string(to_string(found.facts.kind)) +
                     " " + found.facts.version_text);
    server_version oldest =
        found.facts.kind == flavor::mariadb ? server_version{10, 4, 0} : server_version{5, 7, 0};
    if (found.facts.version < oldest)
        to.add(warn, "is older than any version that primacy is tested with", "upgrade it");
    bool local = found.address.starts_with('/');
    if (found.encrypted)
        to.add(pass, "the connection is encrypted");
    else if (!local && topology.tls.mode != rt::sql::tls_mode::disabled)
        to.add(warn, "the connection is not encrypted: the server offers no TLS",
               "set ssl_cert and ssl_key under " + option_group(found.facts));
}

void check_reading(const server_survey& found, report& to) {
    if (found.fast)
        to.add(fail, "its state cannot be read: " + found.fast->message, "see the error");
    else
        to.add(pass, "tells who may write (read_only=" + found.facts.read_only.text + ")");
    if (found.replication)
        to.add(fail, "its replication status cannot be read",
               grant(replication_privilege(found.facts), "*.*", found.account));
    else
        to.add(pass, "tells its replication status");
    if (found.details.contains(detail::replicas) || !found.facts.details.connected_replicas)
        to.add(warn, "does not show which replicas are connected",
               grant("PROCESS", "*.*", found.account));
    if (found.details.contains(detail::bypass_accounts) || !found.facts.details.bypass_accounts) {
        bool mariadb = found.facts.kind == flavor::mariadb;
        std::string remedy = mariadb ? grant("SELECT", "mysql.global_priv", found.account) + " " +
                                           grant("SELECT", "mysql.roles_mapping", found.account)
                                     : grant("SELECT", "mysql.*", found.account);
        to.add(warn, "does not show which accounts write through read_only", remedy);
    }
}

void check_settings(const server_survey& found, const topology_config& topology, report& to) {
    const auto& facts = found.facts;
    std::string group = option_group(facts);
    if (facts.log_bin == false)
        to.add(warn, "has no binary log: what only it holds cannot be told",
               "log_bin under " + group);
    if (facts.log_slave_updates == false)
        to.add(warn, "does not log what it replicates: its history is hidden",
               "log_slave_updates=ON under " + group);
    if (facts.details.boots_writable == true)
        to.add(warn, "starts writable: a former primary that comes back would take writes",
               "read_only=1 under " + group);
    for (const auto& link : facts.channels)
        if (!link.uses_gtid)
            to.add(warn, "replicates without GTID",
                   facts.kind == flavor::mariadb ? "CHANGE MASTER TO MASTER_USE_GTID=slave_pos;"
                                                 : "CHANGE REPLICATION SOURCE TO "
                                                   "SOURCE_AUTO_POSITION=1;");
    if (facts.clock_ahead) {
        auto away = *facts.clock_ahead < checks::duration::zero() ? -*facts.clock_ahead
                                                                  : *facts.clock_ahead;
        if (away >= topology.clock_skew_warn)
            to.add(warn, "its clock is " + checks::words::seconds(away) + " away from ours",
                   "run a time service (chrony, systemd-timesyncd) on both hosts");
    }
}

void check_together(const topology_config& topology, const std::vector<server_survey>& surveys,
                    std::vector<preflight_line>& lines) {
    for (std::size_t i = 0; i < surveys.size(); ++i)
        for (std::size_t k = i + 1; k < surveys.size(); ++k) {
            if (surveys[i].connecting || surveys[k].connecting ||
                surveys[i].facts.server_id != surveys[k].facts.server_id)
                continue;
            lines.push_back({fail, surveys[k].name,
                             "has the same server_id as " + surveys[i].name + " (" +
                                 std::to_string(surveys[i].facts.server_id) + ")",
                             "give each server its own server_id"});
        }
    if (topology.servers.size() == 2)
        lines.push_back({warn, topology.name,
                         "has two servers: with one of them gone nobody can tell a dead primary "
                         "from a cut network",
                         "add a third server, or name a witness under lease.witnesses"});
}

}  // namespace

std::vector<preflight_line> preflight_monitor(const topology_config& topology,
                                              const std::vector<server_survey>& surveys) {
    std::vector<preflight_line> lines;
    for (const auto& found : surveys) {
        report to(found);
        if (found.connecting) {
            to.add(fail, "cannot be read: " + found.connecting->message,
                   how_to_connect(*found.connecting, topology));
        } else {
            check_connection(found, topology, to);
            check_reading(found, to);
            check_settings(found, topology, to);
        }
        for (auto& line : to.take())
            lines.push_back(std::move(line));
    }
    check_together(topology, surveys, lines);
    return lines;
}

}  // namespace primacy::app
