#include "agent/fence_host/settings.hpp"

#include "agent/rt/file.hpp"

#include <fmt/format.h>

#include <string_view>

#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

namespace primacy::fence_host {

namespace {

constexpr std::size_t largest_file = 64 * 1024;

rt::error complaint(const std::string& path, std::string_view what) {
    return {rt::errc::config, 0, fmt::format("{}: {}", path, what)};
}

bool is_word(std::string_view text, std::string_view also) {
    if (text.empty() || text.front() == '-') return false;
    for (char c : text) {
        const bool alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alphanumeric && also.find(c) == also.npos) return false;
    }
    return true;
}

// Empty when the key can be taken; else why not.
std::string take(settings& into, std::string_view key, const toml::node& value) {
    if (key == "stop_seconds") {
        const auto seconds = value.value_exact<std::int64_t>();
        if (!seconds || *seconds < 1 || *seconds > 300)
            return "stop_seconds must be an integer from 1 to 300";
        into.stop_time = std::chrono::seconds(*seconds);
        return {};
    }
    std::string* target = key == "server"     ? &into.server
                          : key == "pid_file" ? &into.pid_file
                          : key == "unit"     ? &into.unit
                                              : nullptr;
    if (!target) {
        return fmt::format(
            "there is no key \"{}\"; there are server, pid_file, unit and "
            "stop_seconds",
            key);
    }
    const auto text = value.value_exact<std::string>();
    if (!text) return fmt::format("{} must be a text", key);
    *target = *text;
    return {};
}

std::string problem_of(const settings& read) {
    if (!is_word(read.server, "._-"))
        return "server must be the server's name in primacy's configuration";
    if (read.pid_file.empty() == read.unit.empty())
        return "write either pid_file or unit, so that it is known what to stop";
    if (!read.pid_file.empty() && read.pid_file.front() != '/')
        return "pid_file must be an absolute path";
    if (!read.unit.empty() && !is_word(read.unit, "._-@:\\"))
        return "unit must be the name of a systemd unit, such as mariadb.service";
    return {};
}

}  // namespace

rt::result<settings> load_settings(const std::string& path) {
    const auto text = rt::read_file(path, largest_file);
    if (!text) return rt::error{rt::errc::config, text.error().native, text.error().message};
    settings read;
    try {
        const toml::table parsed = toml::parse(std::string_view(*text));
        for (const auto& [key, value] : parsed) {
            const std::string problem = take(read, key.str(), value);
            if (!problem.empty()) return complaint(path, problem);
        }
    } catch (const toml::parse_error& failure) {
        const auto& at = failure.source().begin;
        return complaint(
            path, fmt::format("line {}, column {}: {}", at.line, at.column, failure.description()));
    }
    const std::string problem = problem_of(read);
    if (!problem.empty()) return complaint(path, problem);
    return read;
}

}  // namespace primacy::fence_host
