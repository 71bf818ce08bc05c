// `primacy osc plan` and `osc run`: from what a person asks to a plan, and to a job.
#include "agent/app/commands/osc_commands.hpp"

#include "agent/app/commands/complete.hpp"
#include "agent/app/commands/passing_agent.hpp"
#include "agent/app/commands/question.hpp"
#include "agent/app/osc/job_json.hpp"
#include "agent/app/osc/job_request.hpp"
#include "agent/app/osc/plan_report.hpp"
#include "agent/app/osc/plan_request.hpp"
#include "agent/app/report/json_parts.hpp"
#include "agent/app/report/table.hpp"
#include "agent/rt/sql/network.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace primacy::app {

namespace json = boost::json;

namespace {

// What `osc plan` and `osc run` have in common: the job, from a file and from flags.
struct job_options {
    std::string file;
    job_flags flags;
    bool as_json = false;

    job_request read(const config& settings) const {
        return file.empty() ? read_job_request(settings, flags)
                            : load_job_request(settings, flags, file);
    }
};

void add_job_options(CLI::App& command, const std::shared_ptr<job_options>& chosen) {
    auto take = [&](const std::string& flag, const char* key, const char* help) {
        command.add_option_function<std::string>(
            flag,
            [chosen, key = std::string(key)](const std::string& word) {
                chosen->flags[key].push_back(word);
            },
            help);
    };
    take("DATABASE.TABLE", "table", "the table; a part that is not plain in backquotes");
    take("--alter", "alter", "what to change, as \"ADD COLUMN note TEXT\"");
    take("--topology", "topology", "needed when there are several");
    take("--tool", "tool", "auto, native, gh-ost or pt-osc");
    command
        .add_option_function<std::vector<std::string>>(
            "--allow",
            [chosen](const std::vector<std::string>& words) { chosen->flags["allow"] = words; },
            "a refusal to go against, by its code; may be repeated")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command
        .add_option_function<std::vector<std::string>>(
            "--max-load",
            [chosen](const std::vector<std::string>& words) { chosen->flags["max_load"] = words; },
            "pause above it, as Threads_running=25; may be repeated")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    take("--max-lag", "max_lag", "pause above this lag of a replica, as 1500ms");
    take("--window", "window", "swap between these times of day only, UTC, as 02:00-04:00");
    take("--cut-over", "cut_over", "auto, or manual: wait for `osc cut-over`");
    take("--chunk-rows", "chunk_rows", "rows of one step of the copy");
    take("--lock-wait", "lock_wait", "how long one attempt may wait for its locks, as 3s");
    take("--attempts", "attempts", "to swap, or to get the locks of a native ALTER");
    take("--test-on-replica", "test_on_replica", "gh-ost tries it on this server");
    command.add_flag_function(
        "--dry-run-tool", [chosen](std::int64_t) { chosen->flags["dry_run_tool"]; },
        "the tool's own dry run");
    command.add_option("--job-file", chosen->file, "a TOML file with [job]; flags win over it");
    command.add_flag("--json", chosen->as_json, "for programs");
}

int complain(const std::vector<std::string>& complaints) {
    for (const auto& each : complaints)
        std::cerr << printable(each) << "\n";
    return exit_usage;
}

const topology_config& topology_of(const config& settings, const osc::job_spec& spec) {
    return *std::find_if(settings.topologies.begin(), settings.topologies.end(),
                         [&](const auto& each) { return each.name == spec.topology; });
}

int plan(const std::string& config_path, const job_options& chosen) {
    auto settings = load_for_command(config_path);
    if (!settings) return exit_usage;
    const job_request request = chosen.read(*settings);
    if (!request.ok()) return complain(request.complaints);
    auto who = look_for_writer(*settings, request.spec.topology);
    if (!who) {
        std::cerr << "primacy: " << printable(who.error().message) << "\n";
        return who.error().code == rt::errc::usage ? exit_usage : exit_failed;
    }
    boost::asio::io_context loop{1};
    rt::sql::network network(loop.get_executor());
    rt::system_process_runner runner;
    const auto patience = patience_for_plan(topology_of(*settings, request.spec));
    const osc::facts known =
        complete(loop, gather_facts({loop.get_executor(), &network, &runner, {}}, *settings,
                                    request.spec, *who, rt::deadline::after(patience)));
    const osc::plan made = osc::plan_change(request.spec, known);
    if (chosen.as_json)
        std::cout << json::serialize(to_json(made)) << "\n";
    else
        std::cout << plan_report(made);
    return made.may_run() ? exit_fine : exit_failed;
}

struct run_options {
    std::shared_ptr<job_options> job = std::make_shared<job_options>();
    std::string reason;
    bool wait = false;
};

int run(const std::string& config_path, const run_options& chosen) {
    auto settings = load_for_command(config_path);
    if (!settings) return exit_usage;
    const job_request request = chosen.job->read(*settings);
    if (!request.ok()) return complain(request.complaints);
    const json::object order{
        {"verb", "run"}, {"spec", to_json(request.spec)}, {"reason", chosen.reason}};
    auto answered = give_job_order(*settings, order);
    passing_agent own;  // in a pipeline there is none; whoever waits can be one
    if (!answered && answered.error().code == rt::errc::refused && chosen.wait) {
        auto started = own.start(config_path, *settings);
        if (started)
            answered = give_job_order(*settings, order);
        else
            answered = started.error();
    }
    if (!answered) {
        std::cerr << "primacy: " << printable(answered.error().message) << "\n";
        return exit_failed;
    }
    const std::string sentence = json_parts::text_of(answered->text, "sentence");
    if (chosen.job->as_json) std::cout << json::serialize(answered->text) << std::endl;
    if (answered->status != 200) {
        if (!chosen.job->as_json) std::cerr << "primacy: " << sentence << "\n";
        return answered->status == 400 ? exit_usage : exit_failed;
    }
    if (!chosen.job->as_json) std::cout << sentence << std::endl;
    if (!chosen.wait) return exit_fine;
    return wait_for_job(*settings, json_parts::text_of(answered->text, "job"), chosen.job->as_json);
}

void add_run_command(CLI::App& osc, command_line& line) {
    auto chosen = std::make_shared<run_options>();
    auto* command = osc.add_subcommand(
        "run", "plans a change, and gives it to the agent as a job if nothing speaks against it");
    add_job_options(*command, chosen->job);
    command->add_option("--reason", chosen->reason, "kept with the job");
    command->add_flag("--wait", chosen->wait,
                      "until it is over: exit code 0 when the table is altered, 1 otherwise; "
                      "needs no agent");
    command->callback([&line, chosen] {
        line.chosen = [&line, chosen] { return run(line.config_path, *chosen); };
    });
}

}  // namespace

rt::result<writer_view> look_for_writer(const config& settings, const std::string& topology) {
    question asked;
    asked.topology = topology;
    auto answer = ask(settings, asked);
    if (!answer) return answer.error();
    const auto* found = answer->json.if_contains("topologies");
    if (found && found->is_array())
        for (const auto& each : found->as_array())
            if (each.is_object() && each.as_object().contains("name") &&
                each.at("name") == json::value(topology))
                return writer_in(each.as_object());
    writer_view unknown;
    unknown.unknown_because = "nobody could say who the writer of " + topology + " is";
    return unknown;
}

void add_osc_commands(CLI::App& app, command_line& line) {
    auto* osc = app.add_subcommand("osc", "schema changes: planned, watched, cut over, cleaned up");
    osc->require_subcommand(1);
    auto chosen = std::make_shared<job_options>();
    auto* command = osc->add_subcommand("plan",
                                        "what a change would do, by which tool, and what speaks "
                                        "against it; changes nothing");
    add_job_options(*command, chosen);
    command->callback([&line, chosen] {
        line.chosen = [&line, chosen] { return plan(line.config_path, *chosen); };
    });
    add_run_command(*osc, line);
    add_osc_job_commands(*osc, line);
    add_osc_cleanup_command(*osc, line);
}

}  // namespace primacy::app
