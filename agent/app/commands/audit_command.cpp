#include "agent/app/commands/commands.hpp"
#include "agent/app/config/duration.hpp"
#include "agent/app/guard/fence_journal.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/app/report/table.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace primacy::app {

namespace {

struct audit_options {
    std::string since;
    std::string topology;
    bool as_json = false;
};

std::string what_happened(const fence_entry& entry) {
    std::string text(to_string(entry.kind));
    if (!entry.rung.empty()) text += " " + entry.rung;
    if (!entry.result.empty()) text += ": " + entry.result;
    if (entry.verification) text += " (looked at again)";
    if (entry.until) text += " until " + utc_text(*entry.until);
    return text;
}

void print_text(const std::vector<fence_entry>& entries) {
    table made;
    made.indent = "";
    made.rows.push_back({"TIME", "TOPOLOGY", "SERVER", "BY", "WHAT", "WHY"});
    for (const auto& entry : entries) {
        made.rows.push_back({utc_text(entry.at), entry.topology,
                             entry.server.empty() ? "-" : entry.server, entry.by,
                             what_happened(entry), printable(entry.reason)});
        for (const auto& [name, value] : entry.facts)
            made.rows.push_back({"", "", "", "", "  " + name, printable(value)});
    }
    std::cout << made.text();
}

int audit(const std::string& path, const audit_options& chosen) {
    auto settings = load_for_command(path);
    if (!settings) return exit_usage;
    auto oldest = checks::wall_time::min();
    if (!chosen.since.empty()) {
        auto length = parse_duration(chosen.since);
        if (!length) {
            std::cerr << "primacy: \"" << chosen.since << "\" is no duration; write 30m or 2h\n";
            return exit_usage;
        }
        oldest = report_now().wall - *length;
    }
    auto history = read_history(settings->agent.state_dir + "/journal");
    if (!history) {
        std::cerr << "primacy: " << history.error().message << "\n";
        return exit_failed;
    }
    std::vector<fence_entry> shown;
    for (auto& entry : history->entries)
        if (entry.at >= oldest && (chosen.topology.empty() || entry.topology == chosen.topology))
            shown.push_back(std::move(entry));
    if (chosen.as_json) {
        for (const auto& entry : shown)
            std::cout << to_json(entry) << "\n";
    } else if (shown.empty()) {
        std::cout << "nothing is noted\n";
    } else {
        print_text(shown);
    }
    if (history->trouble.empty()) return exit_fine;
    std::cerr << "primacy: " << printable(history->trouble) << "\n";
    return exit_failed;
}

}  // namespace

void add_audit_command(CLI::App& app, command_line& line) {
    auto chosen = std::make_shared<audit_options>();
    auto* command = app.add_subcommand("audit", "the journal of fences, readable");
    command->add_option("--since", chosen->since, "only the last 2h, 30m …");
    command->add_option("--topology", chosen->topology, "only this one");
    command->add_flag("--json", chosen->as_json, "one JSON object a line");
    command->callback([&line, chosen] {
        line.chosen = [&line, chosen] { return audit(line.config_path, *chosen); };
    });
}

}  // namespace primacy::app
