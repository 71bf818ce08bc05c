#include "agent/app/commands/commands.hpp"
#include "agent/app/commands/complete.hpp"
#include "agent/app/daemon/daemon.hpp"
#include "agent/app/guard/fence_agents.hpp"
#include "agent/rt/log.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <iostream>
#include <memory>

namespace primacy::app {

namespace {

// False: a fence agent can never work as it is configured, which is told. What is not proved keeps
// nobody from watching.
bool fence_agents_fit(const config& settings) {
    boost::asio::io_context loop{1};
    rt::system_process_runner runner;
    config_outcome outcome;
    add_findings(
        outcome,
        complete(loop, ask_fence_agents(loop.get_executor(), runner, settings, patience_of_watch)),
        for_whom::watch);
    for (const auto& problem : outcome.problems)
        std::cerr << to_text(settings.path, problem) << "\n";
    for (const auto& warning : outcome.warnings)
        rt::log(rt::log_level::warning, "agent", to_text(settings.path, warning));
    return outcome.ok();
}

int run_agent(const std::string& path, bool for_jobs) {
    auto settings = load_for_command(path);
    if (!settings) return exit_usage;
    if (auto started = rt::start_log(settings->agent.log_level, settings->agent.log_format);
        !started)
        rt::log(rt::log_level::warning, "agent", started.error().message);
    if (!fence_agents_fit(*settings)) return exit_usage;
    boost::asio::io_context loop{1};
    daemon agent(loop, std::move(*settings), !for_jobs);
    int status = exit_failed;
    auto ended = [&status](std::exception_ptr fault, rt::result<void> outcome) {
        if (fault) std::rethrow_exception(fault);
        if (outcome)
            status = exit_fine;
        else
            rt::log(rt::log_level::error, "agent", outcome.error().message);
    };
    boost::asio::co_spawn(loop, agent.run(), ended);
    loop.run();
    return status;
}

}  // namespace

void add_agent_command(CLI::App& app, command_line& line) {
    auto* command = app.add_subcommand("agent", "run the agent in the foreground");
    auto for_jobs = std::make_shared<bool>(false);
    command->add_flag("--for-jobs", *for_jobs)->group("");
    command->callback([&line, for_jobs] {
        line.chosen = [&line, for_jobs] { return run_agent(line.config_path, *for_jobs); };
    });
}

}  // namespace primacy::app
