#include "checks/queries/cells.hpp"
#include "checks/queries/queries.hpp"

#include <algorithm>
#include <chrono>

namespace primacy::checks::queries {
namespace {

constexpr std::string_view statement = "variables";

bool mentions_mariadb(std::string_view text) noexcept {
    constexpr std::string_view word = "mariadb";
    for (std::size_t at = 0; at + word.size() <= text.size(); ++at) {
        if (same_name(text.substr(at, word.size()), word)) return true;
    }
    return false;
}

// "1795299578.570273"; anything else is no clock.
std::optional<wall_time> parse_clock(std::optional<std::string_view> text) noexcept {
    if (!text) return std::nullopt;
    const auto dot = std::min(text->find('.'), text->size());
    const auto seconds = number<std::uint64_t>(text->substr(0, dot));
    constexpr std::uint64_t year_2200 = 7'258'118'400;
    if (!seconds || *seconds > year_2200) return std::nullopt;

    std::int64_t nanoseconds = 0;
    std::int64_t unit = 100'000'000;
    for (const char digit : text->substr(std::min(dot + 1, text->size()))) {
        if (digit < '0' || digit > '9') return std::nullopt;
        nanoseconds += (digit - '0') * unit;
        unit /= 10;
    }
    return wall_time(std::chrono::seconds(*seconds) + std::chrono::nanoseconds(nanoseconds));
}

std::optional<bool> parse_flag(std::optional<std::string_view> text) {
    if (!text) return std::nullopt;
    const auto setting = parse_switch(*text);
    if (setting.value == switch_setting::state::unknown) return std::nullopt;
    return setting.is_on();
}

template <class Positions>
std::optional<Positions> parse_positions(std::optional<std::string_view> text) {
    return text ? Positions::parse(*text) : std::nullopt;
}

// Reads the columns of the one row, and remembers the first one that was not there.
class variables {
public:
    explicit variables(const rt::sql::rows& answer) noexcept : answer_(answer), finder_(answer) {}

    std::optional<std::string_view> operator[](std::string_view name) noexcept {
        const auto column = finder_.find(name);
        if (!column && missing_.empty()) missing_ = name;
        return cell(answer_, 0, column);
    }
    std::string_view missing() const noexcept { return missing_; }

private:
    const rt::sql::rows& answer_;
    column_finder finder_;
    std::string_view missing_;
};

void read_mariadb(variables& values, server_facts& facts) {
    facts.binlog_state = parse_positions<mariadb_gtid_state>(values["gtid_binlog_state"]);
    facts.slave_pos = parse_positions<mariadb_gtid_state>(values["gtid_slave_pos"]);
    facts.super_read_only.reset();
    facts.offline_mode.reset();
    facts.executed.reset();
    facts.uuid.clear();
}

void read_mysql(variables& values, server_facts& facts) {
    facts.super_read_only = parse_switch(values["super_read_only"].value_or("NULL"));
    facts.offline_mode = parse_switch(values["offline_mode"].value_or("NULL"));
    facts.uuid = text_or_empty(values["server_uuid"]);
    facts.executed = parse_positions<mysql_gtid_set>(values["gtid_executed"]);
    facts.binlog_state.reset();
    facts.slave_pos.reset();
}

}  // namespace

std::optional<identity> parse_identity(const rt::sql::rows& answer) {
    if (answer.row_count() != 1) return std::nullopt;
    column_finder columns(answer);
    const auto version = cell(answer, 0, columns.find("version"));
    const auto comment = cell(answer, 0, columns.find("version_comment"));
    const auto server_id = number<std::uint32_t>(cell(answer, 0, columns.find("server_id")));
    if (!version || !server_id) return std::nullopt;

    identity found;
    found.version = parse_version(*version);
    if (found.version == server_version{}) return std::nullopt;
    found.version_text = *version;
    found.server_id = *server_id;
    const bool mariadb = mentions_mariadb(*version) || mentions_mariadb(comment.value_or(""));
    found.kind = mariadb ? flavor::mariadb : flavor::mysql;
    return found;
}

rt::result<void> read_fast(const rt::sql::rows& answer, server_facts& facts) {
    if (answer.row_count() != 1) {
        return rt::error{rt::errc::protocol, 0,
                         "the server answered " + std::to_string(answer.row_count()) +
                             " rows where its variables should be one"};
    }
    variables values(answer);
    const auto server_id = number<std::uint32_t>(values["server_id"]);
    facts.read_only = parse_read_only(values["read_only"].value_or("NULL"));
    if (facts.kind == flavor::mariadb) {
        read_mariadb(values, facts);
    } else {
        read_mysql(values, facts);
    }
    facts.log_slave_updates = parse_flag(values["log_slave_updates"]);
    facts.log_bin = parse_flag(values["log_bin"]);
    facts.server_clock = parse_clock(values["clock"]);
    if (!values.missing().empty()) return lacks_column(statement, values.missing());
    if (!server_id) {
        return rt::error{rt::errc::protocol, 0, "the server's server_id is not a number"};
    }
    facts.server_id = *server_id;
    return {};
}

}  // namespace primacy::checks::queries
