#include "tests/scenarios/world.hpp"

#include <algorithm>
#include <cstdlib>

namespace primacy::scenarios {

using namespace primacy::checks;

namespace {

// "host:port", or a bare host with port 3306.
void set_source(channel& link, const std::string& where) {
    auto colon = where.find(':');
    link.source_host = where.substr(0, colon);
    link.source_port = colon == std::string::npos
                           ? std::uint16_t{3306}
                           : static_cast<std::uint16_t>(std::atoi(where.c_str() + colon + 1));
}

// The channel that the following words are about: the one selected by "channel=", else the first.
channel& current_channel(actor& server) {
    auto& channels = server.facts.channels;
    if (channels.empty()) channels.emplace_back();
    return channels[std::min(server.selected, channels.size() - 1)];
}

// Selects a channel by its name; a new one is added to the others.
void select_channel(actor& server, const std::string& name) {
    auto& channels = server.facts.channels;
    auto found = std::find_if(channels.begin(), channels.end(),
                              [&](const channel& link) { return link.name == name; });
    server.selected = static_cast<std::size_t>(found - channels.begin());
    server.named = true;
    if (found == channels.end()) channels.emplace_back().name = name;
}

// A bare "from=" makes the server a replica of one source; after "channel=" it is about that one.
void start_channel(actor& server, const std::string& where) {
    if (!server.named) {
        server.facts.channels.assign(1, channel{});
        server.selected = 0;
    }
    server.named = false;
    channel& link = current_channel(server);
    set_source(link, where);
    link.io = io_thread::running;
    link.sql = sql_thread::running;
    link.lag_seconds = 0;
    link.uses_gtid = true;
}

io_thread io_word(const std::string& text) {
    return text == "running"      ? io_thread::running
           : text == "connecting" ? io_thread::connecting
           : text == "stopped"    ? io_thread::stopped
                                  : io_thread::unknown;
}

sql_thread sql_word(const std::string& text) {
    return text == "running"   ? sql_thread::running
           : text == "stopped" ? sql_thread::stopped
                               : sql_thread::unknown;
}

void set_error(int& number, std::string& message, const std::string& text) {
    number = std::atoi(text.c_str());
    auto colon = text.find(':');
    message = colon == std::string::npos ? "" : text.substr(colon + 1);
}

// "Primary:uuid:view:size:state"; a node is ready while it is Synced (the default) or a Donor.
void set_galera(server_facts& facts, const std::string& text) {
    std::vector<std::string> parts(5);
    std::size_t part = 0;
    for (char c : text)
        if (c == ':' && part < 4)
            ++part;
        else
            parts[part] += c;
    galera_facts galera;
    galera.provider_on = true;
    galera.cluster_status = parts[0];
    galera.cluster_uuid = parts[1];
    galera.conf_id = std::atoll(parts[2].c_str());
    galera.cluster_size = std::atoi(parts[3].c_str());
    galera.state_comment = parts[4].empty() ? "Synced" : parts[4];
    galera.ready = parts[0] == "Primary" &&
                   (galera.state_comment == "Synced" || galera.state_comment == "Donor");
    facts.details.galera = galera;
}

void set_accounts(server_facts& facts, const std::string& text) {
    auto& accounts = facts.details.bypass_accounts.emplace();
    std::string name;
    for (char c : text + ",") {
        if (c != ',') {
            name += c;
        } else if (!name.empty()) {
            accounts.push_back(std::move(name));
            name.clear();
        }
    }
}

void set_version(server_facts& facts, flavor kind, const std::string& text) {
    facts.kind = kind;
    facts.version = parse_version(text);
    facts.version_text = text;
    if (kind == flavor::mysql) {
        facts.super_read_only = parse_switch("OFF");
        facts.offline_mode = parse_switch("OFF");
        facts.uuid = "uuid-" + std::to_string(facts.server_id);
        facts.binlog_state.reset();
        facts.slave_pos.reset();
        facts.executed = mysql_gtid_set::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-100");
    }
}

bool apply_fact(server_facts& facts, const std::string& key, const std::string& text) {
    if (key == "id")
        facts.server_id = static_cast<std::uint32_t>(std::atoi(text.c_str()));
    else if (key == "uuid")
        facts.uuid = text;
    else if (key == "mariadb")
        set_version(facts, flavor::mariadb, text);
    else if (key == "mysql")
        set_version(facts, flavor::mysql, text);
    else if (key == "read_only")
        facts.read_only = parse_read_only(text);
    else if (key == "super_read_only")
        facts.super_read_only = parse_switch(text);
    else if (key == "offline_mode")
        facts.offline_mode = parse_switch(text);
    else if (key == "binlog")
        facts.binlog_state = mariadb_gtid_state::parse(text);
    else if (key == "slave_pos")
        facts.slave_pos = mariadb_gtid_state::parse(text);
    else if (key == "executed")
        facts.executed = mysql_gtid_set::parse(text);
    else if (key == "log_slave_updates")
        facts.log_slave_updates = text == "yes";
    else if (key == "galera")
        set_galera(facts, text);
    else if (key == "bypass")
        set_accounts(facts, text);
    else if (key == "boots_writable")
        facts.details.boots_writable = text == "yes";
    else
        return false;
    return true;
}

bool apply_details(server_facts& facts, const std::string& key, const std::string& text) {
    if (key == "clock") {  // "clock=+5s", "clock=-3s"
        duration away{};
        if (text.size() < 2 || !parse_duration(std::string_view(text).substr(1), away))
            return false;
        facts.clock_ahead = text[0] == '-' ? -away : away;
        return true;
    }
    if (key == "semisync") {  // "on:2", "degraded:0", "off"
        auto& semisync = facts.details.semisync.emplace();
        semisync.source_enabled = text.compare(0, 3, "off") != 0;
        semisync.source_active = text.compare(0, 2, "on") == 0;
        auto colon = text.find(':');
        if (colon != std::string::npos)
            semisync.connected_replicas = std::atoi(text.c_str() + colon + 1);
        return true;
    }
    if (key == "hidden") {  // what the account may not read
        if (text == "bypass")
            facts.details.bypass_accounts.reset();
        else if (text == "boots_writable")
            facts.details.boots_writable.reset();
        else if (text == "semisync")
            facts.details.semisync.reset();
        else if (text == "gtids") {
            facts.binlog_state.reset();
            facts.slave_pos.reset();
            facts.executed.reset();
        } else if (text == "super_read_only")
            facts.super_read_only.reset();
        else
            return false;
        return true;
    }
    return false;
}

bool apply_channel(actor& server, const std::string& key, const std::string& text) {
    if (key == "from") {
        start_channel(server, text);
        return true;
    }
    if (key == "channel") {
        select_channel(server, text);
        return true;
    }
    channel& link = current_channel(server);
    if (key == "io")
        link.io = io_word(text);
    else if (key == "sql")
        link.sql = sql_word(text);
    else if (key == "delay")
        link.delay_seconds = std::atof(text.c_str());
    else if (key == "source_id")
        link.source_server_id = static_cast<std::uint32_t>(std::atoi(text.c_str()));
    else if (key == "source_uuid")
        link.source_uuid = text;
    else if (key == "io_error")
        set_error(link.io_errno, link.io_error, text);
    else if (key == "sql_error")
        set_error(link.sql_errno, link.sql_error, text);
    else if (key == "lag" && text == "null")
        link.lag_seconds.reset();
    else if (key == "lag")
        link.lag_seconds = std::atof(text.c_str());
    else
        return false;
    return true;
}

bool apply_failure(actor& server, const std::string& word) {
    for (int i = static_cast<int>(probe_failure::refused);
         i <= static_cast<int>(probe_failure::internal); ++i) {
        auto failure = static_cast<probe_failure>(i);
        if (word != to_string(failure)) continue;
        server.failure = failure;
        server.hangs = false;
        server.error =
            "connect to " + server.host + ":" + std::to_string(server.port) + ": " + word;
        return true;
    }
    return false;
}

}  // namespace

bool apply_word(actor& server, std::string_view view) {
    std::string word(view);
    auto equals = word.find('=');
    if (equals != std::string::npos) {
        std::string key = word.substr(0, equals), text = word.substr(equals + 1);
        if (key == "host") return server.host = text, true;
        if (key == "port")
            return server.port = static_cast<std::uint16_t>(std::atoi(text.c_str())), true;
        if (key == "takes") return parse_duration(text, server.takes);
        return apply_fact(server.facts, key, text) || apply_details(server.facts, key, text) ||
               apply_channel(server, key, text);
    }
    if (word == "writable") {
        server.facts.read_only = parse_read_only("0");
        if (server.facts.super_read_only) server.facts.super_read_only = parse_switch("OFF");
    } else if (word == "read_only") {
        server.facts.read_only = parse_read_only("1");
    } else if (word == "detached") {
        server.facts.channels.clear();
    } else if (word == "stopped") {
        for (auto& link : server.facts.channels) {
            link.io = io_thread::stopped;
            link.sql = sql_thread::stopped;
            link.lag_seconds.reset();
        }
    } else if (word == "hangs") {
        server.hangs = true;
    } else if (word == "answers") {
        server.failure = probe_failure::none;
        server.error.clear();
        server.hangs = false;
    } else {
        return apply_failure(server, word);
    }
    return true;
}

}  // namespace primacy::scenarios
