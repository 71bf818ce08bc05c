#include "fencing/drivers/proxysql_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace primacy::fencing {

namespace {

rt::error proxysql_not_understood(std::string_view what) {
    return {rt::errc::protocol, 0,
            fmt::format("it does not answer as ProxySQL's admin interface does: {}", what)};
}

std::string upper(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return made;
}

}  // namespace

std::string proxysql_server::condition() const {
    std::string made = fmt::format("hostname='{}' AND port={}", host, port);
    if (hostgroup) made += fmt::format(" AND hostgroup_id={}", *hostgroup);
    return made;
}

namespace proxysql_statements {

std::string only_in(const std::string& table, const std::string& other) {
    // SHUNNED is the runtime's own word for a server that is ONLINE in memory.
    const auto rows_of = [](const std::string& from) {
        return fmt::format(
            "SELECT hostgroup_id,hostname,port,REPLACE(UPPER(status),'SHUNNED',"
            "'ONLINE'),weight,max_connections FROM {} WHERE UPPER(status)<>"
            "'OFFLINE_HARD'",
            from);
    };
    return fmt::format("{} EXCEPT {}", rows_of(table), rows_of(other));
}

std::string states(const std::string& table, const proxysql_server& server) {
    return fmt::format("SELECT status FROM {} WHERE {}", table, server.condition());
}

std::string take_out(const proxysql_server& server) {
    return fmt::format("UPDATE mysql_servers SET status='OFFLINE_HARD' WHERE {}",
                       server.condition());
}

std::string connections(const proxysql_server& server) {
    std::string made = fmt::format(
        "SELECT ConnUsed FROM stats_mysql_connection_pool WHERE "
        "srv_host='{}' AND srv_port={}",
        server.host, server.port);
    if (server.hostgroup) made += fmt::format(" AND hostgroup={}", *server.hostgroup);
    return made;
}

std::string sessions(const proxysql_server& server) {
    std::string made = fmt::format(
        "SELECT SessionID FROM stats_mysql_processlist WHERE "
        "srv_host='{}' AND srv_port={}",
        server.host, server.port);
    if (server.hostgroup) made += fmt::format(" AND hostgroup={}", *server.hostgroup);
    return made;
}

}  // namespace proxysql_statements

rt::result<proxysql_rows> read_states(const rt::sql::rows& answer) {
    const auto status = answer.column("status");
    if (!status) return proxysql_not_understood("there is no column status");
    proxysql_rows read;
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        const auto cell = answer.cell(row, *status);
        ++read.known;
        if (!cell || upper(*cell) != "OFFLINE_HARD") ++read.open;
    }
    return read;
}

rt::result<std::vector<std::uint64_t>> read_numbers(const rt::sql::rows& answer) {
    if (answer.columns().size() != 1) return proxysql_not_understood("there is not one column");
    std::vector<std::uint64_t> read;
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        const std::string_view text = answer.cell(row, 0).value_or("");
        std::uint64_t value = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (text.empty() || failed != std::errc{} || end != text.data() + text.size())
            return proxysql_not_understood(fmt::format("{} is no number", answer.columns()[0]));
        read.push_back(value);
    }
    return read;
}

}  // namespace primacy::fencing
