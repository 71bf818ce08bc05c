// Runs every story under tests/scenarios: commands in, what the judge (stories/) or the verdict
// (verdicts/) says out, compared to the letter with the lines that begin with ">".
// PRIMACY_REWRITE=1 writes what was said instead, to be read with git diff before it is believed.
#include "tests/scenarios/fencing_world.hpp"
#include "tests/scenarios/world.hpp"
#include "tests/support/stories.hpp"

namespace {

const std::filesystem::path scenarios = SCENARIO_DIRECTORY;

using primacy::tests::all_stories;
using primacy::tests::compare_stories;

}  // namespace

TEST_CASE("every story is judged as it says") {
    compare_stories<primacy::scenarios::world>(scenarios / "stories", ".scenario");
}

TEST_CASE("every verdict is reached as its story says") {
    compare_stories<primacy::scenarios::fencing_world>(scenarios / "verdicts", ".scenario");
}

TEST_CASE("there are as many stories as promised") {
    CHECK(all_stories(scenarios / "stories", ".scenario").size() >= 80);
    CHECK(all_stories(scenarios / "verdicts", ".scenario").size() >= 60);
}
