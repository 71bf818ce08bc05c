#include "agent/app/daemon/pages.hpp"
#include "agent/app/preflight/preflight.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/app/report/table.hpp"
#include "agent/app/report/text_report.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::app;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<topology_snapshot> two_writers() {
    auto made = std::make_shared<topology_snapshot>();
    topology_config config;
    config.name = "shop";
    for (const char* name : {"db1", "db2", "db3"}) {
        server_config server;
        server.name = server.host = name;
        config.servers.push_back(server);
        checks::server_view view;
        view.name = view.host = name;
        view.port = 3306;
        view.address = std::string(name) + ":3306";
        made->seen.servers.push_back(view);
    }
    made->config = std::make_shared<const topology_config>(config);
    made->seen.at = checks::moment(100s);
    for (int i = 0; i < 2; ++i) {
        checks::server_facts facts;
        facts.version = {10, 11, 19};
        facts.server_id = static_cast<std::uint32_t>(i + 1);
        facts.read_only = checks::parse_read_only("0");
        auto& view = made->seen.servers[static_cast<std::size_t>(i)];
        view.newest = {1,
                       checks::moment(100s - 400ms),
                       checks::moment(100s - 400ms),
                       checks::probe_failure::none,
                       "",
                       std::make_shared<const checks::server_facts>(facts)};
        view.last_good = view.newest;
    }
    auto& dark = made->seen.servers[2].newest;
    dark.number = 1;
    dark.failure = checks::probe_failure::timeout;
    dark.error = "connect to db3:3306: no answer before the deadline";
    checks::judging_policy policy;
    policy.confirm_polls = 1;
    policy.confirm_for = 0s;
    made->verdict = checks::judge(made->seen, {}, policy);
    made->split_since = checks::wall_time(1'763'764'289'123ms);
    made->first_round_done = true;
    return made;
}

boost::json::object status_of_two_writers() {
    agent_snapshot agent;
    agent.agent = "watcher";
    agent.topologies.push_back(two_writers());
    return status_json(agent, "", {checks::moment(100s), {}});
}

}  // namespace

TEST_CASE("status JSON has every key of the contract") {
    auto status = status_of_two_writers();
    CHECK(status.at("agent") == "watcher");
    const auto& topology = status.at("topologies").as_array().at(0).as_object();
    for (const char* key : {"name", "state", "mode", "writers", "incumbent", "split_brain", "lease",
                            "maintenance", "servers", "findings"})
        CHECK_MESSAGE(topology.contains(key), key);
    CHECK(topology.at("state") == "split_brain");
    CHECK(topology.at("mode") == "observe");
    CHECK(topology.at("split_brain").at("confirmed") == true);
    CHECK(topology.at("split_brain").at("suspected") == false);
    CHECK(topology.at("split_brain").at("since") == "2025-11-21T22:31:29.123Z");
    CHECK(topology.at("maintenance").is_null());
    CHECK(topology.at("incumbent").is_null());
    const auto& servers = topology.at("servers").as_array();
    const auto& first = servers.at(0).as_object();
    for (const char* key :
         {"name", "address", "reachable", "error", "flavor", "version", "role", "writable",
          "read_only", "super_read_only", "age_seconds", "fence", "channels"})
        CHECK_MESSAGE(first.contains(key), key);
    CHECK(first.at("age_seconds").as_double() == doctest::Approx(0.4));
    CHECK(first.at("role") == "primary");
    CHECK(first.at("super_read_only").is_null());
    const auto& dark = servers.at(2).as_object();
    CHECK(dark.at("reachable") == false);
    CHECK(dark.at("error") == "timeout");
    CHECK(dark.at("writable").is_null());
    CHECK(dark.at("age_seconds").is_null());
    CHECK(topology.at("findings").as_array().at(0).at("code") == "split_brain");
}

TEST_CASE("the text says at one look who writes, and never shows what a server sent raw") {
    auto text = status_text(status_of_two_writers(), paint::plain);
    CHECK(text.find("shop: SPLIT BRAIN  db1 and db2 are writable primaries at once") == 0);
    CHECK(text.find("\x1b") == std::string::npos);
    CHECK(text.find("never (timeout)") != std::string::npos);
    CHECK(status_text(status_of_two_writers(), paint::colour).find("\x1b[1;31m") !=
          std::string::npos);
    CHECK(printable("a\x1b[2Jb\n\x7f") == "a?[2Jb??");
}

TEST_CASE("columns are aligned by characters, not bytes") {
    table made;
    made.rows = {{"größe", "x"}, {"a", "y"}};
    CHECK(made.text() == "  größe  x\n  a      y\n");
}

TEST_CASE("the exit status is that of the most urgent topology") {
    auto of = [](std::vector<const char*> states) {
        boost::json::array topologies;
        for (const char* state : states)
            topologies.push_back(boost::json::object{{"state", state}});
        return status_exit_code({{"topologies", topologies}});
    };
    CHECK(of({"healthy"}) == 0);
    CHECK(of({"healthy", "degraded"}) == 1);
    CHECK(of({"degraded", "unknown"}) == 3);
    CHECK(of({"unknown", "split_brain"}) == 2);
    CHECK(of({"no_writer", "unknown"}) == 2);
    CHECK(of({"something new"}) == 3);
    CHECK(of({}) == 3);
}

TEST_CASE("an answer of another shape is shown as nothing, not as a crash") {
    for (const char* text : {"{}", R"({"topologies":7})", R"({"topologies":[{"servers":"x"}]})",
                             R"({"topologies":[{"findings":[{"reason":5}]}]})"}) {
        auto parsed = boost::json::parse(text).as_object();
        CHECK(status_exit_code(parsed) == 3);
        CHECK_NOTHROW(status_text(parsed, paint::plain));
        CHECK_NOTHROW(explain_text(parsed, paint::plain));
    }
}

TEST_CASE("healthy means judged within three intervals, ready means tried once") {
    agent_snapshot agent;
    agent.configured_topologies = 1;
    CHECK(why_not_ready(agent) == "not every topology has been judged yet");
    agent.topologies.push_back(two_writers());
    CHECK(why_not_ready(agent).empty());
    CHECK(why_not_healthy(agent, checks::moment(103s)).empty());
    CHECK(why_not_healthy(agent, checks::moment(103s + 1ms)) ==
          "topology shop was last judged 3.0 s ago");
}

namespace {

server_survey well_kept(const std::string& name, std::uint32_t id) {
    server_survey found;
    found.name = name;
    found.address = name + ":3306";
    found.account = "'primacy'@'%'";
    found.encrypted = true;
    found.facts.version = {10, 11, 19};
    found.facts.version_text = "10.11.19-MariaDB";
    found.facts.server_id = id;
    found.facts.read_only = checks::parse_read_only("1");
    found.facts.log_bin = true;
    found.facts.log_slave_updates = true;
    found.facts.details.connected_replicas = 0;
    found.facts.details.bypass_accounts.emplace();
    found.facts.details.boots_writable = false;
    return found;
}

std::string all_text(const std::vector<preflight_line>& lines, preflight_level level) {
    std::string text;
    for (const auto& line : lines)
        if (line.level == level)
            text += line.subject + ": " + line.what + " | " + line.remedy + "\n";
    return text;
}

}  // namespace

TEST_CASE("preflight passes what is well kept and names the statement that mends the rest") {
    topology_config topology;
    topology.name = "shop";
    topology.servers.resize(3);
    auto lines = preflight_monitor(topology, {well_kept("db1", 1), well_kept("db2", 2)});
    CHECK(all_text(lines, preflight_level::warn) == "");
    CHECK(all_text(lines, preflight_level::fail) == "");

    auto poor = well_kept("db2", 1);
    poor.replication = rt::error{rt::errc::denied, 1227, "Access denied"};
    poor.facts.details.boots_writable = true;
    poor.facts.details.bypass_accounts.reset();
    poor.encrypted = false;
    lines = preflight_monitor(topology, {well_kept("db1", 1), poor});
    auto failed = all_text(lines, preflight_level::fail);
    CHECK(failed.find("GRANT REPLICA MONITOR ON *.* TO 'primacy'@'%';") != std::string::npos);
    CHECK(failed.find("same server_id as db1") != std::string::npos);
    auto warned = all_text(lines, preflight_level::warn);
    CHECK(warned.find("read_only=1 under [mariadbd]") != std::string::npos);
    CHECK(warned.find("GRANT SELECT ON mysql.roles_mapping") != std::string::npos);
    CHECK(warned.find("not encrypted") != std::string::npos);
}

TEST_CASE("preflight knows the privilege's name of each version") {
    topology_config topology;
    topology.servers.resize(3);
    auto remedy = [&](checks::flavor kind, checks::server_version version) {
        auto found = well_kept("db1", 1);
        found.facts.kind = kind;
        found.facts.version = version;
        found.replication = rt::error{rt::errc::denied, 1227, "Access denied"};
        return all_text(preflight_monitor(topology, {found}), preflight_level::fail);
    };
    using checks::flavor;
    CHECK(remedy(flavor::mariadb, {10, 4, 0}).find("REPLICATION CLIENT") != std::string::npos);
    CHECK(remedy(flavor::mariadb, {10, 5, 5}).find("REPLICATION SLAVE ADMIN") != std::string::npos);
    CHECK(remedy(flavor::mariadb, {11, 8, 6}).find("REPLICA MONITOR") != std::string::npos);
    CHECK(remedy(flavor::mysql, {9, 7, 4}).find("REPLICATION CLIENT") != std::string::npos);
}
