// Runs every story under tests/scenarios/stories: commands in, what the judge says out, compared to
// the letter with the lines that begin with ">". PRIMACY_REWRITE=1 writes what was said instead, to
// be read with git diff before it is believed.
#include "tests/scenarios/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> all_stories() {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(SCENARIO_DIRECTORY))
        if (entry.path().extension() == ".scenario") found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

std::string as_expected(const std::string& said) {
    std::istringstream lines(said);
    std::string line, result;
    while (std::getline(lines, line))
        result += "> " + line + "\n";
    return result;
}

// The file as it would be if every expectation were what the judge says.
std::string retell(const std::string& text, std::string& error) {
    primacy::scenarios::world world;
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

bool opens_with_a_story(const std::string& text) {
    return text.size() > 40 && text[0] == '#' && text[1] == ' ';
}

}  // namespace

TEST_CASE("every story is judged as it says") {
    auto stories = all_stories();
    bool rewrite = std::getenv("PRIMACY_REWRITE") != nullptr;
    for (const auto& path : stories) {
        CAPTURE(path.filename().string());
        std::ifstream file(path);
        std::string text((std::istreambuf_iterator<char>(file)), {});
        CHECK(opens_with_a_story(text));
        CHECK(text.find("\n> ") != std::string::npos);
        std::string error;
        std::string told = retell(text, error);
        CHECK(error == "");
        if (rewrite && error.empty())
            std::ofstream(path) << told;
        else
            CHECK(told == text);
    }
}

TEST_CASE("there are as many stories as promised") {
    CHECK(all_stories().size() >= 80);
}
