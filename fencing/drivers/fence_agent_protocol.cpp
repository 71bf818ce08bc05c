#include "fencing/drivers/fence_agent_protocol.hpp"

#include "fencing/drivers/program.hpp"

#include <fmt/format.h>

#include <utility>

namespace primacy::fencing {

namespace {

constexpr std::string_view hidden = "***";

// The agent strips blanks from the line's end and one pair of quotes from the value; where that
// would take away some of ours, another pair goes around it.
std::string line_of(std::string_view key, std::string_view value) {
    const bool quoted = value.size() > 1 && value.front() == '"' && value.back() == '"';
    const bool blank = trimmed(value).size() != value.size();
    return quoted || blank ? fmt::format("{}=\"{}\"\n", key, value)
                           : fmt::format("{}={}\n", key, value);
}

}  // namespace

bool fits_a_line(std::string_view text) {
    return text.find_first_of(std::string_view("\n\r\0", 3)) == text.npos;
}

std::string agent_input(const std::map<std::string, std::string>& options,
                        std::string_view password, std::string_view action) {
    std::string input;
    for (const auto& [name, value] : options)
        input += line_of(name, value);
    if (!password.empty()) input += line_of("password", password);
    return input + line_of("action", action);
}

rt::command agent_command(const std::string& agent, std::string input) {
    rt::command what;
    what.argv = {agent.find('/') == agent.npos ? "/usr/sbin/" + agent : agent};
    what.environment = {{"LC_ALL", "C"}};
    what.inherited = {"PATH"};
    what.standard_input = std::move(input);
    return what;
}

std::string without_password(std::string text, std::string_view password) {
    if (password.empty()) return text;
    for (std::size_t at = text.find(password); at != text.npos;
         at = text.find(password, at + hidden.size()))
        text.replace(at, password.size(), hidden);
    return text;
}

}  // namespace primacy::fencing
