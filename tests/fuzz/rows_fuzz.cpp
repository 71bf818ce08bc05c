// Any answer to any of our statements: the readers take it or refuse it with a sentence.
#include "checks/queries/queries.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace primacy;
using namespace primacy::checks;
using namespace primacy::checks::queries;

namespace {

// Names that the readers look for, so that the fuzzer need not invent them.
constexpr std::array<std::string_view, 64> names = {"version",
                                                    "version_comment",
                                                    "server_id",
                                                    "read_only",
                                                    "super_read_only",
                                                    "offline_mode",
                                                    "server_uuid",
                                                    "gtid_executed",
                                                    "gtid_binlog_state",
                                                    "gtid_slave_pos",
                                                    "log_slave_updates",
                                                    "log_bin",
                                                    "clock",
                                                    "Connection_name",
                                                    "Channel_Name",
                                                    "Master_Host",
                                                    "Source_Host",
                                                    "Master_Port",
                                                    "Source_Port",
                                                    "Slave_IO_Running",
                                                    "Replica_IO_Running",
                                                    "Slave_SQL_Running",
                                                    "Replica_SQL_Running",
                                                    "Seconds_Behind_Master",
                                                    "Seconds_Behind_Source",
                                                    "Last_IO_Errno",
                                                    "Last_IO_Error",
                                                    "Last_SQL_Errno",
                                                    "Last_SQL_Error",
                                                    "Master_Server_Id",
                                                    "Source_Server_Id",
                                                    "Master_UUID",
                                                    "Source_UUID",
                                                    "SQL_Delay",
                                                    "Auto_Position",
                                                    "Using_Gtid",
                                                    "name",
                                                    "value",
                                                    "source",
                                                    "persisted",
                                                    "replicas",
                                                    "process_privilege",
                                                    "account_user",
                                                    "account_host",
                                                    "is_role",
                                                    "UPTIME",
                                                    "WSREP_ON",
                                                    "WSREP_CLUSTER_CONF_ID",
                                                    "WSREP_CLUSTER_SIZE",
                                                    "RPL_SEMI_SYNC_MASTER_CLIENTS",
                                                    "rpl_semi_sync_source_enabled",
                                                    "ON",
                                                    "OFF",
                                                    "NO_LOCK",
                                                    "COMPILED",
                                                    "DYNAMIC",
                                                    "CONFIG",
                                                    "Yes",
                                                    "No",
                                                    "Connecting",
                                                    "Slave_Pos",
                                                    "PUBLIC",
                                                    "NULL",
                                                    "group_replication_applier"};

// One cell: a byte below 64 stands for a name, 64 for NULL, and a larger one for the length, less
// 65, of a text that follows.
class input {
public:
    explicit input(std::string_view bytes) : bytes_(bytes) {}
    bool empty() const { return bytes_.empty(); }
    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(bytes_.front());
        bytes_.remove_prefix(1);
        return value;
    }
    std::optional<std::string> cell() {
        const std::size_t kind = byte();
        if (kind < names.size()) return std::string(names[kind]);
        if (kind == names.size()) return std::nullopt;
        const auto text = bytes_.substr(0, kind - names.size() - 1);
        bytes_.remove_prefix(text.size());
        return std::string(text);
    }

private:
    std::string_view bytes_;
};

// The columns of real answers; the last shape leaves the columns to the fuzzer too.
std::vector<std::string> columns_from(input& bytes) {
    static const std::vector<std::vector<std::string>> shapes = {
        {"version", "version_comment", "server_id"},
        {"read_only", "server_id", "gtid_binlog_state", "gtid_slave_pos", "log_slave_updates",
         "log_bin", "clock"},
        {"read_only", "super_read_only", "offline_mode", "server_id", "server_uuid",
         "gtid_executed", "log_slave_updates", "log_bin", "clock"},
        {"Connection_name", "Master_Host", "Master_Port", "Slave_IO_Running", "Slave_SQL_Running",
         "Seconds_Behind_Master", "Last_IO_Errno", "Master_Server_Id", "Using_Gtid", "SQL_Delay"},
        {"Source_Host", "Source_Port", "Replica_IO_Running", "Replica_SQL_Running",
         "Seconds_Behind_Source", "Last_SQL_Errno", "Last_SQL_Error", "Source_Server_Id",
         "Source_UUID", "SQL_Delay", "Auto_Position", "Channel_Name"},
        {"name", "value"},
        {"name", "value", "source", "persisted"},
        {"replicas", "process_privilege"},
        {"account_user", "account_host", "is_role"}};
    const std::size_t shape = bytes.byte() % (shapes.size() + 1);
    if (shape < shapes.size()) return shapes[shape];
    std::vector<std::string> columns(bytes.byte() % 24);
    for (auto& column : columns)
        column = bytes.cell().value_or("");
    return columns;
}

rt::sql::rows rows_from(input& bytes) {
    auto columns = columns_from(bytes);
    std::vector<std::vector<std::optional<std::string>>> data;
    for (std::size_t count = bytes.byte() % 8; count > 0 && !bytes.empty(); --count) {
        auto& row = data.emplace_back(columns.size());
        for (auto& cell : row)
            cell = bytes.cell();
    }
    return rt::sql::rows::from(std::move(columns), data);
}

template <class Result>
void check(const Result& result) {
    if (result.has_value()) return;
    if (result.error().code != rt::errc::protocol || result.error().message.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    input bytes(std::string_view(reinterpret_cast<const char*>(data), size));
    server_facts facts;
    // Several answers into the same facts, as polls do.
    for (int poll = 0; poll < 3 && !bytes.empty(); ++poll) {
        facts.kind = bytes.byte() % 2 == 0 ? flavor::mariadb : flavor::mysql;
        const auto answer = rows_from(bytes);
        if (const auto found = parse_identity(answer)) {
            const auto texts = statements_for(found->kind, found->version);
            if (texts.fast.empty() || texts.replication.empty()) std::abort();
        }
        check(read_fast(answer, facts));
        check(read_replication(answer, facts));
        for (const auto what :
             {detail::status, detail::replicas, detail::bypass_accounts, detail::boot_settings}) {
            check(read_detail(what, answer, facts.details));
        }
        (void)facts.writable();
    }
    return 0;
}
