#include "agent/app/commands/commands.hpp"
#include "agent/app/commands/complete.hpp"
#include "agent/app/guard/drivers.hpp"
#include "agent/app/guard/fence_agents.hpp"
#include "agent/app/preflight/osc_preflight.hpp"
#include "agent/app/preflight/preflight.hpp"
#include "agent/app/report/table.hpp"
#include "agent/rt/sql/network.hpp"
#include "fencing/drivers/loss_survey.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>

namespace primacy::app {

namespace {

namespace json = boost::json;

constexpr auto patience_with_device = std::chrono::seconds(30);

boost::asio::awaitable<std::vector<server_survey>> survey_all(boost::asio::any_io_executor executor,
                                                              rt::sql::network& network,
                                                              const topology_config& topology) {
    std::vector<server_survey> found;
    for (const auto& server : topology.servers) {
        auto until = rt::deadline::after(2 * topology.probe_timeout);
        found.push_back(co_await survey(executor, network, topology, server, until));
    }
    co_return found;
}

void print_text(const topology_config& topology, const std::string& purpose,
                const std::vector<preflight_line>& lines) {
    table made;
    for (const auto& line : lines) {
        std::string level(to_string(line.level));
        std::transform(level.begin(), level.end(), level.begin(), ::toupper);
        made.rows.push_back({level, line.subject, printable(line.what)});
        if (!line.remedy.empty())
            made.rows.push_back({"", "", "  mend: " + printable(line.remedy)});
    }
    auto count = [&](preflight_level level) {
        return std::to_string(std::count_if(lines.begin(), lines.end(),
                                            [&](const auto& line) { return line.level == level; }));
    };
    std::cout << topology.name << ": preflight for " << purpose << "\n"
              << made.text() << "  " << count(preflight_level::pass) << " passed, "
              << count(preflight_level::warn) << " warnings, " << count(preflight_level::fail)
              << " failed\n";
}

void print_json(const topology_config& topology, const std::string& purpose,
                const std::vector<preflight_line>& lines) {
    json::array all;
    for (const auto& line : lines)
        all.push_back(json::object{{"level", to_string(line.level)},
                                   {"subject", line.subject},
                                   {"what", line.what},
                                   {"remedy", line.remedy}});
    std::cout << json::serialize(json::object{
                     {"topology", topology.name}, {"purpose", purpose}, {"checks", all}})
              << "\n";
}

// What the fence agents say of their options, without asking a device.
boost::asio::awaitable<std::vector<preflight_line>> ask_agents(driver_parts parts,
                                                               const config& settings) {
    std::vector<preflight_line> lines;
    auto found =
        co_await ask_fence_agents(parts.executor, *parts.runner, settings, patience_of_person);
    for (const auto* list : {&found.wrong, &found.unusable, &found.silent})
        for (const auto& problem : *list)
            lines.push_back({preflight_level::fail, "configuration",
                             to_text(settings.path, problem),
                             "change that line, then run primacy check-config"});
    co_return lines;
}

// Whether each rung of each ladder could be used now; changes nothing.
boost::asio::awaitable<std::vector<preflight_line>> try_rungs(driver_parts parts,
                                                              const config& settings,
                                                              const topology_config& topology) {
    auto lines = co_await ask_agents(parts, settings);
    for (const auto& server : topology.servers) {
        for (const auto& rung : server.fence) {
            auto driver = make_driver(parts, settings, topology, server, rung);
            auto usable = co_await driver->check(rt::deadline::after(patience_with_device));
            if (usable)
                lines.push_back({preflight_level::pass, server.name, rung + " can stop it", ""});
            else
                lines.push_back({preflight_level::fail, server.name,
                                 rung + " could not stop it now", usable.error().message});
        }
        auto found = co_await fencing::check_loss_survey(parts.executor, *parts.network,
                                                         endpoint_of(topology, server),
                                                         rt::deadline::after(patience_with_device));
        if (found)
            lines.push_back({preflight_level::pass, server.name,
                             "resolve can find in its binary log what it holds alone", ""});
        else
            lines.push_back({preflight_level::warn, server.name,
                             "resolve could not find in its binary log what it holds alone",
                             found.error().message});
    }
    auto voters = topology.servers.size() + topology.lease.witnesses.size();
    if (topology.lease.backend == lease_backend::none)
        lines.push_back({preflight_level::warn, topology.name,
                         "there is no lease: two agents may act at once",
                         "[topology." + topology.name + ".lease] backend = \"servers\""});
    else if (voters < 3)
        lines.push_back({preflight_level::warn, topology.name,
                         "of two voices none is a majority when the other is gone",
                         "name a witness: witnesses = [\"host:3306\"]"});
    co_return lines;
}

int preflight(const std::string& path, const std::string& name, const std::string& purpose,
              bool as_json) {
    auto settings = load_for_command(path);
    if (!settings) return exit_usage;
    auto topology = std::find_if(settings->topologies.begin(), settings->topologies.end(),
                                 [&](const auto& t) { return t.name == name; });
    if (topology == settings->topologies.end()) {
        std::cerr << "primacy: there is no topology \"" << name << "\" in " << path << "\n";
        return exit_usage;
    }
    boost::asio::io_context loop{1};
    rt::sql::network network(loop.get_executor());
    std::vector<preflight_line> lines;
    if (purpose == "fencing") {
        rt::system_process_runner runner;
        const driver_parts parts{loop.get_executor(), &network, &runner};
        lines = complete(loop, try_rungs(parts, *settings, *topology));
    } else if (purpose == "osc") {
        rt::system_process_runner runner;
        const auto until = rt::deadline::after(2 * topology->probe_timeout *
                                               static_cast<int>(topology->servers.size()));
        lines =
            preflight_osc(*topology, complete(loop, survey_osc(loop.get_executor(), network, runner,
                                                               *topology, settings->osc, until)));
    } else {
        auto surveys = complete(loop, survey_all(loop.get_executor(), network, *topology));
        lines = preflight_monitor(*topology, surveys);
    }
    if (as_json)
        print_json(*topology, purpose, lines);
    else
        print_text(*topology, purpose, lines);
    bool failed = std::any_of(lines.begin(), lines.end(),
                              [](const auto& line) { return line.level == preflight_level::fail; });
    return failed ? exit_failed : exit_fine;
}

}  // namespace

void add_preflight_command(CLI::App& app, command_line& line) {
    struct options {
        std::string topology;
        std::string purpose = "monitor";
        bool as_json = false;
    };
    auto chosen = std::make_shared<options>();
    auto* command = app.add_subcommand("preflight", "is everything there that primacy needs?");
    command->add_option("TOPOLOGY", chosen->topology, "which one")->required();
    command->add_option("--for", chosen->purpose, "what for")
        ->check(CLI::IsMember({"monitor", "fencing", "osc"}))
        ->capture_default_str();
    command->add_flag("--json", chosen->as_json, "for programs");
    command->callback([&line, chosen] {
        line.chosen = [&line, chosen] {
            return preflight(line.config_path, chosen->topology, chosen->purpose, chosen->as_json);
        };
    });
}

}  // namespace primacy::app
