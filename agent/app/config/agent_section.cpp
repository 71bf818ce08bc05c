#include "agent/app/config/address.hpp"
#include "agent/app/config/named_files.hpp"
#include "agent/app/config/sections.hpp"

#include <climits>

#include <algorithm>
#include <cctype>
#include <unistd.h>

namespace primacy::app {

namespace {

std::string host_name(reading& into, const section_values& agent) {
    char name[HOST_NAME_MAX + 1] = {};
    ::gethostname(name, HOST_NAME_MAX);
    if (!name_complaint(name).empty())
        into.found.problem(agent.at(), agent.where(),
                           "the host's name " + in_quotes(name) +
                               " cannot name the agent; write name = \"…\" into [agent]");
    return name;
}

bool is_bcrypt(std::string_view hash) {
    const bool form = hash.size() == 60 && (hash.starts_with("$2y$") || hash.starts_with("$2b$")) &&
                      std::isdigit(static_cast<unsigned char>(hash[4])) != 0 &&
                      std::isdigit(static_cast<unsigned char>(hash[5])) != 0 && hash[6] == '$';
    return form && std::all_of(hash.begin() + 7, hash.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '.' || c == '/';
           });
}

// The hashes themselves stay out of every sentence.
std::map<std::string, std::string> read_users(reading& into, const section_values& web) {
    const setting& users = web["basic_auth_users"];
    std::map<std::string, std::string> read;
    if (!users.value) return read;
    for (const document_entry& user : users.value->entries) {
        const std::string where = web.where("basic_auth_users");
        const bool good_name = !user.key.empty() && user.key.find(':') == user.key.npos &&
                               control_at(user.key) == user.key.npos;
        if (!good_name) {
            into.found.problem(user.at, where,
                               in_quotes(user.key) +
                                   " cannot be the name of a user; "
                                   "it must not be empty or hold a colon");
        } else if (user.value.kind != value_kind::text || !is_bcrypt(user.value.text)) {
            into.found.problem(user.value.at, where,
                               "expected a bcrypt hash in quotes for " + in_quotes(user.key) +
                                   "; make one with: htpasswd -nBC 10 " + user.key);
        } else {
            read.emplace(user.key, user.value.text);
        }
    }
    return read;
}

web_config read_web(reading& into, const section_values& agent, const document_value& table) {
    const section_values web = read_section(into, &table, {section::web}, "agent.web", table.at);
    web_config read;
    read.cert_file = web["cert_file"].text;
    read.key_file = web["key_file"].text;
    read.client_ca_file = web["client_ca_file"].text;
    read.basic_auth_users = read_users(into, web);
    const bool cert = web["cert_file"].written;
    const bool key = web["key_file"].written;
    if (cert != key)
        into.found.problem(web[cert ? "cert_file" : "key_file"].at, web.where(),
                           "cert_file and key_file belong together; write both or none");
    if (web["client_ca_file"].written && !cert)
        into.found.problem(web["client_ca_file"].at, web.where("client_ca_file"),
                           "client certificates need TLS; write cert_file and key_file too");
    check_named_file(into, web, "cert_file");
    check_named_key(into, web, "key_file");
    check_named_file(into, web, "client_ca_file");
    const auto listen = parse_listen(agent["listen"].text);
    const bool in_the_open = listen && !is_loopback(listen->host);
    if (web["basic_auth_users"].written && !cert && in_the_open)
        into.found.warning(web["basic_auth_users"].at, web.where("basic_auth_users"),
                           "passwords cross the network unencrypted; write cert_file and key_file");
    return read;
}

}  // namespace

agent_config read_agent(reading& into, const document_value* table) {
    const file_position at = table ? table->at : file_position{1, 1};
    const section_values agent = read_section(into, table, {section::agent}, "agent", at);
    agent_config read;
    read.name = agent["name"].text;
    if (!agent["name"].written) read.name = host_name(into, agent);
    read.listen = agent["listen"].text;
    read.control = agent["control"].text;
    read.state_dir = agent["state_dir"].text;
    read.log_level = agent["log_level"].text;
    read.log_format = agent["log_format"].text;
    if (const document_value* web = agent["web"].value) read.web = read_web(into, agent, *web);
    return read;
}

osc_config read_osc(reading& into, const document_value* table) {
    const file_position at = table ? table->at : file_position{1, 1};
    const section_values osc = read_section(into, table, {section::osc}, "osc", at);
    osc_config read;
    read.log_dir = osc["log_dir"].text;
    read.gh_ost = osc["gh_ost"].text;
    read.pt_osc = osc["pt_osc"].text;
    read.max_running = static_cast<int>(osc["max_running"].number);
    read.keep_old = osc["keep_old"].duration();
    return read;
}

}  // namespace primacy::app
