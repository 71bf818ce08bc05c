#include "tests/osc/plan_world.hpp"

#include "osc/leftovers.hpp"
#include "tests/osc/plan_text.hpp"
#include "tests/osc/words.hpp"

#include <algorithm>
#include <cstdlib>

namespace primacy::osc_stories {

using namespace primacy::osc;
using checks::flavor;

namespace {

osc::server_side healthy_server(const std::string& name, const std::string& host) {
    server_side made;
    made.name = name;
    made.host = host;
    made.port = 3306;
    made.version = {10, 11, 19};
    made.log_bin = made.log_slave_updates = true;
    made.log_bin_compress = made.gtid_strict_mode = made.galera = false;
    made.performance_schema = made.metadata_lock_instrument = true;
    made.binlog_format = "ROW";
    made.binlog_row_image = "FULL";
    made.binlog_kept = std::chrono::hours(24 * 7);
    made.disk_free_bytes = 500'000'000'000;
    made.lag_seconds = 0;
    return made;
}

table_facts healthy_table() {
    table_facts made;
    made.name = {"shop", "orders"};
    made.exists = true;
    made.engine = "InnoDB";
    made.row_format = "Dynamic";
    made.rows = 1'234'567;
    made.data_bytes = 200'000'000;
    made.index_bytes = 50'000'000;
    made.columns = {{"id", "bigint(20)", false, false},
                    {"customer", "int(11)", false, false},
                    {"status", "varchar(20)", false, false},
                    {"amount", "decimal(10,2)", true, false},
                    {"note", "varchar(50)", true, false}};
    made.keys = {{"PRIMARY", true, false, false, {"id"}},
                 {"by_customer", false, false, false, {"customer"}}};
    return made;
}

tool_version version_of(const std::string& text) {
    tool_version made;
    auto parts = split_list(text, '.');
    parts.resize(3);
    made.major = std::atoi(parts[0].c_str());
    made.minor = std::atoi(parts[1].c_str());
    made.patch = std::atoi(parts[2].c_str());
    return made;
}

std::string setting_of(const std::string& text) {
    return text == "unknown" ? "" : text;
}

}  // namespace

plan_world::plan_world() {
    asked_.topology = "shop";
    asked_.table = {"shop", "orders"};
    known_.table = healthy_table();
    known_.servers = {healthy_server("db1", "10.0.0.1"), healthy_server("db2", "10.0.0.2"),
                      healthy_server("db3", "10.0.0.3")};
    known_.servers[0].is_writer = true;
    known_.gh_ost = {"/usr/bin/gh-ost",      "",   "1.1.10 (commit 145799eeb800)",
                     tool_version{1, 1, 10}, true, {}};
    known_.pt_osc = {
        "/usr/bin/pt-online-schema-change", "", "3.2.1", tool_version{3, 2, 1}, false, {}};
    known_.around.topology = "shop";
    known_.around.writer = "db1";
}

bool plan_world::set_name(const std::string& text) {
    auto read = parse_table_name(text);
    if (!read.name) return false;
    asked_.table = known_.table.name = *read.name;
    return true;
}

bool plan_world::set_asked(const std::vector<std::string>& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        if (key == "tool")
            asked_.wanted = text == "native"   ? tool::native
                            : text == "gh-ost" ? tool::gh_ost
                                               : tool::pt_osc;
        else if (key == "allow")
            asked_.allow = text.empty() ? std::vector<std::string>() : split_list(text, ',');
        else if (key == "dry_run")
            asked_.attempt = trial::dry_run;
        else if (key == "test_on") {
            asked_.attempt = trial::test_on_replica;
            asked_.test_replica = text;
        } else if (key == "cut_over_by_person")
            asked_.cut_over = cut_over_by::person;
        else if (key == "window") {
            auto [begin, end] = split_at(text, '-');
            auto from = time_of_day(begin), to = time_of_day(end);
            if (!from || !to) return false;
            asked_.window = daily_window{*from, *to};
        } else if (key == "chunk_rows")
            asked_.chunk_rows = static_cast<std::uint32_t>(std::atoi(text.c_str()));
        else if (key == "attempts")
            asked_.attempts = std::atoi(text.c_str());
        else if (key == "lock_wait")
            asked_.lock_wait = std::chrono::seconds(std::atoi(text.c_str()));
        else if (key == "max_lag" && duration_of(text))
            asked_.max_lag = *duration_of(text);
        else if (key == "max_load")
            asked_.max_load.push_back({text, 25});
        else
            return false;
    }
    return true;
}

// "note:varchar(50):null:generated"
bool plan_world::set_column(const std::string& text) {
    auto parts = split_list(text, ':');
    if (parts.size() < 2) return false;
    column_fact made{parts[0], parts[1], false, false};
    for (std::size_t i = 2; i < parts.size(); ++i) {
        made.nullable |= parts[i] == "null";
        made.generated |= parts[i] == "generated";
    }
    auto& columns = known_.table.columns;
    std::erase_if(columns, [&](const column_fact& each) { return each.name == made.name; });
    columns.push_back(std::move(made));
    return true;
}

// "by_note:note,status:unique:null:fulltext"
bool plan_world::set_key(const std::string& text) {
    auto parts = split_list(text, ':');
    if (parts.size() < 2) return false;
    key_fact made{parts[0], false, false, false, split_list(parts[1], ',')};
    for (std::size_t i = 2; i < parts.size(); ++i) {
        made.unique |= parts[i] == "unique";
        made.nullable |= parts[i] == "null";
        made.fulltext |= parts[i] == "fulltext";
    }
    known_.table.keys.push_back(std::move(made));
    return true;
}

bool plan_world::set_table(const std::string& word) {
    auto [key, text] = split_at(word, '=');
    table_facts& table = known_.table;
    if (key == "missing")
        table.exists = false;
    else if (key == "view")
        table.is_view = true;
    else if (key == "versioned")
        table.system_versioned = true;
    else if (key == "partitioned")
        table.partitioned = true;
    else if (key == "engine")
        table.engine = text;
    else if (key == "rows")
        table.rows = bytes_of(text);
    else if (key == "data")
        table.data_bytes = bytes_of(text);
    else if (key == "index")
        table.index_bytes = bytes_of(text);
    else if (key == "unread")
        table.unread.push_back(text);
    else if (key == "column")
        return set_column(text);
    else if (key == "no_keys")
        table.keys.clear();
    else if (key == "key")
        return set_key(text);
    else if (key == "trigger")
        table.triggers.push_back(text);
    else if (key == "foreign_key")
        table.foreign_keys.push_back(text);
    else if (key == "referenced_by")
        table.referenced_by.push_back(text);
    else
        return false;
    return true;
}

bool plan_world::set_server(server_side& server, const std::string& word) {
    auto [key, text] = split_at(word, '=');
    if (key == "mariadb" || key == "mysql") {
        server.kind = key == "mysql" ? flavor::mysql : flavor::mariadb;
        const tool_version read = version_of(text);
        server.version = {read.major, read.minor, read.patch};
        if (server.kind == flavor::mysql) {
            server.gtid_strict_mode.reset();
            server.log_bin_compress.reset();
        }
    } else if (key == "unreadable")
        server.unreadable = text;
    else if (key == "writer")
        server.is_writer = true;
    else if (key == "replica")
        server.is_writer = false;
    else if (key == "by_socket")
        server.host = "";
    else if (key == "log_bin")
        server.log_bin = switch_of(text);
    else if (key == "log_slave_updates")
        server.log_slave_updates = switch_of(text);
    else if (key == "log_bin_compress")
        server.log_bin_compress = switch_of(text);
    else if (key == "gtid_strict_mode")
        server.gtid_strict_mode = switch_of(text);
    else if (key == "galera")
        server.galera = switch_of(text);
    else if (key == "shows_metadata_locks")
        server.metadata_lock_instrument = switch_of(text);
    else if (key == "binlog_format")
        server.binlog_format = setting_of(text);
    else if (key == "binlog_row_image")
        server.binlog_row_image = setting_of(text);
    else if (key == "binlog_kept") {
        server.binlog_kept_for_ever = text == "for_ever";
        server.binlog_kept.reset();
        if (auto length = duration_of(text))
            server.binlog_kept = std::chrono::duration_cast<std::chrono::seconds>(*length);
    } else if (key == "disk")
        server.disk_free_bytes = bytes_of(text);
    else if (key == "unread")
        server.unread.push_back(text);
    else if (key == "no_table")
        server.has_table = false;
    else
        return false;
    return true;
}

bool plan_world::set_servers(const std::string& name, const std::vector<std::string>& words) {
    bool found = false;
    for (auto& server : known_.servers) {
        if (name != "all" && server.name != name) continue;
        found = true;
        for (std::size_t i = 1; i < words.size(); ++i)
            if (!set_server(server, words[i])) return false;
    }
    return found;
}

// "gh-ost missing", "gh-ost 1.1.7", "gh-ost 1.1.10 knows_mariadb", "gh-ost unusable=WHY",
// "gh-ost says=TEXT"
bool plan_world::set_tool(tool_facts& tool, const std::vector<std::string>& words) {
    tool = {"/usr/bin/" + words[0], "", "", std::nullopt, false, {}};
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        if (key == "missing")
            tool.path = "";
        else if (key == "unusable")
            tool.problem = text;
        else if (key == "says")
            tool.version_text = text;
        else if (key == "knows_mariadb")
            tool.knows_mariadb = true;
        else if (key == "lacks")
            tool.missing_grants.push_back(text);
        else {
            tool.version = version_of(key);
            tool.version_text = key;
        }
    }
    return words.size() > 1;
}

// "db2:_orders_gho" or "db2:_orders_del:comment"
bool plan_world::add_leftover(const std::string& text, bool trigger) {
    auto parts = split_list(text, ':');
    if (parts.size() < 2) return false;
    parts.resize(3);
    // As the shell does: by what the server lists.
    listed_object object;
    object.server = parts[0];
    object.database = known_.table.name.database;
    object.name = parts[1];
    object.is_trigger = trigger;
    object.on_table = known_.table.name.table;
    object.comment = parts[2];
    for (const auto& each : leftovers_of(known_.table.name, {object}))
        known_.around.leftovers.push_back(
            {parts[0], parts[1], trigger, parts[2], each.kind == leftover_kind::old_data});
    return true;
}

bool plan_world::set_surroundings(const std::string& word) {
    auto [key, text] = split_at(word, '=');
    environment& around = known_.around;
    if (key == "split_brain")
        around.split_brain = true;
    else if (key == "writer")
        around.writer = text;
    else if (key == "writer_unknown")
        around.writer_unknown_because = text;
    else if (key == "maintenance")
        around.maintenance = true;
    else if (key == "job_on_table")
        around.jobs_on_table.push_back(text);
    else if (key == "job_on_topology")
        around.jobs_on_topology.push_back(text);
    else if (key == "leftover")
        return add_leftover(text, false);
    else if (key == "left_trigger")
        return add_leftover(text, true);
    else if (key == "tool_at_work")
        around.tools_at_work.push_back(text);
    else if (key == "native_lacks")
        known_.native_missing_grants.push_back(text);
    else if (key == "syntax_error")
        known_.syntax_error = text;
    else
        return false;
    return true;
}

bool plan_world::execute(const std::string& line, std::string& output, std::string& error) {
    error = "not understood: " + line;
    auto words = words_of(line);
    if (words.empty()) return true;
    const std::string& verb = words[0];
    if (verb == "plan") {
        asked_.alter = after_first_word(line);
        output += text_of(plan_change(asked_, known_));
        return true;
    }
    if (verb == "alone") {
        known_.servers.resize(1);
        return true;
    }
    if (verb == "name") return set_name(after_first_word(line));
    if (verb == "ask") return set_asked(words);
    if (verb == "gh-ost") return set_tool(known_.gh_ost, words);
    if (verb == "pt-osc") return set_tool(known_.pt_osc, words);
    if (verb == "table")
        return std::all_of(words.begin() + 1, words.end(),
                           [&](const auto& word) { return set_table(word); });
    if (verb == "around")
        return std::all_of(words.begin() + 1, words.end(),
                           [&](const auto& word) { return set_surroundings(word); });
    if (verb.ends_with(":")) return set_servers(verb.substr(0, verb.size() - 1), words);
    return false;
}

}  // namespace primacy::osc_stories
