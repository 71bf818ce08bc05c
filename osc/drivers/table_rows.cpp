#include "osc/drivers/table_rows.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace primacy::osc {

using rt::sql::rows;

namespace {

std::optional<std::string_view> cell(const rows& answer, std::size_t row, std::string_view column) {
    auto at = answer.column(column);
    if (!at) return std::nullopt;
    return answer.cell(row, *at);
}

std::string text(const rows& answer, std::size_t row, std::string_view column) {
    return std::string(cell(answer, row, column).value_or(""));
}

template <class T>
std::optional<T> number(std::optional<std::string_view> from) {
    if (!from) return std::nullopt;
    T made{};
    // A fraction is cut off.
    auto [end, failed] = std::from_chars(from->data(), from->data() + from->size(), made);
    if (failed != std::errc{} || (end != from->data() + from->size() && *end != '.'))
        return std::nullopt;
    return made;
}

std::string lower(std::string_view from) {
    std::string made(from);
    for (char& c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return made;
}

bool contains(std::string_view where, std::string_view what) {
    return where.find(what) != std::string_view::npos;
}

std::optional<bool> switched(const std::map<std::string, std::string>& variables,
                             const std::string& name) {
    auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    auto setting = checks::parse_switch(found->second);
    if (setting.is_on()) return true;
    if (setting.is_off()) return false;
    return std::nullopt;
}

// How long binary logs stay: by seconds, else by days; 0 is for ever. Where they are purged by
// their size as well, nobody can tell.
void read_retention(const std::map<std::string, std::string>& variables, server_side& into) {
    auto of = [&](const char* name) -> std::optional<double> {
        auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        double made = 0;
        const std::string& from = found->second;
        auto [end, failed] = std::from_chars(from.data(), from.data() + from.size(), made);
        if (failed != std::errc{} || end != from.data() + from.size()) return std::nullopt;
        return made;
    };
    if (of("max_binlog_total_size").value_or(0) > 0) return;
    auto seconds = of("binlog_expire_logs_seconds"), days = of("expire_logs_days");
    if (!seconds && !days) return;
    const bool never = switched(variables, "binlog_expire_logs_auto_purge") == false ||
                       (seconds.value_or(0) <= 0 && days.value_or(0) <= 0);
    into.binlog_kept_for_ever = never;
    if (never) return;
    const double kept = seconds.value_or(0) > 0 ? *seconds : *days * 86400;
    into.binlog_kept = std::chrono::seconds(static_cast<std::int64_t>(kept));
}

bool is_view(const rows& answer, std::size_t row) {
    return contains(text(answer, row, "TABLE_TYPE"), "VIEW");
}

}  // namespace

void read_table(const rows& answer, table_facts& into) {
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        if (text(answer, row, "TABLE_NAME") != into.name.table) continue;
        into.exists = true;
        into.is_view = is_view(answer, row);
        into.system_versioned = text(answer, row, "TABLE_TYPE") == "SYSTEM VERSIONED";
        into.partitioned = contains(lower(text(answer, row, "CREATE_OPTIONS")), "partitioned");
        into.engine = text(answer, row, "ENGINE");
        into.row_format = text(answer, row, "ROW_FORMAT");
        into.rows = number<std::uint64_t>(cell(answer, row, "TABLE_ROWS"));
        into.data_bytes = number<std::uint64_t>(cell(answer, row, "DATA_LENGTH"));
        into.index_bytes = number<std::uint64_t>(cell(answer, row, "INDEX_LENGTH"));
        if (auto created = number<std::int64_t>(cell(answer, row, "CREATED")))
            into.created_at = checks::wall_time(std::chrono::seconds(*created));
        // A server that finds the table locked lists it without anything about it.
        if (into.engine.empty() && !into.is_view)
            into.unread.push_back(readable(into.name) +
                                  " is being altered now, or is damaged: the server says \"" +
                                  text(answer, row, "TABLE_COMMENT") + "\"; try again later");
    }
}

std::vector<listed_object> read_objects(const rows& answer, const std::string& server,
                                        const std::string& database) {
    std::vector<listed_object> made;
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        listed_object object;
        object.server = server;
        object.database = database;
        object.name = text(answer, row, "TABLE_NAME");
        object.comment = text(answer, row, "TABLE_COMMENT");
        object.rows = number<std::uint64_t>(cell(answer, row, "TABLE_ROWS"));
        if (auto created = number<std::int64_t>(cell(answer, row, "CREATED")))
            object.created_at = checks::wall_time(std::chrono::seconds(*created));
        made.push_back(std::move(object));
    }
    return made;
}

std::vector<listed_object> read_triggers(const rows& answer, const std::string& server,
                                         const std::string& database) {
    std::vector<listed_object> made;
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        listed_object object;
        object.server = server;
        object.database = database;
        object.name = text(answer, row, "TRIGGER_NAME");
        object.is_trigger = true;
        object.on_table = text(answer, row, "EVENT_OBJECT_TABLE");
        if (auto created = number<std::int64_t>(cell(answer, row, "CREATED")))
            object.created_at = checks::wall_time(std::chrono::seconds(*created));
        made.push_back(std::move(object));
    }
    return made;
}

void read_columns(const rows& answer, table_facts& into) {
    for (std::size_t row = 0; row < answer.row_count(); ++row)
        into.columns.push_back({text(answer, row, "COLUMN_NAME"), text(answer, row, "COLUMN_TYPE"),
                                text(answer, row, "IS_NULLABLE") == "YES",
                                !text(answer, row, "GENERATION_EXPRESSION").empty()});
}

void read_keys(const rows& answer, table_facts& into) {
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        const std::string name = text(answer, row, "INDEX_NAME");
        if (into.keys.empty() || into.keys.back().name != name) {
            key_fact key;
            key.name = name;
            key.unique = text(answer, row, "NON_UNIQUE") == "0";
            const std::string type = text(answer, row, "INDEX_TYPE");
            key.fulltext = type == "FULLTEXT" || type == "SPATIAL";
            into.keys.push_back(std::move(key));
        }
        key_fact& key = into.keys.back();
        auto column = cell(answer, row, "COLUMN_NAME");
        // A part that is an expression may be NULL, and no tool copies by it.
        key.nullable |= !column || text(answer, row, "NULLABLE") == "YES";
        key.columns.emplace_back(column.value_or("(expression)"));
    }
}

void read_foreign_keys(const rows& answer, table_facts& into) {
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        const std::string id = readable_file_name(text(answer, row, "ID"));
        const std::string name = id.substr(std::min(id.find('.') + 1, id.size()));
        if (text(answer, row, "OWN") == "1") into.foreign_keys.push_back(name);
        if (text(answer, row, "REFERS") == "1")
            into.referenced_by.push_back(name + " of " +
                                         readable_file_name(text(answer, row, "FOR_NAME")));
    }
}

void read_create_statement(const rows& answer, table_facts& into) {
    // "Table, Create Table" of a table; a view has other columns.
    if (auto found = cell(answer, 0, "Create Table")) into.create_statement = std::string(*found);
}

server_settings read_variables(const rows& answer, server_side& into) {
    std::map<std::string, std::string> variables;
    for (std::size_t row = 0; row < answer.row_count(); ++row)
        variables[lower(text(answer, row, "Variable_name"))] = text(answer, row, "Value");
    auto word = [&](const char* name) {
        auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
    };
    into.log_bin = switched(variables, "log_bin");
    into.log_slave_updates = switched(variables, "log_slave_updates");
    if (!into.log_slave_updates)
        into.log_slave_updates = switched(variables, "log_replica_updates");
    into.gtid_strict_mode = switched(variables, "gtid_strict_mode");
    into.performance_schema = switched(variables, "performance_schema");
    into.log_bin_compress = switched(variables, "log_bin_compress");
    into.galera = switched(variables, "wsrep_on");
    // What one kind of server does not have is off there.
    if (!variables.empty())
        for (auto* each : {&into.log_bin_compress, &into.galera, &into.gtid_strict_mode})
            if (!*each) *each = false;
    into.binlog_format = word("binlog_format");
    into.binlog_row_image = word("binlog_row_image");
    read_retention(variables, into);
    return {word("datadir"), word("hostname"),
            switched(variables, "log_bin_trust_function_creators").value_or(false)};
}

std::vector<std::string> read_sessions(const rows& answer, const table_name& table) {
    std::vector<std::string> made;
    const gh_ost_names ghost = gh_ost_names_of(table.table);
    std::vector<std::string> names = {table.table, ghost.ghost, ghost.changelog};
    const pt_osc_names percona = pt_osc_names_of(table);
    names.insert(names.end(), percona.copies.begin(), percona.copies.end());
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        const std::string info = text(answer, row, "INFO");
        const bool here =
            text(answer, row, "DB") == table.database || contains(info, quoted(table.database));
        const bool of_table =
            here && std::any_of(names.begin(), names.end(), [&](const std::string& name) {
                return contains(info, quoted(name)) || contains(info, literal(name));
            });
        if (!of_table) continue;
        const std::string_view tool =
            contains(info, "gh-ost") ? "gh-ost" : "pt-online-schema-change";
        made.push_back(std::string(tool) + " (" + text(answer, row, "USER") + " from " +
                       text(answer, row, "HOST") + ")");
    }
    return made;
}

std::optional<std::uint64_t> read_disks(const rows& answer, std::string_view directory) {
    std::optional<std::uint64_t> made;
    std::size_t longest = 0;
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        std::string path = text(answer, row, "Path");
        if (!path.ends_with('/')) path += '/';
        const auto kilobytes = number<std::uint64_t>(cell(answer, row, "Available"));
        std::string within(directory);
        if (!within.ends_with('/')) within += '/';
        if (!kilobytes || !within.starts_with(path) || path.size() <= longest) continue;
        longest = path.size();
        made = *kilobytes * 1024;
    }
    return made;
}

std::string readable_file_name(std::string_view encoded) {
    std::string made;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        unsigned code = 0;
        const auto digits = encoded.substr(i + 1, 4);
        const auto [end, failed] =
            std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        const bool escaped = encoded[i] == '@' && digits.size() == 4 && failed == std::errc{} &&
                             end == digits.data() + 4 && code < 0x80;
        if (escaped) {
            made += static_cast<char>(code);
            i += 4;
        } else {
            made += encoded[i] == '/' && !contains(made, ".") ? '.' : encoded[i];
        }
    }
    return made;
}

}  // namespace primacy::osc
