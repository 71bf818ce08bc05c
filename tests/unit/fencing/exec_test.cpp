#include "fencing/drivers/exec.hpp"

#include "tests/unit/fencing/driver_call.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::fencing;
using namespace primacy::tests;

namespace {

struct exec_fixture : driver_call {
    exec_options options;
    exec_fixture() {
        options.command = {"/bin/true", "--loud"};
        options.verify = true;
    }
    std::unique_ptr<driver> device() { return make_exec_driver(runner, target, options); }
    std::string told_action(std::size_t run) {
        const auto told = boost::json::parse(runner.runs.at(run).what.standard_input);
        const std::string action(told.at("action").as_string());
        CHECK(runner.runs.at(run).what.environment.at("PRIMACY_ACTION") == action);
        return action;
    }
};

}  // namespace

TEST_CASE_FIXTURE(exec_fixture, "exec: done, and asked again: confirmed") {
    runner.ends(0).ends(0);
    check_report(fence(device()), rung_outcome::confirmed, rung_failure::none);
    REQUIRE(runner.runs.size() == 2);
    CHECK(told_action(0) == "fence");
    CHECK(told_action(1) == "verify");
    const auto& what = runner.runs[0].what;
    CHECK(what.argv == options.command);
    const auto told = boost::json::parse(what.standard_input);
    CHECK(told.at("version").as_int64() == 1);
    CHECK(told.at("topology").as_string() == "shop");
    CHECK(told.at("server").as_string() == "db1");
    CHECK(told.at("host").as_string() == "10.0.0.1");
    CHECK(told.at("port").as_int64() == 3306);
    CHECK(told.at("incident").as_string() == "incident-1");
    CHECK(told.at("nonce").as_string() == "n-42");
    CHECK(told.at("reason").as_string() == "two writers");
    const std::map<std::string, std::string> environment = {
        {"PRIMACY_ACTION", "fence"}, {"PRIMACY_TOPOLOGY", "shop"},
        {"PRIMACY_SERVER", "db1"},   {"PRIMACY_HOST", "10.0.0.1"},
        {"PRIMACY_PORT", "3306"},    {"PRIMACY_INCIDENT", "incident-1"},
        {"PRIMACY_NONCE", "n-42"}};
    CHECK(what.environment == environment);
    CHECK(what.inherited == std::vector<std::string>{"PATH"});
}

TEST_CASE_FIXTURE(exec_fixture, "exec: a done that nothing proves is unknown") {
    options.verify = false;
    runner.ends(0);
    const auto report = fence(device());
    check_report(report, rung_outcome::unknown, rung_failure::protocol);
    CHECK(report.sentence.find("no way to verify") != std::string::npos);
    CHECK(runner.runs.size() == 1);
    CHECK(verify(device()).outcome == rung_outcome::unknown);
    // It might fence whatever it is told.
    CHECK(check(device()).has_value());
    CHECK(runner.runs.size() == 1);
}

TEST_CASE_FIXTURE(exec_fixture, "exec: what else the two runs can come to") {
    SUBCASE("it says done and the server runs") {
        runner.ends(0).ends(1);
        check_report(fence(device()), rung_outcome::unknown, rung_failure::still_alive);
    }
    SUBCASE("it fails and the server is stopped") {
        runner.ends(1).ends(0);
        check_report(fence(device()), rung_outcome::confirmed, rung_failure::none);
    }
    SUBCASE("it fails and cannot tell") {
        runner.ends(1, "", "no\n").ends(7, "", "lost\n");
        const auto report = fence(device());
        check_report(report, rung_outcome::unknown, rung_failure::protocol);
        CHECK(report.sentence.find("no; then") != std::string::npos);
    }
    SUBCASE("it fails and cannot be asked") {
        options.verify = false;
        runner.ends(1, "", "no\n");
        check_report(fence(device()), rung_outcome::unknown, rung_failure::refused);
    }
    SUBCASE("time in the act") {
        runner.times_out();
        check_report(fence(device()), rung_outcome::unknown, rung_failure::timeout);
    }
    SUBCASE("time in the look") {
        runner.ends(0).times_out();
        check_report(fence(device()), rung_outcome::unknown, rung_failure::timeout);
    }
    SUBCASE("not there") {
        runner.fails(rt::errc::io, "cannot start /bin/true: no such file");
        check_report(fence(device()), rung_outcome::failed, rung_failure::not_found);
    }
    CHECK(runner.finished());
}

TEST_CASE_FIXTURE(exec_fixture, "exec: MHA's options, which never confirm") {
    options.style = exec_style::mha;
    options.pid_file = "/run/m.pid";
    runner.ends(0);
    check_report(fence(device()), rung_outcome::unknown, rung_failure::protocol);
    REQUIRE(runner.runs.size() == 1);
    const auto& what = runner.runs[0].what;
    CHECK(what.argv == std::vector<std::string>{"/bin/true", "--loud", "--command=stop",
                                                "--ssh_user=root", "--host=10.0.0.1",
                                                "--ip=10.0.0.1", "--port=3306",
                                                "--pid_file=/run/m.pid"});
    CHECK(what.standard_input.empty());
    CHECK(what.environment.empty());
}

TEST_CASE_FIXTURE(exec_fixture, "exec: check of a program that can be asked, and of none") {
    runner.ends(0).ends(5, "", "the switch does not answer\n");
    CHECK(check(device()).has_value());
    CHECK(told_action(0) == "check");
    const auto bad = check(device());
    REQUIRE(bad.has_error());
    CHECK(bad.error().message.find("the switch does not answer") != std::string::npos);
    options.command = {"/nonexistent/program"};
    CHECK(check(device()).has_error());
    options.command = {"true"};
    CHECK(check(device()).has_error());
    check_report(fence(device()), rung_outcome::failed, rung_failure::internal);
    CHECK(runner.runs.size() == 2);
}

TEST_CASE_FIXTURE(exec_fixture, "exec: what is not allowed any more is not begun") {
    check_report(fence(device(), order_that_is_over), rung_outcome::failed,
                 rung_failure::cancelled);
    CHECK(runner.runs.empty());
}

TEST_CASE_FIXTURE(exec_fixture, "exec: an order that is no token is not handed on") {
    check_report(fence(device(), {"Incident 1", "n-42", ""}), rung_outcome::failed,
                 rung_failure::internal);
    check_report(fence(device(), {"incident-1", "$(x)", ""}), rung_outcome::failed,
                 rung_failure::internal);
    CHECK(runner.runs.empty());
}

TEST_CASE_FIXTURE(exec_fixture, "exec: told to stop in the middle, it ends what it started") {
    rt::system_process_runner real;
    options.command = {"/bin/sleep", "600"};
    const auto device = make_exec_driver(real, target, options);
    started<rung_report> running(context, device->fence(order, until));
    context.run_for(std::chrono::milliseconds(50));
    REQUIRE(!running.ended());
    running.cancel();
    check_report(running.wait(), rung_outcome::unknown, rung_failure::cancelled);
}
