#include "fencing/drivers/ipmi.hpp"

#include "tests/unit/fencing/driver_call.hpp"

#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::fencing;
using namespace primacy::tests;

namespace {

constexpr const char* on = "Chassis Power is on\n";
constexpr const char* off = "Chassis Power is off\n";
constexpr const char* ordered = "Chassis Power Control: Down/Off\n";
constexpr const char* no_session = "Error: Unable to establish IPMI v2 / RMCP+ session\n";

struct ipmi_fixture : driver_call {
    ipmi_options options;
    ipmi_fixture() {
        options.address = "10.1.0.1";
        options.user = "fence";
        options.password_file = "/etc/primacy/bmc.password";
    }
    std::unique_ptr<driver> device() { return make_ipmi_driver(runner, target, options); }
    const std::vector<std::string>& argv(std::size_t run) { return runner.runs.at(run).what.argv; }
};

}  // namespace

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: off, then two readings of off by processes of their own") {
    options.cipher = 3;
    runner.ends(0, ordered).ends(0, on).ends(0, off).ends(0, off);
    const auto begun = rt::steady_clock::now();
    check_report(fence(device()), rung_outcome::confirmed, rung_failure::none);
    CHECK(rt::steady_clock::now() - begun >= std::chrono::milliseconds(300));
    REQUIRE(runner.runs.size() == 4);
    const std::vector<std::string> head(argv(0).begin(), argv(0).begin() + 14);
    CHECK(head == std::vector<std::string>{"ipmitool", "-v", "-I", "lanplus", "-H", "10.1.0.1",
                                           "-p", "623", "-U", "fence", "-f",
                                           "/etc/primacy/bmc.password", "-L", "OPERATOR"});
    const std::vector<std::string> tail(argv(0).end() - 5, argv(0).end());
    CHECK(tail == std::vector<std::string>{"-C", "3", "chassis", "power", "off"});
    for (std::size_t i = 1; i < 4; ++i)
        CHECK(argv(i).back() == "status");
}

TEST_CASE_FIXTURE(ipmi_fixture,
                  "ipmi: one reading of off proves nothing, nor two with on between") {
    options.timeout = std::chrono::milliseconds(900);
    runner.ends(0, ordered).ends(0, off).ends(0, on).ends(0, off).ends(0, on);
    check_report(fence(device()), rung_outcome::unknown, rung_failure::still_alive);
}

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: only the exact line is believed") {
    options.timeout = std::chrono::milliseconds(50);
    const char* said = "";
    SUBCASE("both") {
        said = "Chassis Power is on\nChassis Power is off\n";
    }
    SUBCASE("more on the line") {
        said = "Chassis Power is off or so\n";
    }
    SUBCASE("another case") {
        said = "chassis power is off\n";
    }
    SUBCASE("nothing") {}
    runner.ends(0, ordered).ends(0, said).ends(0, said);
    const auto report = fence(device());
    CHECK(report.outcome == rung_outcome::unknown);
    CHECK(report.reason == rung_failure::protocol);
}

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: off with an error code is no reading") {
    runner.ends(1, off, "Unable to read\n");
    check_report(verify(device()), rung_outcome::unknown, rung_failure::protocol);
}

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: without a session nothing was asked: failed") {
    SUBCASE("silent") {
        runner.ends(1, "", no_session);
        check_report(fence(device()), rung_outcome::failed, rung_failure::unreachable);
    }
    SUBCASE("wrong password") {
        runner.ends(1, "", std::string("> RAKP 2 HMAC is invalid\n") + no_session);
        check_report(fence(device()), rung_outcome::failed, rung_failure::denied);
    }
    SUBCASE("no such account") {
        runner.ends(
            1, "",
            std::string("RAKP 2 message indicates an error : unauthorized name\n") + no_session);
        check_report(fence(device()), rung_outcome::failed, rung_failure::denied);
    }
    SUBCASE("no ipmitool") {
        runner.fails(rt::errc::io, "cannot start ipmitool: no such program in PATH");
        check_report(fence(device()), rung_outcome::failed, rung_failure::not_found);
    }
    CHECK(runner.runs.size() == 1);
}

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: a BMC that refuses is asked for the power all the same") {
    const char* refusal =
        "Set Chassis Power Control to Down/Off failed: Command not supported in "
        "present state\n";
    runner.ends(1, "", refusal);
    SUBCASE("because it is off already") {
        runner.ends(0, off).ends(0, off);
        check_report(fence(device()), rung_outcome::confirmed, rung_failure::none);
    }
    SUBCASE("and the power is on") {
        runner.ends(0, on);
        check_report(fence(device()), rung_outcome::failed, rung_failure::refused);
    }
}

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: time and cancellation leave it unknown") {
    SUBCASE("the act") {
        runner.times_out();
        check_report(fence(device()), rung_outcome::unknown, rung_failure::timeout);
    }
    SUBCASE("cancelled in the act") {
        runner.fails(rt::errc::cancelled, "ipmitool was killed because we are stopping");
        check_report(fence(device()), rung_outcome::unknown, rung_failure::cancelled);
    }
    SUBCASE("cancelled while looking") {
        runner.ends(0, ordered).fails(rt::errc::cancelled, "ipmitool was killed");
        check_report(fence(device()), rung_outcome::unknown, rung_failure::cancelled);
    }
    SUBCASE("no session any more, after the act") {
        options.timeout = std::chrono::milliseconds(200);
        runner.ends(0, ordered).ends(1, "", no_session).ends(1, "", no_session);
        check_report(fence(device()), rung_outcome::unknown, rung_failure::unreachable);
    }
}

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: what is not allowed any more is not begun") {
    check_report(fence(device(), order_that_is_over), rung_outcome::failed,
                 rung_failure::cancelled);
    CHECK(runner.runs.empty());
}

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: verify looks twice and never acts") {
    SUBCASE("off") {
        runner.ends(0, off).ends(0, off);
        check_report(verify(device()), rung_outcome::confirmed, rung_failure::none);
    }
    SUBCASE("on") {
        runner.ends(0, on);
        check_report(verify(device()), rung_outcome::failed, rung_failure::still_alive);
    }
    SUBCASE("off, then on") {
        runner.ends(0, off).ends(0, on);
        check_report(verify(device()), rung_outcome::failed, rung_failure::still_alive);
    }
    SUBCASE("silent") {
        runner.ends(1, "", no_session);
        check_report(verify(device()), rung_outcome::unknown, rung_failure::unreachable);
    }
    for (const auto& run : runner.runs)
        CHECK(run.what.argv.back() == "status");
}

TEST_CASE_FIXTURE(ipmi_fixture, "ipmi: check, and options that cannot be meant") {
    runner.ends(0, on).ends(0, off).ends(1, "", no_session);
    CHECK(check(device()).has_value());
    CHECK(check(device()).has_value());
    const auto silent = check(device());
    REQUIRE(silent.has_error());
    CHECK(silent.error().code == rt::errc::unreachable);
    SUBCASE("address") {
        options.address = "-x";
    }
    SUBCASE("password file") {
        options.password_file = "secret";
    }
    CHECK(check(device()).has_error());
    CHECK(fence(device()).outcome == rung_outcome::failed);
    CHECK(verify(device()).outcome == rung_outcome::unknown);
    CHECK(runner.runs.size() == 3);
}
