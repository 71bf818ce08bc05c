// Runs every story under tests/scenarios: commands in, what the judge (stories/) or the verdict
// (verdicts/) says out, compared to the letter with the lines that begin with ">".
// PRIMACY_REWRITE=1 writes what was said instead, to be read with git diff before it is believed.
#include "tests/scenarios/fencing_world.hpp"
#include "tests/scenarios/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> all_stories(const char* folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(fs::path(SCENARIO_DIRECTORY) / folder))
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

bool opens_with_a_story(const std::string& text) {
    return text.size() > 40 && text[0] == '#' && text[1] == ' ';
}

template <class World>
void compare_all(const char* folder) {
    bool rewrite = std::getenv("PRIMACY_REWRITE") != nullptr;
    for (const auto& path : all_stories(folder)) {
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

}  // namespace

TEST_CASE("every story is judged as it says") {
    compare_all<primacy::scenarios::world>("stories");
}

TEST_CASE("every verdict is reached as its story says") {
    compare_all<primacy::scenarios::fencing_world>("verdicts");
}

TEST_CASE("there are as many stories as promised") {
    CHECK(all_stories("stories").size() >= 80);
    CHECK(all_stories("verdicts").size() >= 60);
}
