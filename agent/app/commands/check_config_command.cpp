#include "agent/app/commands/commands.hpp"
#include "agent/app/commands/complete.hpp"
#include "agent/app/config/explain.hpp"
#include "agent/app/guard/fence_agents.hpp"
#include "agent/app/http/basic_auth.hpp"
#include "agent/app/http/tls.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <iostream>
#include <utility>

namespace primacy::app {

namespace {

// What only whoever listens would find: a key that is not the certificate's, a hash that costs too
// much. Nothing listens here.
void check_web(config_outcome& outcome) {
    const auto& web = outcome.value.agent.web;
    if (!outcome.ok() || !web) return;
    const auto add = [&outcome](const rt::error& failure) {
        outcome.problems.push_back({0, 0, "agent.web: " + failure.message});
    };
    if (!web->cert_file.empty()) {
        const auto tls = http::load_tls({web->cert_file, web->key_file, web->client_ca_file});
        if (!tls) add(tls.error());
    }
    if (web->basic_auth_users.empty()) return;
    boost::asio::thread_pool unused(1);
    const auto users = http::basic_auth::make(web->basic_auth_users, unused, 1);
    if (!users) add(users.error());
}

void check_fence_agents(config_outcome& outcome) {
    if (!outcome.ok()) return;
    boost::asio::io_context loop{1};
    rt::system_process_runner runner;
    auto found = complete(
        loop, ask_fence_agents(loop.get_executor(), runner, outcome.value, patience_of_person));
    add_findings(outcome, std::move(found), for_whom::person);
}

int check_config(const std::string& path) {
    config_outcome outcome = load(path);
    check_web(outcome);
    check_fence_agents(outcome);
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
