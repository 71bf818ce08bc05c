// `primacy osc list|show|pause|resume|cut-over|abort|logs`: what jobs there are, and what a person
// asks of them.
#include "agent/app/commands/complete.hpp"
#include "agent/app/commands/osc_commands.hpp"
#include "agent/app/http/client.hpp"
#include "agent/app/osc/job_json.hpp"
#include "agent/app/osc/job_store.hpp"
#include "agent/app/osc/job_text.hpp"
#include "agent/app/osc/job_wish.hpp"
#include "agent/app/report/json_parts.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <iostream>
#include <thread>
#include <unistd.h>

namespace primacy::app {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto patience_with_agent = 5s;
constexpr int patience_with_silence = 240;  // looks: an agent that is restarted is waited for

struct job_choice {
    std::string id;
    std::string reason;
    bool all = false;
    bool as_json = false;
    bool errors = false;
};

// From the files: they are there without an agent, too.
json::object jobs_on_disk(const config& settings) {
    stored_jobs stored = job_store(settings.agent.state_dir + "/osc").load();
    for (const auto& trouble : stored.troubles)
        std::cerr << "primacy: " << trouble << "\n";
    json::array jobs;
    for (const auto& job : stored.jobs)
        jobs.push_back(shown_json(job));
    return {{"jobs", jobs}};
}

const json::object* find_job(const json::object& jobs, const std::string& id) {
    for (const auto& each : jobs.at("jobs").as_array())
        if (json_parts::text_of(each.as_object(), "id") == id) return &each.as_object();
    return nullptr;
}

int list(const config& settings, const job_choice& chosen) {
    auto jobs = all_jobs(settings);
    if (!jobs) return fail(jobs.error().message, exit_failed);
    if (chosen.as_json)
        std::cout << json::serialize(*jobs) << "\n";
    else
        std::cout << job_list_text(*jobs, chosen.all);
    return exit_fine;
}

int show(const config& settings, const job_choice& chosen) {
    auto jobs = all_jobs(settings);
    if (!jobs) return fail(jobs.error().message, exit_failed);
    const json::object* job = find_job(*jobs, chosen.id);
    if (!job) return fail("there is no job " + chosen.id + "; see osc list --all", exit_usage);
    if (chosen.as_json)
        std::cout << json::serialize(*job) << "\n";
    else
        std::cout << job_text(*job);
    return exit_fine;
}

int logs(const config& settings, const job_choice& chosen) {
    auto jobs = all_jobs(settings);
    if (!jobs) return fail(jobs.error().message, exit_failed);
    if (!find_job(*jobs, chosen.id))
        return fail("there is no job " + chosen.id + "; see osc list --all", exit_usage);
    const std::string path =
        settings.osc.log_dir + "/" + chosen.id + (chosen.errors ? "/errors.log" : "/output.log");
    std::ifstream file(path);
    if (!file) return fail("there is nothing at " + path + " yet", exit_failed);
    if (file.peek() != std::ifstream::traits_type::eof()) std::cout << file.rdbuf();
    return exit_fine;
}

int order(const config& settings, const job_choice& chosen, job_wish wish) {
    json::object text{{"verb", to_string(wish)}, {"job", chosen.id}, {"reason", chosen.reason}};
    auto answered = give_job_order(settings, text);
    if (!answered) return fail(answered.error().message, exit_failed);
    if (chosen.as_json) std::cout << json::serialize(answered->text) << "\n";
    const std::string sentence = json_parts::text_of(answered->text, "sentence");
    if (answered->status != 200) return chosen.as_json ? exit_failed : fail(sentence, exit_failed);
    if (!chosen.as_json) std::cout << sentence << "\n";
    return exit_fine;
}

using job_action_of = int (*)(const config&, const job_choice&);

CLI::App* add(CLI::App& osc, command_line& line, const std::shared_ptr<job_choice>& chosen,
              const char* name, const char* help, job_action_of act, bool with_id) {
    auto* command = osc.add_subcommand(name, help);
    if (with_id) command->add_option("JOB", chosen->id, "its id")->required();
    command->callback([&line, chosen, act] {
        line.chosen = [&line, chosen, act] {
            auto settings = load_for_command(line.config_path);
            return settings ? act(*settings, *chosen) : int{exit_usage};
        };
    });
    return command;
}

template <job_wish Wish>
int order_of(const config& settings, const job_choice& chosen) {
    return order(settings, chosen, Wish);
}

void add_wish(CLI::App& osc, command_line& line, const char* name, const char* help,
              job_action_of act) {
    auto chosen = std::make_shared<job_choice>();
    auto* command = add(osc, line, chosen, name, help, act, true);
    command->add_option("--reason", chosen->reason, "kept with the job");
    command->add_flag("--json", chosen->as_json, "for programs");
}

}  // namespace

rt::result<job_answer> give_job_order(const config& settings, const json::object& order) {
    boost::asio::io_context loop{1};
    // A new job is planned before the answer, and a plan asks every server.
    auto got = complete(loop, http::post_unix(settings.agent.control, "/api/v1/osc",
                                              json::serialize(order), rt::deadline::after(60s)));
    if (!got) {
        if (got.error().code == rt::errc::refused)
            return rt::error{rt::errc::refused, 0,
                             "no agent answers at " + settings.agent.control +
                                 "; start it (`osc run --wait` does without)"};
        return got.error();
    }
    boost::system::error_code failed;
    json::value parsed = json::parse(got->body ? *got->body : std::string(), failed);
    if (failed || !parsed.is_object())
        return rt::error{rt::errc::protocol, 0,
                         "the agent answered with HTTP status " + std::to_string(got->status)};
    return job_answer{got->status, std::move(parsed.as_object())};
}

rt::result<json::object> all_jobs(const config& settings) {
    boost::asio::io_context loop{1};
    auto got = complete(loop, http::get_unix(settings.agent.control, "/api/v1/osc",
                                             rt::deadline::after(patience_with_agent)));
    if (!got) {
        if (got.error().code != rt::errc::refused) return got.error();
        std::cerr << "primacy: no agent answers at " << settings.agent.control
                  << "; this is what its files say\n";
        return jobs_on_disk(settings);
    }
    boost::system::error_code failed;
    json::value parsed = json::parse(got->body ? *got->body : std::string(), failed);
    if (failed || !parsed.is_object() || !parsed.as_object().contains("jobs"))
        return rt::error{rt::errc::protocol, 0, "the agent's answer is not understood"};
    return std::move(parsed.as_object());
}

int wait_for_job(const config& settings, const std::string& id, bool as_json) {
    const bool terminal = ::isatty(STDOUT_FILENO) != 0 && !as_json;
    std::string shown;
    for (int silent = 0; silent < patience_with_silence;) {
        auto jobs = all_jobs(settings);
        const json::object* job = jobs ? find_job(*jobs, id) : nullptr;
        silent = job ? 0 : silent + 1;
        if (job) {
            // In a pipe the figures alone are no reason for a line.
            const std::string state =
                json_parts::text_of(*job, "state") + json_parts::text_of(*job, "sentence");
            const std::string line = progress_line(*job, terminal);
            if (terminal) std::cout << "\r\x1b[K" << line << std::flush;
            if (!terminal && !as_json && state != shown) std::cout << line << std::endl;
            shown = state;
            if (json_parts::flag_of(*job, "over")) {
                if (terminal) std::cout << "\n";
                if (as_json) std::cout << json::serialize(*job) << "\n";
                return json_parts::text_of(*job, "state") == "completed" ? exit_fine : exit_failed;
            }
        }
        std::this_thread::sleep_for(500ms);
    }
    return fail("nobody knows how " + id + " goes; see osc show " + id, exit_failed);
}

void add_osc_job_commands(CLI::App& osc, command_line& line) {
    auto listed = std::make_shared<job_choice>();
    auto* list_command = add(osc, line, listed, "list", "jobs under way", list, false);
    list_command->add_flag("--all", listed->all, "also those that are over");
    list_command->add_flag("--json", listed->as_json, "for programs");
    auto shown = std::make_shared<job_choice>();
    add(osc, line, shown, "show", "everything about one job", show, true)
        ->add_flag("--json", shown->as_json, "for programs");
    auto logged = std::make_shared<job_choice>();
    add(osc, line, logged, "logs", "what its tool printed", logs, true)
        ->add_flag("--errors", logged->errors, "on its standard error");
    add_wish(osc, line, "pause", "holds the copy", order_of<job_wish::pause>);
    add_wish(osc, line, "resume", "lets it go on", order_of<job_wish::resume>);
    add_wish(osc, line, "cut-over", "swaps the tables as soon as they are ready, in any window",
             order_of<job_wish::cut_over>);
    add_wish(osc, line, "abort", "ends the job; its table stays as it is",
             order_of<job_wish::abort>);
}

}  // namespace primacy::app
