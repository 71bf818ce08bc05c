#include "agent/app/config/address.hpp"
#include "agent/app/config/named_files.hpp"
#include "agent/app/config/sections.hpp"

namespace primacy::app {

namespace {

// In the order of the words of the key "type".
constexpr section type_sections[] = {section::ssh,   section::ipmi,    section::fence_agent,
                                     section::exec,  section::haproxy, section::proxysql,
                                     section::detach};

ssh_method read_ssh(reading& into, const section_values& method) {
    warn_of_named_file(into, method, "key");
    warn_of_named_file(into, method, "known_hosts");
    ssh_method read;
    read.host = method["host"].text;
    read.port = static_cast<std::uint16_t>(method["port"].number);
    read.user = method["user"].text;
    read.key = method["key"].text;
    read.known_hosts = method["known_hosts"].text;
    return read;
}

ipmi_method read_ipmi(reading& into, const section_values& method) {
    ipmi_method read;
    read.address = method["address"].text;
    read.port = static_cast<std::uint16_t>(method["port"].number);
    read.user = method["user"].text;
    read.password_file = method["password_file"].text;
    read.password = read_named_secret(into, method, "password_file");
    read.interface = method["interface"].text;
    if (method["cipher"].written && method["cipher"].good)
        read.cipher = static_cast<int>(method["cipher"].number);
    return read;
}

std::string option_text(const document_value& value) {
    if (value.kind == value_kind::integer) return std::to_string(value.integer);
    if (value.kind == value_kind::boolean) return value.flag ? "1" : "0";
    return value.text;
}

// Why an option cannot be given, empty when it can. Options travel to the agent line by line.
std::string option_complaint(const document_entry& option) {
    const value_kind kind = option.value.kind;
    const std::string name = in_quotes(option.key);
    if (option.key == "action") return name + " is chosen by primacy; remove it";
    if (option.key == "password" || option.key == "passwd")
        return name + " would be readable here; put it alone into a file and write password_file";
    const bool scalar =
        kind == value_kind::text || kind == value_kind::integer || kind == value_kind::boolean;
    if (!scalar) return "expected a text, an integer or a boolean for " + name;
    const bool good_name = !option.key.empty() && option.key.find('=') == option.key.npos &&
                           control_at(option.key) == option.key.npos;
    if (!good_name) return name + " cannot be the name of an option";
    if (control_at(option.value.text) != std::string::npos)
        return "expected a text without control characters for " + name;
    return {};
}

fence_agent_method read_fence_agent(reading& into, const section_values& method) {
    fence_agent_method read;
    read.agent = method["agent"].text;
    read.password_file = method["password_file"].text;
    read.password = read_named_secret(into, method, "password_file");
    const document_value* options = method["options"].value;
    if (!options) return read;
    for (const document_entry& option : options->entries) {
        const std::string complaint = option_complaint(option);
        if (complaint.empty())
            read.options.emplace(option.key, option_text(option.value));
        else
            into.found.problem(option.at, method.where("options"), complaint);
    }
    return read;
}

exec_method read_exec(const section_values& method) {
    return {method["command"].list, method["style"].as<exec_style>(), method["verify"].number != 0};
}

haproxy_method read_haproxy(const section_values& method) {
    haproxy_method read;
    const std::string& socket = method["socket"].text;
    if (const auto address = parse_host_port(socket)) {
        read.host = address->host;
        read.port = address->port;
    } else {
        read.socket = socket;
    }
    read.backend = method["backend"].text;
    read.server = method["server"].text;
    return read;
}

proxysql_method read_proxysql(reading& into, const section_values& method) {
    proxysql_method read;
    read.admin.host = method["host"].text;
    read.admin.port = static_cast<std::uint16_t>(method["port"].number);
    read.admin.user = method["user"].text;
    read.password_file = method["password_file"].text;
    read.admin.password = read_named_secret(into, method, "password_file");
    read.admin.tls = read_tls(into, method);
    if (const auto server = parse_host_port(method["server"].text)) {
        read.server_host = server->host;
        read.server_port = server->port;
    }
    const setting& hostgroup = method["writer_hostgroup"];
    if (hostgroup.written && hostgroup.good) read.writer_hostgroup = hostgroup.number;
    return read;
}

method_config read_method(reading& into, const document_entry& entry, std::size_t type) {
    const section_values method =
        read_section(into, &entry.value, {section::method, type_sections[type]},
                     "method." + entry.key, entry.at);
    method_config read;
    read.name = entry.key;
    read.timeout = method["timeout"].duration();
    switch (type_sections[type]) {
        case section::ssh: read.how = read_ssh(into, method); break;
        case section::ipmi: read.how = read_ipmi(into, method); break;
        case section::fence_agent: read.how = read_fence_agent(into, method); break;
        case section::haproxy: read.how = read_haproxy(method); break;
        case section::proxysql: read.how = read_proxysql(into, method); break;
        case section::detach: read.how = detach_method{}; break;
        default: read.how = read_exec(method); break;
    }
    return read;
}

// The type decides which keys there are, so it is looked at first; nothing when it is not clear.
std::optional<std::size_t> type_of(reading& into, const document_entry& entry) {
    document_value only_type;
    if (const document_entry* type = entry.value.find("type")) only_type.entries.push_back(*type);
    reading aside{into.directory, false, {}};
    const section_values method =
        read_section(aside, &only_type, {section::method}, "method." + entry.key, entry.at);
    if (method["type"].good) return static_cast<std::size_t>(method["type"].number);
    for (const config_problem& problem : aside.found.take_problems())
        into.found.problem({problem.line, problem.column}, "", problem.message);
    return std::nullopt;
}

}  // namespace

section section_of(const method_config& method) {
    return type_sections[method.how.index()];
}

std::string_view type_word(const method_config& method) {
    return words_of(*keys_of(section::method).at(0)).at(method.how.index());
}

bool stops_without_sql(const method_config& method) {
    return stops_without_sql(section_of(method));
}

bool stops_without_sql(section type) {
    return type == section::ssh || type == section::ipmi || type == section::fence_agent ||
           type == section::exec;
}

std::vector<method_config> read_methods(reading& into, const document_value* table) {
    std::vector<method_config> methods;
    if (!table) return methods;
    for (const document_entry& entry : table->entries) {
        const std::string where = "method." + in_quotes(entry.key);
        if (entry.value.kind != value_kind::table) {
            into.found.problem(entry.at, where,
                               "expected a table such as [method.NAME], got " + shown(entry.value));
        } else if (const auto complaint = name_complaint(entry.key); !complaint.empty()) {
            into.found.problem(entry.at, where, "expected " + std::string(complaint));
        } else if (entry.key == "sql") {
            into.found.problem(entry.at, where,
                               "\"sql\" is the rung that every server has; choose another name");
        } else if (const auto type = type_of(into, entry)) {
            if (entry.key == "detach" && type_sections[*type] != section::detach)
                into.found.problem(entry.at, where,
                                   "\"detach\" is the rung that stops replicas; only a method of "
                                   "type detach can have that name");
            methods.push_back(read_method(into, entry, *type));
        }
    }
    return methods;
}

std::map<std::string, agent_places> places_of_agents(const document_value* table) {
    std::map<std::string, agent_places> places;
    if (!table) return places;
    for (const document_entry& method : table->entries) {
        const document_entry* agent = method.value.find("agent");
        if (!agent) continue;
        agent_places& made = places[method.key];
        made.agent = agent->value.at;
        if (const document_entry* options = method.value.find("options"))
            for (const document_entry& option : options->value.entries)
                made.options[option.key] = option.at;
    }
    return places;
}

}  // namespace primacy::app
