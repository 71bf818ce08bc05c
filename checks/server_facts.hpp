// What one probe of one server found out. Plain values; every fact that a server may withhold is
// optional, and absence means "unknown", never "no".
#pragma once

#include "checks/gtid.hpp"
#include "checks/moment.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::checks {

enum class flavor { mariadb, mysql };
std::string_view to_string(flavor value) noexcept;

struct server_version {
    int major = 0, minor = 0, patch = 0;
    auto operator<=>(const server_version&) const = default;
};

// "10.11.19-MariaDB-0+deb12u1-log" → 10.11.19; also understands the "5.5.5-" prefix that MariaDB
// sends in its greeting. Missing parts are 0.
server_version parse_version(std::string_view text) noexcept;

// A server variable that may be spelt as a number or a word, kept with the text it came as.
struct switch_setting {
    enum class state { off, on, unknown } value = state::unknown;
    std::string text;

    bool is_on() const noexcept { return value == state::on; }
    bool is_off() const noexcept { return value == state::off; }
};

// read_only as text: 0 and OFF are writable; 1, ON, NO_LOCK and NO_LOCK_NO_ADMIN (MariaDB 12) are
// read-only; anything else is unknown. Letter case does not matter.
switch_setting parse_read_only(std::string_view text);
// Any other switch: 0/OFF/NO, 1/ON/YES, else unknown.
switch_setting parse_switch(std::string_view text);

enum class io_thread {
    running,     // connected to the source and receiving
    connecting,  // started, but not connected: nothing arrives
    stopped,     // not started, or ended with an error
    unknown      // a word that we do not know
};
std::string_view to_string(io_thread value) noexcept;

enum class sql_thread { running, stopped, unknown };
std::string_view to_string(sql_thread value) noexcept;

// One replication channel (MariaDB: connection) of a replica.
struct channel {
    std::string name;  // empty for the default channel
    std::string source_host;
    std::uint16_t source_port = 0;
    std::uint32_t source_server_id = 0;  // 0 until it was connected once
    std::string source_uuid;             // MySQL only
    io_thread io = io_thread::unknown;
    sql_thread sql = sql_thread::unknown;
    std::optional<double> lag_seconds;  // NULL in the server is absent here
    double delay_seconds = 0;           // deliberate (SQL_Delay)
    int io_errno = 0;
    std::string io_error;
    int sql_errno = 0;
    std::string sql_error;
    bool uses_gtid = false;

    bool replicating() const noexcept {
        return io == io_thread::running && sql == sql_thread::running;
    }
};

struct semisync_facts {
    bool source_enabled = false;  // the variable: somebody wants semi-sync
    bool source_active = false;   // the status: it is on at this moment
    int connected_replicas = 0;   // replicas that acknowledge
};

struct galera_facts {
    bool provider_on = false;    // wsrep_on; the other facts mean nothing while it is off
    bool ready = false;          // wsrep_ready
    std::string cluster_status;  // "Primary", "non-Primary", "Disconnected"
    std::string cluster_uuid;    // wsrep_cluster_state_uuid
    std::int64_t conf_id = -1;   // wsrep_cluster_conf_id: number of the membership view
    int cluster_size = 0;
    std::string state_comment;  // "Synced", "Donor/Desynced", …

    bool in_primary_component() const noexcept {
        return provider_on && cluster_status == "Primary";
    }
};

// Facts that cost the server more or change rarely; read on their own, slower schedule. Each is
// absent when the account may not read it.
struct server_details {
    moment taken_at{};
    std::optional<double> uptime_seconds;
    std::optional<int> connected_replicas;  // binlog dump threads of replicas; a gh-ost is none
    std::optional<semisync_facts> semisync;
    std::optional<galera_facts> galera;
    std::optional<std::vector<std::string>> bypass_accounts;  // 'user'@'host' that write through
                                                              // read_only
    std::optional<bool> boots_writable;  // read_only is not set in the server's configuration
};

struct server_facts {
    flavor kind = flavor::mariadb;
    server_version version;
    std::string version_text;
    std::uint32_t server_id = 0;
    std::string uuid;  // MySQL only
    switch_setting read_only;
    std::optional<switch_setting> super_read_only;  // MySQL only
    std::optional<switch_setting> offline_mode;     // MySQL only
    std::vector<channel> channels;
    // MariaDB: gtid_binlog_state and gtid_slave_pos. MySQL: gtid_executed.
    std::optional<mariadb_gtid_state> binlog_state;
    std::optional<mariadb_gtid_state> slave_pos;
    std::optional<mysql_gtid_set> executed;
    std::optional<bool> log_slave_updates;
    std::optional<bool> log_bin;
    std::optional<wall_time> server_clock;  // the server's clock when it answered
    std::optional<duration> clock_ahead;    // server_clock minus ours at the middle of the exchange
    server_details details;

    // An ordinary account may write: read_only is OFF, and on MySQL super_read_only too, and the
    // server is not in offline_mode. Absent when one of them could not be understood.
    std::optional<bool> writable() const noexcept;
    // MySQL shows super_read_only ON and read_only OFF only while a SET of the former waits for
    // running statements. Clients write meanwhile, and when it gives up both are OFF again.
    bool is_being_closed() const noexcept;
};

}  // namespace primacy::checks
