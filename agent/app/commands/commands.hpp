// The command line: one table of subcommands, each in its own file pair. A command parses its own
// options, does its work and returns the exit status: 0 fine, 1 failed, 2 usage or configuration
// (`status` has its own, see text_report.hpp).
#pragma once

#include "agent/app/config/config.hpp"

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace primacy::app {

struct command_line {
    std::string config_path = "/etc/primacy/primacy.toml";
    std::function<int()> chosen;  // set by the subcommand that was named
};

enum exit_status : int {
    exit_fine = 0,
    exit_failed = 1,
    exit_usage = 2  // wrong command line or configuration
};

void add_agent_command(CLI::App& app, command_line& line);
void add_check_config_command(CLI::App& app, command_line& line);
void add_status_command(CLI::App& app, command_line& line);
void add_explain_command(CLI::App& app, command_line& line);
void add_preflight_command(CLI::App& app, command_line& line);
// fence, unfence, confirm-fenced, pin, maintenance
void add_order_commands(CLI::App& app, command_line& line);
// osc-watch, osc-native: for the agent's own use
void add_osc_inner_commands(CLI::App& app, command_line& line);
void add_audit_command(CLI::App& app, command_line& line);
// osc plan
void add_osc_commands(CLI::App& app, command_line& line);
void add_version_command(CLI::App& app, command_line& line);

// The whole program but for main() itself.
int run_command_line(int count, char** words);

// What servers and files told is made printable, line by line.
void print_lines(std::ostream& to, const std::string& text);

// Says why on the standard error; returns `status`.
int fail(const std::string& why, int status);

// Loads the configuration for a command; prints what is wrong with it and returns nothing then.
std::optional<config> load_for_command(const std::string& path);

}  // namespace primacy::app
