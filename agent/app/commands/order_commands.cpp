// What a person asks for: pin, maintenance, confirm-fenced, unfence, fence, resolve. The agent does
// it; where none runs, this command does.
#include "agent/app/commands/commands.hpp"
#include "agent/app/commands/complete.hpp"
#include "agent/app/commands/lone_order.hpp"
#include "agent/app/config/duration.hpp"
#include "agent/app/guard/person_order.hpp"
#include "agent/app/http/client.hpp"
#include "agent/app/report/table.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <unistd.h>

namespace primacy::app {

using namespace std::chrono_literals;

namespace {

// A ladder may take as long as its deadline; the agent answers when it has ended.
constexpr auto longest_order = 10min;

struct order_options {
    person_order order;
    std::string length;  // as written
    bool yes = false;
    bool as_json = false;
    bool none = false;  // pin --none
};

constexpr auto patience_with_answer = 5s;

// Why the order cannot be given; empty: the topology is found and filled in.
std::string choose_topology(const config& settings, person_order& order) {
    std::string names;
    for (const auto& topology : settings.topologies) {
        names += (names.empty() ? "" : ", ") + topology.name;
        if (topology.name == order.topology) return "";
    }
    if (!order.topology.empty())
        return "there is no topology " + order.topology + "; there is " + names;
    if (settings.topologies.size() != 1) return "say which topology with --topology: " + names;
    order.topology = settings.topologies.front().name;
    return "";
}

std::string unknown_server(const config& settings, const person_order& order) {
    if (order.server.empty()) return "";
    std::string names;
    for (const auto& topology : settings.topologies) {
        if (topology.name != order.topology) continue;
        for (const auto& server : topology.servers) {
            if (server.name == order.server) return "";
            names += (names.empty() ? "" : ", ") + server.name;
        }
    }
    return "there is no server " + order.server + " in " + order.topology + "; there is " + names;
}

// What changes servers, or says that one is stopped, is asked for twice.
bool needs_a_yes(const order_options& chosen) {
    auto verb = chosen.order.verb;
    return !chosen.yes && !chosen.order.dry_run &&
           (verb == person_verb::fence || verb == person_verb::unfence ||
            verb == person_verb::resolve || verb == person_verb::confirm_fenced);
}

bool says_yes(const person_order& order) {
    std::cerr << to_string(order.verb) << " " << order.server << " of " << order.topology
              << ". Type yes to go on: " << std::flush;
    std::string said;
    return std::getline(std::cin, said) && said == "yes";
}

// By the agent, or without one. An agent that hangs is neither: it has the journal.
order_answer give(const config& settings, const person_order& order) {
    const std::string& control = settings.agent.control;
    boost::asio::io_context loop{1};
    auto alive = complete(
        loop, http::get_unix(control, "/healthz", rt::deadline::after(patience_with_answer)));
    if (!alive && alive.error().code == rt::errc::refused) return carry_out_alone(settings, order);
    if (!alive && (alive.error().code == rt::errc::timeout ||
                   alive.error().code == rt::errc::too_many_connections))
        return answer_refused(alive.error().message +
                              "; end that agent (kill -9), then this command does it without one");
    if (!alive) return answer_refused(alive.error().message);
    loop.restart();
    auto got = complete(loop, http::post_unix(control, "/api/v1/order", to_json(order),
                                              rt::deadline::after(longest_order)));
    if (!got)
        return answer_failed(got.error().message +
                             "; it may have been done all the same: see `primacy audit`");
    auto answered = parse_answer(got->body ? *got->body : std::string());
    if (!answered)
        return answer_failed("the agent answered with HTTP status " + std::to_string(got->status));
    return std::move(*answered);
}

int print(const order_answer& answered, bool as_json) {
    if (as_json) std::cout << to_json(answered) << "\n";
    if (!answered.done()) return as_json ? exit_failed : fail(answered.sentence, exit_failed);
    if (!as_json) print_lines(std::cout, answered.sentence);
    return exit_fine;
}

// Shows what would be done, and asks. Empty: go on, and only with what was shown.
std::optional<int> ask_first(const config& settings, order_options& chosen) {
    if (!::isatty(STDIN_FILENO))
        return fail("there is no terminal to ask on; give --yes if it is meant", exit_usage);
    person_order look = chosen.order;
    look.dry_run = true;
    auto shown = give(settings, look);
    if (!shown.done()) return print(shown, chosen.as_json);
    print_lines(std::cerr, shown.sentence);
    if (!says_yes(chosen.order)) return fail("nothing was done", exit_failed);
    if (const auto* plan = shown.details.if_contains("agreement"); plan && plan->is_string())
        chosen.order.agreed = std::string(plan->as_string());
    return std::nullopt;
}

int give_as_chosen(const std::string& path, order_options chosen) {
    auto settings = load_for_command(path);
    if (!settings) return exit_usage;
    person_order& order = chosen.order;
    std::string wrong = choose_topology(*settings, order);
    if (wrong.empty()) wrong = unknown_server(*settings, order);
    if (!chosen.length.empty()) {
        auto length = parse_duration(chosen.length);
        if (!length)
            wrong = "\"" + chosen.length + "\" is no duration; write 30m or 2h";
        else
            order.length = std::chrono::duration_cast<std::chrono::seconds>(*length);
    }
    if (!wrong.empty()) return fail(wrong, exit_usage);
    auto checked = parse_order(to_json(order));
    if (!checked) return fail(checked.error().message, exit_usage);
    if (needs_a_yes(chosen))
        if (auto ended = ask_first(*settings, chosen)) return *ended;
    return print(give(*settings, order), chosen.as_json);
}

std::shared_ptr<order_options> add(CLI::App& app, command_line& line, const char* name,
                                   const char* help, person_verb verb, bool with_server) {
    auto chosen = std::make_shared<order_options>();
    chosen->order.verb = verb;
    auto* command = app.add_subcommand(name, help);
    auto* server = with_server
                       ? command->add_option("SERVER", chosen->order.server, "as configured")
                       : nullptr;
    if (server && verb != person_verb::pin) server->required();
    command->add_option("--topology", chosen->order.topology, "needed when there are several");
    command->add_option("--reason", chosen->order.reason, "kept in the journal")->required();
    command->add_flag("--dry-run", chosen->order.dry_run, "only say what would be done");
    command->add_flag("--yes", chosen->yes, "do not ask");
    command->add_flag("--json", chosen->as_json, "for programs");
    if (verb == person_verb::pin) command->add_flag("--none", chosen->none, "end the pin");
    if (verb == person_verb::maintenance_on)
        command->add_option("--for", chosen->length, "30m, 2h …")->required();
    command->callback([&line, chosen] {
        line.chosen = [&line, chosen] {
            if (chosen->none) chosen->order.verb = person_verb::unpin;
            return give_as_chosen(line.config_path, *chosen);
        };
    });
    return chosen;
}

// resolve TOPOLOGY --keep SERVER, as the contract has it.
void add_resolve(CLI::App& app, command_line& line) {
    auto chosen = std::make_shared<order_options>();
    chosen->order.verb = person_verb::resolve;
    auto* command = app.add_subcommand(
        "resolve", "keeps one server: stops all other writers, proves it, then opens the one");
    command->add_option("TOPOLOGY", chosen->order.topology, "which one")->required();
    command->add_option("--keep", chosen->order.server, "the server to keep")->required();
    command->add_option("--reason", chosen->order.reason, "kept in the journal")->required();
    command->add_flag("--dry-run", chosen->order.dry_run, "only say what would be done");
    command->add_flag("--yes", chosen->yes, "do not ask");
    command->add_flag("--json", chosen->as_json, "for programs");
    command->callback([&line, chosen] {
        line.chosen = [&line, chosen] { return give_as_chosen(line.config_path, *chosen); };
    });
}

}  // namespace

void add_order_commands(CLI::App& app, command_line& line) {
    add_resolve(app, line);
    add(app, line, "fence", "stops a server now, by the rungs of its ladder", person_verb::fence,
        true);
    add(app, line, "unfence", "gives a fenced server back and makes it writable, if it is safe",
        person_verb::unfence, true);
    add(app, line, "confirm-fenced", "says that a server which nobody can see is stopped",
        person_verb::confirm_fenced, true);
    add(app, line, "pin", "names the server to keep in a split brain", person_verb::pin, true);
    auto* maintenance =
        app.add_subcommand("maintenance", "pauses acting, with an expiry, and ends the pause");
    maintenance->require_subcommand(1);
    add(*maintenance, line, "on", "nothing is stopped for a while", person_verb::maintenance_on,
        false);
    add(*maintenance, line, "off", "the pause is over", person_verb::maintenance_off, false);
}

}  // namespace primacy::app
