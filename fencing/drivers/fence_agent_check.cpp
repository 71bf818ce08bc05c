#include "fencing/drivers/fence_agent_check.hpp"

#include "fencing/drivers/fence_agent_protocol.hpp"
#include "fencing/drivers/program.hpp"

#include <fmt/format.h>

#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

using complaints = std::vector<agent_complaint>;

complaints only(agent_fault fault, std::string sentence) {
    complaints made;
    made.push_back({fault, "", std::move(sentence)});
    return made;
}

// What follows "ERROR: " in the first line that has it; the others repeat it in general words.
std::string own_words(const std::string& errors) {
    constexpr std::string_view mark = "ERROR: ";
    for (std::string_view line : lines_of(errors))
        if (const std::size_t at = line.find(mark); at != line.npos)
            return last_line(line.substr(at + mark.size()));
    return last_line(errors);
}

complaints of_validation(const program_end& end, const std::string& agent) {
    if (end.exited_with(0)) return {};
    if (end.failure == rung_failure::timeout || end.failure == rung_failure::cancelled)
        return only(agent_fault::silent,
                    fmt::format("{} did not say in time whether it takes these options", agent));
    return only(agent_fault::unusable,
                fmt::format("{} does not take these options{}", agent, own_words(end.errors)));
}

}  // namespace

asio::awaitable<complaints> check_fence_agent(rt::process_runner& runner,
                                              fence_agent_options options, rt::deadline until) {
    auto metadata = co_await read_metadata(runner, options.agent, until);
    if (!metadata) {
        const auto code = metadata.error().code;
        const bool silent = code == rt::errc::timeout || code == rt::errc::cancelled;
        std::string why = metadata.error().message;
        if (code == rt::errc::config) why += "; install it, or write its absolute path";
        co_return only(silent ? agent_fault::silent : agent_fault::unusable, std::move(why));
    }
    complaints found;
    const bool has_password = !options.password.empty();
    for (auto& problem : metadata_problems(*metadata, options.options, has_password))
        found.push_back(
            {agent_fault::wrong_options, std::move(problem.option), std::move(problem.sentence)});
    if (!found.empty() || !metadata->can("validate-all")) co_return found;
    auto what = agent_command(options.agent,
                              agent_input(options.options, options.password, "validate-all"));
    auto end = co_await run_program(runner, std::move(what), until);
    end.errors = without_password(std::move(end.errors), options.password);
    co_return of_validation(end, metadata->name);
}

}  // namespace primacy::fencing
