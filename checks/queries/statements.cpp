#include "checks/queries/queries.hpp"

namespace primacy::checks::queries {
namespace {

// @@timestamp is the server's clock at the start of the statement: seconds since the epoch with
// microseconds, whatever the time zone of the session. UNIX_TIMESTAMP(NOW(6)) goes by way of local
// time, and is an hour wrong while summer time ends.
constexpr std::string_view fast_mariadb =
    "SELECT @@global.read_only AS read_only, @@global.server_id AS server_id, "
    "@@global.gtid_binlog_state AS gtid_binlog_state, @@global.gtid_slave_pos AS gtid_slave_pos, "
    "@@global.log_slave_updates AS log_slave_updates, @@global.log_bin AS log_bin, "
    "@@timestamp AS clock";

// MariaDB answers error 1193 to super_read_only and offline_mode: they are asked of MySQL only.
constexpr std::string_view fast_mysql =
    "SELECT @@global.read_only AS read_only, @@global.super_read_only AS super_read_only, "
    "@@global.offline_mode AS offline_mode, @@global.server_id AS server_id, "
    "@@global.server_uuid AS server_uuid, @@global.gtid_executed AS gtid_executed, "
    "@@global.log_replica_updates AS log_slave_updates, @@global.log_bin AS log_bin, "
    "@@timestamp AS clock";

constexpr std::string_view fast_mysql_before_8_0_26 =
    "SELECT @@global.read_only AS read_only, @@global.super_read_only AS super_read_only, "
    "@@global.offline_mode AS offline_mode, @@global.server_id AS server_id, "
    "@@global.server_uuid AS server_uuid, @@global.gtid_executed AS gtid_executed, "
    "@@global.log_slave_updates AS log_slave_updates, @@global.log_bin AS log_bin, "
    "@@timestamp AS clock";

// One statement for three details: the price is one pass over the status variables each time.
constexpr std::string_view status_mariadb =
    "SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM information_schema.GLOBAL_STATUS "
    "WHERE VARIABLE_NAME IN ('UPTIME', 'RPL_SEMI_SYNC_MASTER_STATUS', "
    "'RPL_SEMI_SYNC_MASTER_CLIENTS', 'WSREP_READY', 'WSREP_CLUSTER_STATUS', "
    "'WSREP_CLUSTER_STATE_UUID', 'WSREP_CLUSTER_CONF_ID', 'WSREP_CLUSTER_SIZE', "
    "'WSREP_LOCAL_STATE_COMMENT') UNION ALL "
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES "
    "WHERE VARIABLE_NAME IN ('RPL_SEMI_SYNC_MASTER_ENABLED', 'WSREP_ON')";

constexpr std::string_view status_mysql =
    "SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM performance_schema.global_status "
    "WHERE VARIABLE_NAME IN ('Uptime', 'Rpl_semi_sync_master_status', "
    "'Rpl_semi_sync_master_clients', 'Rpl_semi_sync_source_status', "
    "'Rpl_semi_sync_source_clients') UNION ALL "
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.global_variables "
    "WHERE VARIABLE_NAME IN ('rpl_semi_sync_master_enabled', 'rpl_semi_sync_source_enabled')";

// A schema-change or change-capture tool (gh-ost, Debezium, Maxwell) holds a binlog dump session
// like a replica, and registers like one. But it works over ordinary sessions of the same account
// and address as well, while a replication account at a replica's address has dump sessions only;
// so a client counts when all its sessions are dumps. Where replicas log in with an account that
// people use from the same host too, they are not counted.
// Without PROCESS the list would silently show our own sessions alone: INNODB_CMP, a few rows that
// need PROCESS, makes the statement fail or answer 0 for process_privilege.
// The address is HOST without its port; LEFT also does the right thing for IPv6.
constexpr std::string_view replicas =
    "SELECT COALESCE(SUM(dumps), 0) AS replicas, "
    "(SELECT COUNT(*) FROM information_schema.INNODB_CMP) AS process_privilege FROM "
    "(SELECT SUM(COMMAND LIKE 'Binlog Dump%') AS dumps, COUNT(*) AS sessions "
    "FROM information_schema.PROCESSLIST GROUP BY USER, "
    "LEFT(HOST, CHAR_LENGTH(HOST) - CHAR_LENGTH(SUBSTRING_INDEX(HOST, ':', -1)))) AS clients "
    "WHERE dumps = sessions";

// Who passes read_only on MariaDB 10.11 and later: READ_ONLY ADMIN (bit 33 of `access`), or SUPER
// (bit 15) in an account that an older server wrote (the server adds READ_ONLY ADMIN to those when
// it loads them). Directly, through roles of roles, or, as PUBLIC, everybody. A locked account
// cannot log in.
constexpr std::string_view bypass_mariadb =
    "WITH RECURSIVE holder (account_user, account_host, is_role, is_locked) AS ("
    "SELECT User, Host, COALESCE(JSON_VALUE(Priv, '$.is_role'), 0), "
    "COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0) FROM mysql.global_priv "
    "WHERE JSON_VALUE(Priv, '$.access') & (1 << 33) OR (JSON_VALUE(Priv, '$.access') & (1 << 15) "
    "AND COALESCE(JSON_VALUE(Priv, '$.version_id'), 0) < 101100) UNION "
    "SELECT m.User, m.Host, COALESCE(JSON_VALUE(g.Priv, '$.is_role'), 0), "
    "COALESCE(JSON_VALUE(g.Priv, '$.account_locked'), 0) FROM holder "
    "JOIN mysql.roles_mapping m ON m.Role = holder.account_user AND holder.is_role = 1 "
    "JOIN mysql.global_priv g ON g.User = m.User AND g.Host = m.Host) "
    "SELECT account_user, account_host, is_role FROM holder "
    "WHERE is_locked = 0 AND (is_role = 0 OR account_user = 'PUBLIC') ORDER BY 1, 2";

// Before 10.11 SUPER is enough.
constexpr std::string_view bypass_mariadb_before_10_11 =
    "WITH RECURSIVE holder (account_user, account_host, is_role, is_locked) AS ("
    "SELECT User, Host, COALESCE(JSON_VALUE(Priv, '$.is_role'), 0), "
    "COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0) FROM mysql.global_priv "
    "WHERE JSON_VALUE(Priv, '$.access') & ((1 << 33) | (1 << 15)) UNION "
    "SELECT m.User, m.Host, COALESCE(JSON_VALUE(g.Priv, '$.is_role'), 0), "
    "COALESCE(JSON_VALUE(g.Priv, '$.account_locked'), 0) FROM holder "
    "JOIN mysql.roles_mapping m ON m.Role = holder.account_user AND holder.is_role = 1 "
    "JOIN mysql.global_priv g ON g.User = m.User AND g.Host = m.Host) "
    "SELECT account_user, account_host, is_role FROM holder "
    "WHERE is_locked = 0 AND is_role = 0 ORDER BY 1, 2";

// On MySQL these pass read_only; super_read_only stops them.
constexpr std::string_view bypass_mysql =
    "WITH RECURSIVE holder (account_user, account_host) AS ("
    "SELECT User, Host FROM mysql.user WHERE Super_priv = 'Y' UNION "
    "SELECT USER, HOST FROM mysql.global_grants WHERE PRIV = 'CONNECTION_ADMIN' UNION "
    "SELECT e.TO_USER, e.TO_HOST FROM holder JOIN mysql.role_edges e "
    "ON e.FROM_USER = holder.account_user AND e.FROM_HOST = holder.account_host) "
    "SELECT account_user, account_host FROM holder "
    "JOIN mysql.user u ON u.User = account_user AND u.Host = account_host "
    "WHERE u.account_locked = 'N' ORDER BY 1, 2";

constexpr std::string_view bypass_mysql_5_7 =
    "SELECT User AS account_user, Host AS account_host FROM mysql.user "
    "WHERE Super_priv = 'Y' AND account_locked = 'N' ORDER BY 1, 2";

constexpr std::string_view boot_mariadb =
    "SELECT VARIABLE_NAME AS name, GLOBAL_VALUE AS value, GLOBAL_VALUE_ORIGIN AS source, "
    "NULL AS persisted FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME = 'READ_ONLY'";

constexpr std::string_view boot_mysql =
    "SELECT g.VARIABLE_NAME AS name, g.VARIABLE_VALUE AS value, i.VARIABLE_SOURCE AS source, "
    "p.VARIABLE_VALUE AS persisted FROM performance_schema.global_variables g "
    "JOIN performance_schema.variables_info i ON i.VARIABLE_NAME = g.VARIABLE_NAME "
    "LEFT JOIN performance_schema.persisted_variables p ON p.VARIABLE_NAME = g.VARIABLE_NAME "
    "WHERE g.VARIABLE_NAME IN ('read_only', 'super_read_only')";

statements mariadb_statements(server_version version) {
    const bool separated = version >= server_version{10, 11, 0};
    return {fast_mariadb,
            "SHOW ALL SLAVES STATUS",
            {{detail::status, status_mariadb},
             {detail::replicas, replicas},
             {detail::bypass_accounts, separated ? bypass_mariadb : bypass_mariadb_before_10_11},
             {detail::boot_settings, boot_mariadb}}};
}

statements mysql_statements(server_version version) {
    const bool new_words = version >= server_version{8, 0, 22};
    const bool has_roles = version >= server_version{8, 0, 0};
    statements made{version >= server_version{8, 0, 26} ? fast_mysql : fast_mysql_before_8_0_26,
                    new_words ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS",
                    {{detail::status, status_mysql},
                     {detail::replicas, replicas},
                     {detail::bypass_accounts, has_roles ? bypass_mysql : bypass_mysql_5_7}}};
    // 5.7 does not tell where a value came from.
    if (has_roles) made.details.push_back({detail::boot_settings, boot_mysql});
    return made;
}

}  // namespace

std::string_view to_string(detail what) noexcept {
    switch (what) {
        case detail::status: return "status";
        case detail::replicas: return "replicas";
        case detail::bypass_accounts: return "bypass_accounts";
        case detail::boot_settings: return "boot_settings";
    }
    return "unknown";
}

statements statements_for(flavor kind, server_version version) {
    return kind == flavor::mariadb ? mariadb_statements(version) : mysql_statements(version);
}

}  // namespace primacy::checks::queries
