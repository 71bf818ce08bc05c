#include "agent/app/commands/commands.hpp"
#include "agent/app/commands/question.hpp"
#include "agent/app/report/text_report.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <iostream>
#include <thread>
#include <unistd.h>

namespace primacy::app {

namespace {

struct status_options {
    question asked;
    bool as_json = false;
    bool watch = false;
};

// Exit status 3, "unknown", also when nothing could be found out: monitoring must not read a failed
// look as a degraded topology.
constexpr int exit_unknown = 3;

int show_once(const config& settings, const status_options& options, paint how) {
    auto found = ask(settings, options.asked);
    if (!found) {
        std::cerr << "primacy: " << found.error().message << "\n";
        return found.error().code == rt::errc::usage ? int{exit_usage} : exit_unknown;
    }
    if (!found->why_direct.empty()) std::cerr << "primacy: " << found->why_direct << "\n";
    if (options.as_json)
        std::cout << boost::json::serialize(found->json) << "\n";
    else
        std::cout << status_text(found->json, how);
    std::cout.flush();
    return status_exit_code(found->json);
}

int status(const std::string& path, const status_options& options) {
    auto settings = load_for_command(path);
    if (!settings) return exit_usage;
    paint how = colours_wanted() ? paint::colour : paint::plain;
    if (!options.watch) return show_once(*settings, options, how);
    bool terminal = ::isatty(STDOUT_FILENO) != 0;
    for (;;) {
        if (terminal) std::cout << "\x1b[H\x1b[2J";
        int result = show_once(*settings, options, how);
        if (result == exit_usage && !std::cout) return result;
        if (!std::cout) return exit_failed;  // whoever read the pipe has gone
        if (!options.as_json) std::cout << "\n";
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

}  // namespace

void add_status_command(CLI::App& app, command_line& line) {
    auto options = std::make_shared<status_options>();
    auto* command = app.add_subcommand("status", "who writes, who lags, what is wrong");
    command->add_option("TOPOLOGY", options->asked.topology, "only this one");
    command->add_flag("--json", options->as_json, "for programs");
    command->add_flag("--watch", options->watch, "again every second, until interrupted");
    command->add_flag("--direct", options->asked.direct, "ask the servers, not the agent");
    command->callback([&line, options] {
        line.chosen = [&line, options] { return status(line.config_path, *options); };
    });
}

}  // namespace primacy::app
