#include "agent/app/commands/commands.hpp"
#include "agent/app/config/explain.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace primacy::app {

namespace {

int check_config(const std::string& path) {
    config_outcome outcome = load(path);
    for (const auto& warning : outcome.warnings)
        std::cerr << "warning: " << to_text(path, warning) << "\n";
    for (const auto& problem : outcome.problems)
        std::cerr << to_text(path, problem) << "\n";
    if (!outcome.ok()) {
        std::cerr << outcome.problems.size()
                  << (outcome.problems.size() == 1 ? " error" : " errors") << " in " << path
                  << "\n";
        return exit_usage;
    }
    std::cout << describe(outcome.value);
    return exit_fine;
}

}  // namespace

void add_check_config_command(CLI::App& app, command_line& line) {
    auto* command = app.add_subcommand("check-config", "parse the configuration and explain it");
    command->callback(
        [&line] { line.chosen = [&line] { return check_config(line.config_path); }; });
}

}  // namespace primacy::app
