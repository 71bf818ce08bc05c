// Runs told stories: commands in, what is said out, compared to the letter with the lines that
// begin with ">". PRIMACY_REWRITE=1 writes what was said instead, to be read with git diff before
// it is believed. A World has `bool execute(line, std::string& output, std::string& error)`.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace primacy::tests {

inline std::vector<std::filesystem::path> all_stories(const std::filesystem::path& folder,
                                                      const std::string& ending) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ending) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

inline std::string as_expected(const std::string& said) {
    std::istringstream lines(said);
    std::string line, result;
    while (std::getline(lines, line))
        result += "> " + line + "\n";
    return result;
}

// The file as it would be if every expectation were what is said.
template <class World>
std::string retell(const std::string& text, std::string& error) {
    World world;
    std::istringstream lines(text);
    std::string line, told, said;
    while (std::getline(lines, line)) {
        if (!line.empty() && line[0] == '>') continue;
        told += line + "\n";
        if (line.empty() || line[0] == '#') continue;
        said.clear();
        if (!world.execute(line, said, error)) return told;
        told += as_expected(said);
    }
    error.clear();
    return told;
}

inline bool opens_with_a_story(const std::string& text) {
    return text.size() > 40 && text[0] == '#' && text[1] == ' ';
}

template <class World>
void compare_stories(const std::filesystem::path& folder, const std::string& ending) {
    bool rewrite = std::getenv("PRIMACY_REWRITE") != nullptr;
    for (const auto& path : all_stories(folder, ending)) {
        CAPTURE(path.filename().string());
        std::ifstream file(path);
        std::string text((std::istreambuf_iterator<char>(file)), {});
        CHECK(opens_with_a_story(text));
        std::string error;
        std::string told = retell<World>(text, error);
        CHECK(error == "");
        CHECK(told.find("\n> ") != std::string::npos);
        if (rewrite && error.empty())
            std::ofstream(path) << told;
        else
            CHECK(told == text);
    }
}

}  // namespace primacy::tests
