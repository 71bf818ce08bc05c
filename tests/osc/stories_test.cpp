// Runs every story under tests/osc: plans (what would be done, and why) and jobs (how it goes on).
#include "tests/support/stories.hpp"

#include "tests/osc/job_world.hpp"
#include "tests/osc/plan_world.hpp"

namespace {

const std::filesystem::path stories = OSC_STORY_DIRECTORY;

using namespace primacy::osc_stories;
using primacy::tests::all_stories;
using primacy::tests::compare_stories;

}  // namespace

TEST_CASE("every change is planned as its story says") {
    compare_stories<plan_world>(stories / "plans", ".plan");
}

TEST_CASE("every job goes on as its story says") {
    compare_stories<job_world>(stories / "jobs", ".job");
}

TEST_CASE("there are as many stories as promised") {
    CHECK(all_stories(stories / "plans", ".plan").size() >= 70);
    CHECK(all_stories(stories / "jobs", ".job").size() >= 60);
}
