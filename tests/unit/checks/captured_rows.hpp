// Answers of real servers, as the command-line client prints them with \G, and the way back from
// that print to rows.
#pragma once

#include "agent/rt/sql/row.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace captured {

// One row per "*** 1. row ***" line (or a single row without one). NULL is NULL; a line that is no
// "name: value" belongs to the value before it.
inline primacy::rt::sql::rows rows_of(std::string_view print) {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> data;
    while (!print.empty()) {
        const auto end = std::min(print.find('\n'), print.size());
        auto line = print.substr(0, end);
        print.remove_prefix(std::min(end + 1, print.size()));
        if (line.empty()) continue;
        if (line.starts_with("***") || data.empty()) data.emplace_back();
        if (line.starts_with("***")) continue;
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        const auto colon = line.find(':');
        const bool is_field =
            colon != std::string_view::npos && (colon + 1 == line.size() || line[colon + 1] == ' ');
        if (!is_field) {
            data.back().back()->append("\n").append(line);
            continue;
        }
        if (data.size() == 1) columns.emplace_back(line.substr(0, colon));
        const auto value = line.substr(std::min(colon + 2, line.size()));
        data.back().push_back(value == "NULL" ? std::nullopt : std::optional<std::string>(value));
    }
    return primacy::rt::sql::rows::from(columns, data);
}

// MariaDB 10.11.19: SHOW ALL SLAVES STATUS of a replica that runs.
inline constexpr std::string_view mariadb_replica = R"(
Connection_name:
Slave_SQL_State: Slave has read all relay log; waiting for more updates
Slave_IO_State: Waiting for master to send event
Master_Host: 127.0.0.1
Master_User: repl
Master_Port: 33901
Connect_Retry: 60
Master_Log_File: binlog.000001
Read_Master_Log_Pos: 1178
Relay_Log_File: pid-relay-bin.000002
Relay_Log_Pos: 1474
Relay_Master_Log_File: binlog.000001
Slave_IO_Running: Yes
Slave_SQL_Running: Yes
Replicate_Do_DB:
Replicate_Ignore_DB:
Replicate_Do_Table:
Replicate_Ignore_Table:
Replicate_Wild_Do_Table:
Replicate_Wild_Ignore_Table:
Last_Errno: 0
Last_Error:
Skip_Counter: 0
Exec_Master_Log_Pos: 1178
Relay_Log_Space: 1781
Until_Condition: None
Until_Log_File:
Until_Log_Pos: 0
Master_SSL_Allowed: No
Master_SSL_CA_File:
Master_SSL_CA_Path:
Master_SSL_Cert:
Master_SSL_Cipher:
Master_SSL_Key:
Seconds_Behind_Master: 0
Master_SSL_Verify_Server_Cert: No
Last_IO_Errno: 0
Last_IO_Error:
Last_SQL_Errno: 0
Last_SQL_Error:
Replicate_Ignore_Server_Ids:
Master_Server_Id: 1
Master_SSL_Crl:
Master_SSL_Crlpath:
Using_Gtid: Slave_Pos
Gtid_IO_Pos: 0-1-5
Replicate_Do_Domain_Ids:
Replicate_Ignore_Domain_Ids:
Parallel_Mode: optimistic
SQL_Delay: 0
SQL_Remaining_Delay: NULL
Slave_SQL_Running_State: Slave has read all relay log; waiting for more updates
Slave_DDL_Groups: 4
Slave_Non_Transactional_Groups: 0
Slave_Transactional_Groups: 1
Replicate_Rewrite_DB:
Retried_transactions: 0
Max_relay_log_size: 1073741824
Executed_log_entries: 20
Slave_received_heartbeats: 0
Slave_heartbeat_period: 30.000
Gtid_Slave_Pos: 0-1-5
)";

// The same server with a channel that gtid_strict_mode stopped and one that cannot connect. Columns
// that nobody reads are left out, here and below.
inline constexpr std::string_view mariadb_two_channels = R"(
*** 1. row ***
Connection_name:
Slave_SQL_State:
Slave_IO_State: Waiting for master to send event
Master_Host: 127.0.0.1
Master_User: repl
Master_Port: 33901
Connect_Retry: 60
Master_Log_File: binlog.000001
Read_Master_Log_Pos: 7487
Relay_Master_Log_File: binlog.000001
Slave_IO_Running: Yes
Slave_SQL_Running: No
Last_Errno: 1950
Last_Error: An attempt was made to binlog GTID 0-1-31 which would create an out-of-order sequence number with existing GTID 0-2-33, and gtid strict mode is enabled
Skip_Counter: 0
Exec_Master_Log_Pos: 7119
Seconds_Behind_Master: NULL
Last_IO_Errno: 0
Last_IO_Error:
Last_SQL_Errno: 1950
Last_SQL_Error: An attempt was made to binlog GTID 0-1-31 which would create an out-of-order sequence number with existing GTID 0-2-33, and gtid strict mode is enabled
Master_Server_Id: 1
Using_Gtid: Slave_Pos
Gtid_IO_Pos: 0-1-32
SQL_Delay: 0
SQL_Remaining_Delay: NULL
Slave_SQL_Running_State:
Gtid_Slave_Pos: 0-2-33
*** 2. row ***
Connection_name: from-11-8
Slave_SQL_State: Slave has read all relay log; waiting for more updates
Slave_IO_State: Connecting to master
Master_Host: 127.0.0.9
Master_User: x
Master_Port: 33999
Connect_Retry: 2
Master_Log_File:
Read_Master_Log_Pos: 4
Relay_Master_Log_File:
Slave_IO_Running: Connecting
Slave_SQL_Running: Yes
Last_Errno: 0
Last_Error:
Skip_Counter: 0
Exec_Master_Log_Pos: 4
Seconds_Behind_Master: NULL
Last_IO_Errno: 2003
Last_IO_Error: error connecting to master 'x@127.0.0.9:33999' - retry-time: 2  maximum-retries: 100000  message: Can't connect to server on '127.0.0.9' (111 "Connection refused")
Last_SQL_Errno: 0
Last_SQL_Error:
Master_Server_Id: 0
Using_Gtid: Current_Pos
Gtid_IO_Pos: 0-2-33
SQL_Delay: 3600
SQL_Remaining_Delay: NULL
Slave_SQL_Running_State: Slave has read all relay log; waiting for more updates
Gtid_Slave_Pos: 0-2-33
)";

// MySQL 9.7.4: SHOW REPLICA STATUS.
inline constexpr std::string_view mysql_9_7_replica = R"(
*** 1. row ***
Replica_IO_State: Waiting for source to send event
Source_Host: 127.0.0.1
Source_User: repl
Source_Port: 33911
Connect_Retry: 60
Source_Log_File: binlog.000001
Read_Source_Log_Pos: 3316
Relay_Source_Log_File: binlog.000001
Replica_IO_Running: Yes
Replica_SQL_Running: Yes
Last_Errno: 0
Last_Error:
Skip_Counter: 0
Exec_Source_Log_Pos: 3316
Seconds_Behind_Source: 0
Last_IO_Errno: 0
Last_IO_Error:
Last_SQL_Errno: 0
Last_SQL_Error:
Source_Server_Id: 11
Source_UUID: edb53ee4-e5f9-11f1-8b48-02fc00000001
Source_Info_File: mysql.slave_master_info
SQL_Delay: 0
SQL_Remaining_Delay: NULL
Replica_SQL_Running_State: Replica has read all relay log; waiting for more updates
Source_Retry_Count: 10
Source_Bind:
Last_IO_Error_Timestamp:
Last_SQL_Error_Timestamp:
Retrieved_Gtid_Set: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:red:7,
edb53ee4-e5f9-11f1-8b48-02fc00000001:1-11
Executed_Gtid_Set: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:red:7,
edb53ee4-e5f9-11f1-8b48-02fc00000001:1-11
Auto_Position: 1
Channel_Name:
Source_TLS_Version:
Source_public_key_path:
Get_Source_public_key: 1
Network_Namespace:
)";

// MySQL 5.7 and 8.0 before .22: SHOW SLAVE STATUS, from the columns its manual lists.
inline constexpr std::string_view mysql_5_7_replica = R"(
Slave_IO_State: Waiting for master to send event
Master_Host: 10.0.0.1
Master_User: repl
Master_Port: 3306
Slave_IO_Running: Yes
Slave_SQL_Running: Yes
Last_Errno: 0
Last_Error:
Seconds_Behind_Master: 12
Last_IO_Errno: 0
Last_IO_Error:
Last_SQL_Errno: 0
Last_SQL_Error:
Master_Server_Id: 7
Master_UUID: 3e11fa47-71ca-11e1-9e33-c80aa9429562
SQL_Delay: 10
Auto_Position: 0
Channel_Name: east
Master_TLS_Version:
)";

inline constexpr std::string_view identity_10_11 = R"(
version: 10.11.19-MariaDB-0+deb12u1-log
version_comment: Debian 12
server_id: 1
)";

inline constexpr std::string_view identity_9_7 = R"(
version: 9.7.4-2
version_comment: (Debian)
server_id: 12
)";

inline constexpr std::string_view fast_10_11 = R"(
read_only: 1
server_id: 2
gtid_binlog_state: 0-1-30,0-2-31
gtid_slave_pos: 0-1-30
log_slave_updates: 1
log_bin: 1
clock: 1795300229.246950
)";

inline constexpr std::string_view fast_9_7 = R"(
read_only: 0
super_read_only: 0
offline_mode: 0
server_id: 12
server_uuid: f147fd2b-e5f9-11f1-8ab8-02fc00000001
gtid_executed: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:red:7,
edb53ee4-e5f9-11f1-8b48-02fc00000001:1-11
log_slave_updates: 1
log_bin: 1
clock: 1795300229.966291
)";

}  // namespace captured
