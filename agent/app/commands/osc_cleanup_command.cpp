// `primacy osc cleanup`: what schema changes left of a table, and its removal. Works without an
// agent.
#include "agent/app/commands/complete.hpp"
#include "agent/app/commands/osc_commands.hpp"
#include "agent/app/osc/cleanup_report.hpp"
#include "agent/app/osc/cleanup_request.hpp"
#include "agent/app/report/json_parts.hpp"
#include "agent/app/report/table.hpp"
#include "agent/rt/sql/network.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <thread>
#include <unistd.h>

namespace primacy::app {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr int looks_for_replicas = 60;  // to carry out what was dropped on the writer
constexpr auto between_looks = 500ms;

struct cleanup_options {
    std::string what;  // DATABASE.TABLE, or a job
    std::string topology;
    cleanup_request asked;
    bool dry_run = false;
    bool yes = false;
    bool as_json = false;
};

const topology_config* topology_named(const config& settings, const std::string& name) {
    for (const auto& each : settings.topologies)
        if (each.name == name) return &each;
    return nullptr;
}

// By a job's id, or as it is written; a sentence when neither is possible.
std::string find_table(const config& settings, const json::object& jobs, cleanup_options& chosen) {
    for (const auto& each : jobs.at("jobs").as_array()) {
        const json::object& job = each.as_object();
        if (json_parts::text_of(job, "id") != chosen.what) continue;
        const json::object& spec = json_parts::object_of(job, "spec");
        chosen.asked.table = {json_parts::text_of(spec, "database"),
                              json_parts::text_of(spec, "table")};
        chosen.topology = json_parts::text_of(spec, "topology");
        return topology_named(settings, chosen.topology)
                   ? ""
                   : chosen.topology + " is not configured any more";
    }
    auto parsed = osc::parse_table_name(chosen.what);
    if (!parsed.name) return "\"" + chosen.what + "\" is no job, and " + parsed.problem;
    chosen.asked.table = *parsed.name;
    if (chosen.topology.empty() && settings.topologies.size() == 1)
        chosen.topology = settings.topologies.front().name;
    if (chosen.topology.empty()) return "say which topology with --topology";
    return topology_named(settings, chosen.topology) ? ""
                                                     : "there is no topology " + chosen.topology;
}

// Everything is looked at anew: jobs, the writer, the servers.
rt::result<cleanup_view> look(const config& settings, const cleanup_options& chosen) {
    auto jobs = all_jobs(settings);
    if (!jobs) return jobs.error();
    auto who = look_for_writer(settings, chosen.topology);
    if (!who) return who.error();
    cleanup_request asked = chosen.asked;
    asked.jobs = traces_in(*jobs, chosen.topology, asked.table);
    boost::asio::io_context loop{1};
    rt::sql::network network(loop.get_executor());
    rt::system_process_runner runner;
    return complete(loop, look_for_leftovers({loop.get_executor(), &network, &runner, {}}, settings,
                                             *topology_named(settings, chosen.topology),
                                             std::move(asked), std::move(*who)));
}

std::vector<std::string> statements_of(const cleanup_view& found) {
    std::vector<std::string> made;
    for (const auto& line : found.lines)
        if (line.drop) made.push_back(line.what.what.server + " " + line.through + line.statement);
    return made;
}

bool all_done(const std::vector<osc::drop_outcome>& done) {
    return std::all_of(done.begin(), done.end(),
                       [](const osc::drop_outcome& each) { return each.problem.empty(); });
}

// Replicas carry it out a moment later; what is left is what a new look shows.
rt::result<cleanup_view> look_until_gone(const config& settings, const cleanup_options& chosen,
                                         const std::vector<osc::drop_outcome>& done) {
    for (int looks = 1;; ++looks) {
        auto found = look(settings, chosen);
        if (!found || looks == looks_for_replicas) return found;
        const bool waits =
            std::any_of(found->lines.begin(), found->lines.end(), [&](const auto& line) {
                return std::any_of(done.begin(), done.end(), [&](const auto& each) {
                    return each.problem.empty() && each.statement == line.statement;
                });
            });
        if (!waits) return found;
        std::this_thread::sleep_for(between_looks);
    }
}

// What a policy keeps is where it belongs; everything else should not be there any more.
bool is_clean(const std::vector<osc::cleanup_line>& left) {
    return std::all_of(left.begin(), left.end(), [](const osc::cleanup_line& each) {
        return each.what.kind == osc::leftover_kind::old_data && !each.drop;
    });
}

// So that its jobs and metrics do not go on telling of what is gone. Without an agent nobody does.
void tell_agent(const config& settings, const cleanup_options& chosen) {
    std::ignore = give_job_order(settings, {{"verb", "look_again"},
                                            {"topology", chosen.topology},
                                            {"database", chosen.asked.table.database},
                                            {"table", chosen.asked.table.table}});
}

int drop(const config& settings, const cleanup_options& chosen, cleanup_told told) {
    boost::asio::io_context loop{1};
    rt::sql::network network(loop.get_executor());
    rt::system_process_runner runner;
    told.done = complete(loop, carry_out({loop.get_executor(), &network, &runner, {}},
                                         *topology_named(settings, chosen.topology), told.found));
    auto after = look_until_gone(settings, chosen, told.done);
    tell_agent(settings, chosen);
    told.left = after ? after->lines : told.found.lines;
    if (chosen.as_json)
        std::cout << json::serialize(to_json(told)) << "\n";
    else
        std::cout << drops_report(told);
    if (!after) return fail("what is left is not known: " + after.error().message, exit_failed);
    return all_done(told.done) && after->certain() && is_clean(told.left) ? exit_fine : exit_failed;
}

// A person says so, and what was shown is still true then.
int ask_and_drop(const config& settings, const cleanup_options& chosen, cleanup_told told) {
    if (!chosen.yes) {
        if (!::isatty(STDIN_FILENO))
            return fail("there is no terminal to ask on; give --yes if it is meant", exit_usage);
        std::cerr << "Type yes to drop it: " << std::flush;
        std::string said;
        if (!std::getline(std::cin, said) || said != "yes")
            return fail("nothing was done", exit_failed);
    }
    auto again = look(settings, chosen);
    if (!again) return fail(again.error().message, exit_failed);
    if (statements_of(*again) != statements_of(told.found))
        return fail("something has changed meanwhile; look again with --dry-run", exit_failed);
    told.found = std::move(*again);
    return drop(settings, chosen, std::move(told));
}

int cleanup(const std::string& config_path, cleanup_options chosen) {
    auto settings = load_for_command(config_path);
    if (!settings) return exit_usage;
    auto jobs = all_jobs(*settings);
    if (!jobs) return fail(jobs.error().message, exit_failed);
    std::string wrong = find_table(*settings, *jobs, chosen);
    if (wrong.empty()) wrong = osc::unusable_because(chosen.asked.table);
    if (!wrong.empty()) return fail(wrong, exit_usage);
    auto found = look(*settings, chosen);
    if (!found) return fail(found.error().message, exit_failed);
    cleanup_told told{chosen.topology, chosen.asked.table, std::move(*found), {}, {}};
    told.left = told.found.lines;
    const bool nothing = statements_of(told.found).empty();
    const bool only_shown = chosen.dry_run || nothing;
    if (chosen.as_json && only_shown)
        std::cout << json::serialize(to_json(told)) << "\n";
    else if (!chosen.as_json)
        std::cout << cleanup_report(told) << std::flush;
    if (!only_shown) return ask_and_drop(*settings, chosen, std::move(told));
    const bool fine = told.found.certain() && (chosen.dry_run || is_clean(told.left));
    return fine ? exit_fine : exit_failed;
}

}  // namespace

void add_osc_cleanup_command(CLI::App& osc, command_line& line) {
    auto chosen = std::make_shared<cleanup_options>();
    auto* command = osc.add_subcommand(
        "cleanup", "drops what schema changes left of a table, on every server, in a safe order");
    command->add_option("TABLE", chosen->what, "DATABASE.TABLE, or a job's id")->required();
    command->add_option("--topology", chosen->topology, "needed when there are several");
    command->add_flag("--dry-run", chosen->dry_run, "shows what it would do, and why");
    command->add_flag("--yes", chosen->yes, "without asking");
    command->add_flag("--drop-old", chosen->asked.drop_old,
                      "also the original rows of earlier changes, after [osc] keep_old");
    command
        ->add_option("--also", chosen->asked.also,
                     "a table to be dropped although nothing shows whose it is; may be repeated")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command
        ->add_option("--allow", chosen->asked.allow,
                     "server_unknown: although a server cannot be read; tool_unseen: the tool that "
                     "no job started has ended; may be repeated")
        ->check(CLI::IsMember({"server_unknown", "tool_unseen"}))
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_flag("--json", chosen->as_json, "for programs");
    command->callback([&line, chosen] {
        line.chosen = [&line, chosen] { return cleanup(line.config_path, *chosen); };
    });
}

}  // namespace primacy::app
