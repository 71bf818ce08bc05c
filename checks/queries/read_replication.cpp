#include "checks/queries/cells.hpp"
#include "checks/queries/queries.hpp"

namespace primacy::checks::queries {
namespace {

using position = std::optional<std::size_t>;

// Where each fact stands in an answer. Names before and after MySQL 8.0.22; the order is that of
// the servers, see column_finder.
struct replication_columns {
    explicit replication_columns(const rt::sql::rows& answer) {
        column_finder columns(answer);
        name = columns.find("Connection_name");  // MariaDB; MySQL has Channel_Name at the end
        source_host = columns.find("Master_Host", "Source_Host");
        source_port = columns.find("Master_Port", "Source_Port");
        io_running = columns.find("Slave_IO_Running", "Replica_IO_Running");
        sql_running = columns.find("Slave_SQL_Running", "Replica_SQL_Running");
        lag = columns.find("Seconds_Behind_Master", "Seconds_Behind_Source");
        io_errno = columns.find("Last_IO_Errno");
        io_error = columns.find("Last_IO_Error");
        sql_errno = columns.find("Last_SQL_Errno");
        sql_error = columns.find("Last_SQL_Error");
        source_server_id = columns.find("Master_Server_Id", "Source_Server_Id");
        if (!name) {
            source_uuid = columns.find("Master_UUID", "Source_UUID");
            delay = columns.find("SQL_Delay");
            auto_position = columns.find("Auto_Position");
            name = columns.find("Channel_Name");
        } else {
            using_gtid = columns.find("Using_Gtid");
            delay = columns.find("SQL_Delay");
        }
    }

    std::string_view missing() const noexcept {
        if (!source_host) return "Source_Host";
        if (!io_running) return "Replica_IO_Running";
        if (!sql_running) return "Replica_SQL_Running";
        return {};
    }

    position name, source_host, source_port, io_running, sql_running, lag, io_errno, io_error;
    position sql_errno, sql_error, source_server_id, source_uuid, delay, auto_position, using_gtid;
};

io_thread parse_io_thread(std::string_view word) noexcept {
    if (same_name(word, "Yes")) return io_thread::running;
    if (same_name(word, "No")) return io_thread::stopped;
    if (same_name(word, "Connecting") || same_name(word, "Preparing")) {
        return io_thread::connecting;
    }
    return io_thread::unknown;
}

sql_thread parse_sql_thread(std::string_view word) noexcept {
    if (same_name(word, "Yes")) return sql_thread::running;
    if (same_name(word, "No")) return sql_thread::stopped;
    return sql_thread::unknown;
}

std::optional<double> parse_seconds(std::optional<std::string_view> text) noexcept {
    const auto seconds = number<std::uint64_t>(text);
    if (!seconds) return std::nullopt;
    return static_cast<double>(*seconds);
}

void fill(channel& target, const rt::sql::rows& answer, std::size_t row,
          const replication_columns& at) {
    const auto text = [&](position column) { return cell(answer, row, column); };
    target.name = text_or_empty(text(at.name));
    target.source_host = text_or_empty(text(at.source_host));
    target.source_port = number<std::uint16_t>(text(at.source_port)).value_or(0);
    target.source_server_id = number<std::uint32_t>(text(at.source_server_id)).value_or(0);
    target.source_uuid = text_or_empty(text(at.source_uuid));
    target.io = parse_io_thread(text(at.io_running).value_or(""));
    target.sql = parse_sql_thread(text(at.sql_running).value_or(""));
    target.lag_seconds = parse_seconds(text(at.lag));
    target.delay_seconds = parse_seconds(text(at.delay)).value_or(0);
    target.io_errno = number<int>(text(at.io_errno)).value_or(0);
    target.io_error = text_or_empty(text(at.io_error));
    target.sql_errno = number<int>(text(at.sql_errno)).value_or(0);
    target.sql_error = text_or_empty(text(at.sql_error));
    const auto using_gtid = text(at.using_gtid).value_or("No");
    target.uses_gtid = same_name(using_gtid, "Slave_Pos") || same_name(using_gtid, "Current_Pos") ||
                       text(at.auto_position).value_or("0") == "1";
}

// Group Replication keeps its own queues in channels of fixed names: they have no source.
bool is_internal(std::string_view name) noexcept {
    return name == "group_replication_applier" || name == "group_replication_recovery";
}

}  // namespace

rt::result<void> read_replication(const rt::sql::rows& answer, server_facts& facts) {
    const std::size_t count = answer.row_count();
    if (count == 0) {
        facts.channels.clear();
        return {};
    }
    const replication_columns at(answer);
    if (const auto missing = at.missing(); !missing.empty()) {
        return lacks_column("replication", missing);
    }
    // Channels are filled in place: from poll to poll their texts keep their memory.
    facts.channels.resize(count);
    std::size_t filled = 0;
    for (std::size_t row = 0; row < count; ++row) {
        if (is_internal(cell(answer, row, at.name).value_or(""))) continue;
        fill(facts.channels[filled], answer, row, at);
        ++filled;
    }
    facts.channels.resize(filled);
    return {};
}

}  // namespace primacy::checks::queries
