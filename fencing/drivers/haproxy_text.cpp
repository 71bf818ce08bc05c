#include "fencing/drivers/haproxy_text.hpp"

#include "fencing/drivers/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace primacy::fencing {

namespace {

constexpr std::uint64_t forced_maintenance = 1;  // SRV_ADMF_FMAINT

using words = std::vector<std::string_view>;

rt::error haproxy_not_understood(std::string_view what) {
    return {rt::errc::protocol, 0, fmt::format("HAProxy answered what is not understood{}", what)};
}

// Up to a separator outside of double quotes.
words split(std::string_view line, char separator) {
    words parts;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= line.size(); ++i) {
        if (i < line.size() && line[i] == '"') quoted = !quoted;
        if (i < line.size() && (quoted || line[i] != separator)) continue;
        parts.push_back(line.substr(begin, i - begin));
        begin = i + 1;
    }
    return parts;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// One line of a table, by the names of its columns.
class record {
public:
    record(const words& names, words values) : names_(names), values_(std::move(values)) {}
    // Empty when there is no such column.
    std::string_view operator[](std::string_view name) const {
        const auto found = std::find(names_.begin(), names_.end(), name);
        const auto place = static_cast<std::size_t>(found - names_.begin());
        return place < values_.size() ? values_[place] : std::string_view();
    }

private:
    const words& names_;
    words values_;
};

// Sentences of refusal stand alone, before any table.
std::optional<rt::error> refusal_in(std::string_view answer) {
    const std::string_view line = trimmed(answer.substr(0, answer.find('\n')));
    if (line == "Permission denied")
        return rt::error{rt::errc::denied, 0,
                         "HAProxy refuses commands on this socket; configure it as `stats socket … "
                         "level admin`"};
    for (const std::string_view unknown :
         {"No such backend.", "No such server.", "No such proxy.", "Can't find backend."}) {
        if (line == unknown)
            return rt::error{rt::errc::config, 0, fmt::format("HAProxy answered: {}", unknown)};
    }
    return std::nullopt;
}

rt::error no_such_server(std::string_view backend, std::string_view server) {
    return {rt::errc::config, 0,
            fmt::format("HAProxy knows no server {} in its backend {}", server, backend)};
}

struct table {
    words names;
    std::vector<words> lines;
};

// The header begins with "# ". Of lines that are too short nothing can be said.
rt::result<table> read_table(const std::vector<std::string_view>& lines, std::size_t header,
                             char separator) {
    if (lines.size() <= header || !lines[header].starts_with("# "))
        return haproxy_not_understood(": there is no heading");
    table made;
    made.names = split(lines[header].substr(2), separator);
    for (std::size_t i = header + 1; i < lines.size(); ++i) {
        if (trimmed(lines[i]).empty()) continue;
        made.lines.push_back(split(lines[i], separator));
        if (made.lines.back().size() != made.names.size())
            return haproxy_not_understood(": a line has not as many fields as the heading");
    }
    return made;
}

}  // namespace

bool is_complete(std::string_view answer) noexcept {
    return answer == "\n" || answer.ends_with("\n\n");
}

rt::result<void> read_acknowledgement(std::string_view answer) {
    if (auto refusal = refusal_in(answer)) return std::move(*refusal);
    if (!is_complete(answer)) return haproxy_not_understood(": the end of the answer is missing");
    if (trimmed(answer).empty()) return {};
    return haproxy_not_understood(last_line(answer));
}

rt::result<haproxy_server_state> read_servers_state(std::string_view answer,
                                                    std::string_view backend,
                                                    std::string_view server) {
    if (auto refusal = refusal_in(answer)) return std::move(*refusal);
    if (!is_complete(answer)) return haproxy_not_understood(": the end of the answer is missing");
    const auto lines = lines_of(answer);
    if (lines.empty() || trimmed(lines[0]) != "1")
        return haproxy_not_understood(": the state of servers is not of version 1");
    const auto read = read_table(lines, 1, ' ');
    if (!read) return read.error();
    for (const words& line : read->lines) {
        const record one(read->names, line);
        if (one["be_name"] != backend || one["srv_name"] != server) continue;
        const auto admin = number(one["srv_admin_state"]);
        if (!admin) return haproxy_not_understood(": srv_admin_state is no number");
        return haproxy_server_state{fmt::format("{}:{}", one["srv_addr"], one["srv_port"]),
                                    (*admin & forced_maintenance) != 0};
    }
    return no_such_server(backend, server);
}

rt::result<std::uint64_t> read_current_sessions(std::string_view answer, std::string_view backend,
                                                std::string_view server) {
    if (auto refusal = refusal_in(answer)) return std::move(*refusal);
    if (!is_complete(answer)) return haproxy_not_understood(": the end of the answer is missing");
    const auto read = read_table(lines_of(answer), 0, ',');
    if (!read) return read.error();
    for (const words& line : read->lines) {
        const record one(read->names, line);
        if (one["pxname"] != backend || one["svname"] != server) continue;
        const auto sessions = number(one["scur"]);
        if (!sessions) return haproxy_not_understood(": scur is no number");
        return *sessions;
    }
    return no_such_server(backend, server);
}

}  // namespace primacy::fencing
