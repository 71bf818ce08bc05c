#include "agent/app/guard/fence_agents.hpp"

#include "agent/rt/task_group.hpp"
#include "fencing/drivers/fence_agent_check.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace primacy::app {

namespace asio = boost::asio;

namespace {

// A program that does not end when it is told to is killed within this.
constexpr std::chrono::seconds patience_with_end{3};

fencing::fence_agent_options options_of(const fence_agent_method& how) {
    fencing::fence_agent_options options;
    options.agent = how.agent;
    options.options = how.options;
    options.password = how.password;
    return options;
}

config_problem problem_of(const std::string& method, const agent_places& places,
                          const fencing::agent_complaint& complaint) {
    const auto option = places.options.find(complaint.option);
    const bool of_option = option != places.options.end();
    const file_position at = of_option ? option->second : places.agent;
    return {at.line, at.column,
            "method." + method + (of_option ? ".options: " : ".agent: ") + complaint.sentence};
}

asio::awaitable<void> ask_one(rt::process_runner& runner, std::string method,
                              fencing::fence_agent_options options, agent_places places,
                              rt::deadline until, std::shared_ptr<agent_findings> into) {
    const auto complaints = co_await fencing::check_fence_agent(runner, std::move(options), until);
    for (const auto& complaint : complaints) {
        auto& list = complaint.fault == fencing::agent_fault::wrong_options ? into->wrong
                     : complaint.fault == fencing::agent_fault::unusable    ? into->unusable
                                                                            : into->silent;
        list.push_back(problem_of(method, places, complaint));
    }
}

void in_order_of_file(std::vector<config_problem>& problems) {
    std::stable_sort(problems.begin(), problems.end(), [](const auto& one, const auto& other) {
        return std::pair(one.line, one.column) < std::pair(other.line, other.column);
    });
}

}  // namespace

asio::awaitable<agent_findings> ask_fence_agents(asio::any_io_executor executor,
                                                 rt::process_runner& runner, const config& settings,
                                                 std::chrono::milliseconds patience) {
    auto found = std::make_shared<agent_findings>();
    rt::task_group asking(executor);
    const rt::deadline until = rt::deadline::after(patience);
    for (const auto& method : settings.methods) {
        const auto* how = std::get_if<fence_agent_method>(&method.how);
        const auto places = settings.fence_agents.find(method.name);
        if (!how || places == settings.fence_agents.end()) continue;
        asking.spawn(method.name,
                     ask_one(runner, method.name, options_of(*how), places->second, until, found));
    }
    // Each ends by its deadline and the grace of its program.
    std::ignore = co_await asking.join(rt::deadline{until.at + patience_with_end});
    for (auto* list : {&found->wrong, &found->unusable, &found->silent})
        in_order_of_file(*list);
    co_return std::move(*found);
}

void add_findings(config_outcome& into, agent_findings found, for_whom who) {
    const auto append = [](std::vector<config_problem>& to, std::vector<config_problem>& from) {
        std::move(from.begin(), from.end(), std::back_inserter(to));
    };
    append(into.problems, found.wrong);
    append(who == for_whom::person ? into.problems : into.warnings, found.unusable);
    append(into.warnings, found.silent);
}

}  // namespace primacy::app
