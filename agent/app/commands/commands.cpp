#include "agent/app/commands/commands.hpp"

#include "agent/app/report/table.hpp"
#include "agent/app/version.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <sstream>

namespace primacy::app {

std::optional<config> load_for_command(const std::string& path) {
    config_outcome outcome = load(path);
    for (const auto& problem : outcome.problems)
        std::cerr << to_text(path, problem) << "\n";
    if (!outcome.ok()) return std::nullopt;
    return std::move(outcome.value);
}

void print_lines(std::ostream& to, const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        to << printable(line) << "\n";
}

int fail(const std::string& why, int status) {
    print_lines(std::cerr, "primacy: " + why);
    return status;
}

int run_command_line(int count, char** words) {
    CLI::App app{"primacy: the referee of MariaDB and MySQL replication topologies", "primacy"};
    app.set_version_flag("--version", std::string("primacy ") + version_text);
    app.require_subcommand(1);
    app.fallthrough();
    command_line line;
    app.add_option("--config", line.config_path, "configuration file")->capture_default_str();
    add_agent_command(app, line);
    add_check_config_command(app, line);
    add_status_command(app, line);
    add_explain_command(app, line);
    add_preflight_command(app, line);
    add_order_commands(app, line);
    add_osc_inner_commands(app, line);
    add_audit_command(app, line);
    add_osc_commands(app, line);
    add_version_command(app, line);
    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& wrong) {
        int status = app.exit(wrong);
        return status == 0 ? exit_fine : exit_usage;
    }
    return line.chosen ? line.chosen() : exit_usage;
}

}  // namespace primacy::app
