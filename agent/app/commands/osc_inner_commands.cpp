// Two commands that no person gives: the watcher of a schema-change tool, and the runner of a
// native ALTER. Both are started by the agent for a job and outlive it.
#include "agent/app/commands/commands.hpp"
#include "agent/app/commands/complete.hpp"
#include "agent/app/report/json_parts.hpp"
#include "agent/rt/detached.hpp"
#include "agent/rt/file.hpp"
#include "agent/rt/sql/network.hpp"
#include "osc/drivers/native_run.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <csignal>
#include <iostream>

namespace primacy::app {

namespace {

namespace json = boost::json;

constexpr std::size_t largest_order = 1024 * 1024;

volatile std::sig_atomic_t told_to_end = 0;
void note_signal(int) {
    told_to_end = 1;
}

struct watch_options {
    std::string folder, log_folder;
};

// What to start is in a file: a command line of ours would have its own opinion on empty words.
int watch(const watch_options& chosen) {
    auto text = rt::read_file(chosen.folder + "/argv.json", largest_order);
    if (!text) return fail(text.error().message, exit_failed);
    boost::system::error_code failed;
    json::value parsed = json::parse(*text, failed);
    if (failed || !parsed.is_object()) return fail("argv.json is no JSON object", exit_failed);
    auto started = rt::watch_detached(rt::detached_files_in(chosen.folder, chosen.log_folder),
                                      json_parts::texts_of(parsed.as_object(), "argv"));
    return started ? exit_fine : fail(started.error().message, exit_failed);
}

const server_config* server_named(const config& settings, const std::string& topology,
                                  const std::string& server, const topology_config** in) {
    for (const auto& each : settings.topologies)
        for (const auto& candidate : each.servers)
            if (each.name == topology && candidate.name == server) {
                *in = &each;
                return &candidate;
            }
    return nullptr;
}

int run_native(const std::string& config_path, const std::string& order_path) {
    auto settings = load_for_command(config_path);
    if (!settings) return exit_usage;
    auto text = rt::read_file(order_path, largest_order);
    if (!text) return fail(text.error().message, exit_failed);
    boost::system::error_code failed;
    json::value parsed = json::parse(*text, failed);
    if (failed || !parsed.is_object()) return fail(order_path + " is no JSON object", exit_failed);
    const json::object& from = parsed.as_object();
    const topology_config* topology = nullptr;
    const std::string name = json_parts::text_of(from, "server");
    const server_config* server =
        server_named(*settings, json_parts::text_of(from, "topology"), name, &topology);
    if (!server) return fail("there is no server " + name + " any more", exit_failed);
    osc::native_order order;
    order.where = endpoint_of(*topology, *server);
    order.mysql = json_parts::flag_of(from, "mysql");
    order.statement = json_parts::text_of(from, "statement");
    order.lock_wait = std::chrono::seconds(json_parts::number_of(from, "lock_wait_seconds"));
    std::signal(SIGTERM, note_signal);
    boost::asio::io_context loop{1};
    rt::sql::network network(loop.get_executor());
    auto tell = [](const osc::native_line& line) { std::cout << to_line(line) << std::endl; };
    bool altered = complete(loop, osc::run_native(loop.get_executor(), network, std::move(order),
                                                  tell, [] { return told_to_end != 0; }));
    return altered ? exit_fine : exit_failed;
}

}  // namespace

void add_osc_inner_commands(CLI::App& app, command_line& line) {
    auto chosen = std::make_shared<watch_options>();
    auto* watcher = app.add_subcommand("osc-watch", "")->group("");
    watcher->add_option("--folder", chosen->folder)->required();
    watcher->add_option("--logs", chosen->log_folder)->required();
    watcher->callback([&line, chosen] { line.chosen = [chosen] { return watch(*chosen); }; });

    auto order = std::make_shared<std::string>();
    auto* native = app.add_subcommand("osc-native", "")->group("");
    native->add_option("--order", *order)->required();
    native->callback([&line, order] {
        line.chosen = [&line, order] { return run_native(line.config_path, *order); };
    });
}

}  // namespace primacy::app
