#include "agent/app/commands/commands.hpp"
#include "agent/app/version.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace primacy::app {

void add_version_command(CLI::App& app, command_line& line) {
    auto* command = app.add_subcommand("version", "print the version");
    command->callback([&line] {
        line.chosen = [] {
            std::cout << "primacy " << version_text << "\n";
            return exit_fine;
        };
    });
}

}  // namespace primacy::app
