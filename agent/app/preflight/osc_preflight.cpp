#include "agent/app/preflight/osc_preflight.hpp"

#include "checks/words.hpp"
#include "osc/compatibility.hpp"
#include "osc/drivers/tool_probe.hpp"
#include "osc/grants.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace primacy::app {

using checks::flavor;
using checks::server_version;
using osc::server_reading;
using osc::server_side;
using namespace std::chrono_literals;

namespace {

constexpr auto pass = preflight_level::pass;
constexpr auto warn = preflight_level::warn;
constexpr auto fail = preflight_level::fail;
// Copies of large tables take hours; what they have not read yet must not be purged.
constexpr auto comfortable_retention = 24h;

using lines = std::vector<preflight_line>;

std::string joined(const std::vector<std::string>& statements) {
    std::string made;
    for (const auto& each : statements)
        made += (made.empty() ? "" : " ") + each;
    return made;
}

void check_word(lines& to, const server_side& server, const char* variable,
                const std::string& value, const std::string& wanted) {
    const std::string name(variable);
    if (value == wanted)
        to.push_back({pass, server.name, name + " is " + wanted, ""});
    else
        to.push_back(
            {warn, server.name,
             name + " is " + (value.empty() ? "not known" : value) + ", and gh-ost needs " + wanted,
             "SET GLOBAL " + name + " = " + wanted + "; and the same in its settings file"});
}

void check_retention(lines& to, const server_side& server) {
    const bool by_seconds =
        server.kind == flavor::mysql || server.version >= server_version{10, 6, 1};
    const std::string remedy = by_seconds ? "SET GLOBAL binlog_expire_logs_seconds = 604800;"
                                          : "SET GLOBAL expire_logs_days = 7;";
    if (server.binlog_kept_for_ever)
        to.push_back({pass, server.name, "keeps its binary logs until somebody purges them", ""});
    else if (!server.binlog_kept)
        to.push_back(
            {warn, server.name, "does not tell for how long it keeps binary logs", remedy});
    else if (*server.binlog_kept < comfortable_retention)
        to.push_back({warn, server.name,
                      "keeps binary logs for " + checks::words::seconds(*server.binlog_kept) +
                          ": what is purged under gh-ost is lost without an error",
                      remedy});
    else
        to.push_back({pass, server.name,
                      "keeps binary logs for " + checks::words::seconds(*server.binlog_kept), ""});
}

void check_binlog(lines& to, const server_side& server) {
    if (!server.log_bin.value_or(false)) {
        to.push_back({warn, server.name, "writes no binary log: gh-ost cannot work here",
                      "log_bin in its settings file"});
        return;
    }
    check_word(to, server, "binlog_format", server.binlog_format, "ROW");
    check_word(to, server, "binlog_row_image", server.binlog_row_image, "FULL");
    if (server.log_bin_compress.value_or(false))
        to.push_back({warn, server.name, "compresses its binary log, and gh-ost waits for ever",
                      "SET GLOBAL log_bin_compress = OFF;"});
    check_retention(to, server);
}

osc::grant_question question_about(const server_reading& server, const osc_survey& found) {
    osc::grant_question asked;
    asked.kind = server.side.kind;
    asked.version = server.side.version;
    asked.account = server.account;
    asked.log_bin = server.side.log_bin;
    asked.trusts_trigger_creators = server.settings.trusts_trigger_creators;
    asked.gh_ost_knows_mariadb = found.gh_ost.knows_mariadb;
    return asked;
}

// The databases, as they were granted, in which the account may change tables at all.
void check_grants(lines& to, const server_reading& server, const osc_survey& found) {
    auto asked = question_about(server, found);
    const auto databases = server.grants.databases_with({"ALTER"});
    if (databases.empty()) {
        to.push_back({fail, server.side.name, "the account may alter no tables",
                      "GRANT " + checks::words::subject(osc::privileges_to_copy()) +
                          " ON `DATABASE`.* TO " + server.account + ";"});
        return;
    }
    for (const auto& database : databases) {
        asked.database = database;
        const std::string where = database == "*" ? "any database" : database;
        const auto hidden = osc::missing_to_plan(server.grants, asked);
        if (!hidden.empty())
            to.push_back({fail, server.side.name,
                          "the account does not see all that hangs on tables of " + where,
                          joined(hidden)});
        for (auto tool : {osc::tool::native, osc::tool::gh_ost, osc::tool::pt_osc}) {
            const auto missing = osc::missing_for(tool, server.grants, asked);
            const std::string name(osc::to_string(tool));
            if (missing.empty())
                to.push_back({pass, server.side.name, name + " may change tables of " + where, ""});
            else
                to.push_back({warn, server.side.name, name + " may not change tables of " + where,
                              joined(missing)});
        }
    }
}

void check_tools(lines& to, const osc_survey& found) {
    const std::pair<const char*, const osc::tool_facts*> tools[] = {
        {"gh-ost", &found.gh_ost}, {"pt-online-schema-change", &found.pt_osc}};
    for (const auto& [name, tool] : tools) {
        if (!tool->problem.empty()) {
            to.push_back({warn, name, "cannot be used: " + tool->problem,
                          "install it, or name its path in [osc]"});
            continue;
        }
        to.push_back({pass, name, "is " + tool->version_text + " at " + tool->path, ""});
        for (const auto& server : found.servers) {
            if (server.side.unreadable) continue;
            const std::string why = tool == &found.gh_ost
                                        ? osc::why_gh_ost_cannot(*tool, server.side)
                                        : osc::why_pt_osc_cannot(*tool, server.side);
            if (why.empty())
                to.push_back({pass, name, "works with " + server.side.name, ""});
            else
                to.push_back({warn, name, "does not work with " + server.side.name + ": " + why,
                              "install another version"});
        }
    }
    if (!found.gh_ost.problem.empty() && !found.pt_osc.problem.empty())
        to.push_back({warn, "tools", "there is neither: only what servers do by themselves works",
                      "install gh-ost or percona-toolkit"});
}

// Why nothing can be written there. A folder that is not there yet is made by the first job.
std::string trouble_with(const std::string& folder) {
    std::error_code failed;
    std::filesystem::path place(folder);
    while (!std::filesystem::exists(place, failed) && place.has_relative_path())
        place = place.parent_path();
    if (::access(place.c_str(), W_OK | X_OK) == 0) return "";
    return place.string() + ": " + std::generic_category().message(errno);
}

}  // namespace

std::vector<preflight_line> preflight_osc(const topology_config& topology,
                                          const osc_survey& found) {
    lines made;
    for (const auto& server : found.servers) {
        if (server.side.unreadable) {
            made.push_back({fail, server.side.name, "cannot be read: " + *server.side.unreadable,
                            "see `primacy preflight " + topology.name + "`"});
            continue;
        }
        check_binlog(made, server.side);
        check_grants(made, server, found);
    }
    check_tools(made, found);
    if (found.log_dir_trouble.empty())
        made.push_back({pass, "log_dir", "can be written", ""});
    else
        made.push_back({fail, "log_dir", "cannot be written: " + found.log_dir_trouble,
                        "install -d -o primacy -g primacy -m 0750 " + found.log_dir});
    return made;
}

boost::asio::awaitable<osc_survey> survey_osc(boost::asio::any_io_executor executor,
                                              rt::sql::network& network, rt::process_runner& runner,
                                              const topology_config& topology,
                                              const osc_config& settings, rt::deadline until) {
    osc_survey made;
    for (const auto& server : topology.servers) {
        osc::reading_order order;
        order.server = server.name;
        order.where = endpoint_of(topology, server);
        const auto limit = until.sooner(rt::deadline::after(2 * topology.probe_timeout));
        auto reading = co_await osc::read_server(executor, network, std::move(order), limit);
        made.servers.push_back(std::move(reading));
    }
    made.gh_ost = co_await osc::probe_gh_ost(runner, settings.gh_ost, rt::deadline::after(5s));
    made.pt_osc = co_await osc::probe_pt_osc(runner, settings.pt_osc, rt::deadline::after(5s));
    made.log_dir = settings.log_dir;
    made.log_dir_trouble = trouble_with(settings.log_dir);
    co_return made;
}

}  // namespace primacy::app
