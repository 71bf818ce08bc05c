// Short ways to say what a text means as a configuration, and what is wrong with it.
#pragma once

#include "agent/app/config/config.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace primacy::tests {

inline constexpr const char* config_path = "/etc/primacy/primacy.toml";

// The lines that a person would see; files that the text names are not looked at.
inline std::vector<std::string> complaints(std::string_view text) {
    std::vector<std::string> lines;
    for (const auto& problem : app::parse(text, config_path, app::files::ignore).problems)
        lines.push_back(app::to_text(config_path, problem));
    return lines;
}

inline std::vector<std::string> warnings(std::string_view text) {
    std::vector<std::string> lines;
    const auto outcome = app::parse(text, config_path, app::files::ignore);
    CHECK(outcome.ok());
    for (const auto& warning : outcome.warnings)
        lines.push_back(app::to_text(config_path, warning));
    return lines;
}

// The only complaint, without the path, or all of them so that the failed check shows them.
inline std::string complaint(std::string_view text) {
    std::string all;
    for (const auto& line : complaints(text)) {
        CHECK(line.starts_with(std::string(config_path) + ":"));
        all += (all.empty() ? "" : "\n") + line.substr(std::string(config_path).size() + 1);
    }
    return all;
}

// Lines 1 to 5; what a test adds begins at line 6, still within the server.
inline std::string one_server(std::string_view more = "") {
    return "[topology.shop]\n"
           "password_file = \"/etc/primacy/shop.password\"\n"
           "[[topology.shop.server]]\n"
           "name = \"db1\"\n"
           "host = \"10.0.0.1\"\n" +
           std::string(more);
}

// A topology with these keys at line 2 and a server below them.
inline std::string topology_with(std::string_view keys) {
    return "[topology.shop]\n" + std::string(keys) +
           "\n[[topology.shop.server]]\n"
           "name = \"db1\"\n"
           "host = \"10.0.0.1\"\n";
}

// A good configuration with a section at line 6 and its keys from line 7.
inline std::string section_with(std::string_view heading, std::string_view keys) {
    return one_server("[" + std::string(heading) + "]\n" + std::string(keys) + "\n");
}

// What a good text says; fails the test when it is not good.
inline app::config good_config(std::string_view text) {
    auto outcome = app::parse(text, config_path, app::files::ignore);
    for (const auto& problem : outcome.problems)
        FAIL_CHECK(app::to_text(config_path, problem));
    return outcome.value;
}

}  // namespace primacy::tests
