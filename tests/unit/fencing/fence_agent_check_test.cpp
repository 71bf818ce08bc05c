#include "fencing/drivers/fence_agent_check.hpp"

#include "tests/unit/fencing/driver_call.hpp"

#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::fencing;
using namespace primacy::tests;

namespace {

std::string described(const std::string& actions) {
    return "<resource-agent name=\"fence_x\"><parameters>"
           "<parameter name=\"ip\" required=\"0\"><content type=\"string\"/></parameter>"
           "<parameter name=\"password\" required=\"0\"><content type=\"string\"/></parameter>"
           "</parameters><actions>" +
           actions + "</actions></resource-agent>";
}

const std::string plain =
    described("<action name=\"off\"/><action name=\"status\"/><action name=\"monitor\"/>");
const std::string validating =
    described("<action name=\"off\"/><action name=\"status\"/><action name=\"validate-all\"/>");

struct check_fixture : driver_call {
    fence_agent_options options;
    check_fixture() {
        options.agent = "fence_x";
        options.options = {{"ip", "10.1.0.1"}};
        options.password = "s3cret";
    }
    std::vector<agent_complaint> check_it() {
        return run_to_end(context, check_fence_agent(runner, options, until));
    }
    void check_only(agent_fault fault, std::string_view words, std::string_view option = "") {
        const auto found = check_it();
        REQUIRE(found.size() == 1);
        CAPTURE(found[0].sentence);
        CHECK(found[0].fault == fault);
        CHECK(found[0].option == option);
        CHECK(found[0].sentence.find(words) != std::string::npos);
        CHECK(found[0].sentence.find("s3cret") == std::string::npos);
        CHECK(runner.finished());
        CHECK(!runner.shows("s3cret"));
    }
};

}  // namespace

TEST_CASE_FIXTURE(check_fixture, "fence-agent: one that fits is asked for no more than it can") {
    runner.ends(0, plain);
    CHECK(check_it().empty());
    REQUIRE(runner.runs.size() == 1);
    CHECK(runner.runs[0].what.standard_input == "action=metadata\n");
}

TEST_CASE_FIXTURE(check_fixture, "fence-agent: one that can validate is asked whether it would") {
    runner.ends(0, validating).ends(0);
    CHECK(check_it().empty());
    REQUIRE(runner.runs.size() == 2);
    CHECK(runner.runs[1].what.standard_input ==
          "ip=10.1.0.1\npassword=s3cret\naction=validate-all\n");
}

TEST_CASE_FIXTURE(check_fixture, "fence-agent: each wrong option is proved by its description") {
    options.options["ipp"] = "1";
    options.options["method"] = "cycle";
    runner.ends(0, validating);
    const auto found = check_it();
    REQUIRE(found.size() == 2);
    CHECK(found[0].option == "ipp");
    CHECK(found[1].option == "method");
    for (const auto& complaint : found)
        CHECK(complaint.fault == agent_fault::wrong_options);
    CHECK(runner.finished());
}

TEST_CASE_FIXTURE(check_fixture, "fence-agent: what it says itself is quoted, without its frame") {
    runner.ends(0, validating)
        .ends(1, "",
              "2025-11-25 10:02:15,907 ERROR: Failed: with s3cret you need a plug\n\n"
              "2025-11-25 10:02:15,907 ERROR: validate-all failed\n\n"
              "2025-11-25 10:02:15,907 ERROR: Please use '-h' for usage\n");
    check_only(agent_fault::unusable,
               "fence_x does not take these options: Failed: with *** you need a plug");
}

TEST_CASE_FIXTURE(check_fixture, "fence-agent: what the program is, and what is only not known") {
    SUBCASE("it is not there") {
        runner.fails(rt::errc::io, "cannot start /usr/sbin/fence_x: no such file");
        check_only(agent_fault::unusable, "no such file; install it");
    }
    SUBCASE("it talks rubbish") {
        runner.ends(0, "rubbish");
        check_only(agent_fault::unusable, "not understood");
    }
    SUBCASE("it fails") {
        runner.ends(1, "", "ImportError\n");
        check_only(agent_fault::unusable, "ImportError");
    }
    SUBCASE("it hangs") {
        runner.times_out();
        check_only(agent_fault::silent, "for action=metadata");
    }
    SUBCASE("it hangs when it is asked to validate") {
        runner.ends(0, validating).times_out();
        check_only(agent_fault::silent, "did not say in time");
    }
    SUBCASE("we are told to stop") {
        runner.fails(rt::errc::cancelled, "fence_x was killed");
        check_only(agent_fault::silent, "killed");
    }
}
