#include "agent/app/commands/commands.hpp"
#include "agent/app/commands/question.hpp"
#include "agent/app/report/text_report.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>

namespace primacy::app {

namespace {

int explain(const std::string& path, const question& asked, bool as_json) {
    auto settings = load_for_command(path);
    if (!settings) return exit_usage;
    auto found = ask(*settings, asked);
    if (!found) {
        std::cerr << "primacy: " << found.error().message << "\n";
        return found.error().code == rt::errc::usage ? exit_usage : exit_failed;
    }
    if (!found->why_direct.empty()) std::cerr << "primacy: " << found->why_direct << "\n";
    if (as_json)
        std::cout << boost::json::serialize(found->json) << "\n";
    else
        std::cout << explain_text(found->json, colours_wanted() ? paint::colour : paint::plain);
    return exit_fine;
}

}  // namespace

void add_explain_command(CLI::App& app, command_line& line) {
    struct options {
        question asked{asked_for::explanation, "", false};
        bool as_json = false;
    };
    auto chosen = std::make_shared<options>();
    auto* command = app.add_subcommand(
        "explain", "the last observation, every finding with its evidence, and the decision");
    command->add_option("TOPOLOGY", chosen->asked.topology, "only this one");
    command->add_flag("--json", chosen->as_json, "for programs");
    command->add_flag("--direct", chosen->asked.direct, "ask the servers, not the agent");
    command->callback([&line, chosen] {
        line.chosen = [&line, chosen] {
            return explain(line.config_path, chosen->asked, chosen->as_json);
        };
    });
}

}  // namespace primacy::app
