#include "fencing/drivers/fence_agent.hpp"

#include "tests/unit/fencing/driver_call.hpp"

#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::fencing;
using namespace primacy::tests;

namespace {

// Shortened from what Debian's fence_ipmilan 4.12.1 prints.
constexpr const char* described = R"(<?xml version="1.0" ?>
<resource-agent name="fence_ipmilan" shortdesc="Fence agent for IPMI" >
<longdesc>It fences &amp; more.</longdesc>
<parameters>
	<parameter name="action" unique="0" required="1">
		<getopt mixed="-o, --action=[action]" /><content type="string" default="reboot" />
	</parameter>
	<parameter name="ip" unique="0" required="1" obsoletes="ipaddr">
		<content type="string" />
	</parameter>
	<parameter name="ipaddr" unique="0" required="1" deprecated="1">
		<content type="string" />
	</parameter>
	<parameter name="password" unique="0" required="1" obsoletes="passwd">
		<content type="string" />
	</parameter>
	<parameter name="method" unique="0" required="0">
		<content type="select" default="onoff" >
			<option value="onoff" /><option value="cycle" />
		</content>
	</parameter>
	<parameter name="power_timeout" unique="0" required="0">
		<content type="second" default="20" />
	</parameter>
</parameters>
<actions>
	<action name="on" automatic="0"/><action name="off" /><action name="status" />
	<action name="monitor" />
</actions>
</resource-agent>
)";

struct agent_fixture : driver_call {
    fence_agent_options options;
    agent_fixture() {
        options.agent = "fence_x";
        options.options = {{"ip", "10.1.0.1"}, {"power-timeout", "5"}};
        options.password = "s3cret";
    }
    std::unique_ptr<driver> device() { return make_fence_agent_driver(runner, target, options); }
    const std::string& input(std::size_t run) { return runner.runs.at(run).what.standard_input; }
};

agent_metadata metadata() {
    return parse_agent_metadata(described).value();
}

bool mentions(const std::vector<option_problem>& problems, std::string_view words,
              std::string_view option = "") {
    for (const auto& problem : problems)
        if (problem.sentence.find(words) != problem.sentence.npos) return problem.option == option;
    return false;
}

}  // namespace

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: no argument, an explicit action, then a status") {
    runner.ends(0, "Success: Powered OFF\n").ends(2, "Status: OFF\n");
    check_report(fence(device()), rung_outcome::confirmed, rung_failure::none);
    REQUIRE(runner.runs.size() == 2);
    for (const auto& run : runner.runs)
        CHECK(run.what.argv == std::vector<std::string>{"/usr/sbin/fence_x"});
    CHECK(input(0) == "ip=10.1.0.1\npower-timeout=5\npassword=s3cret\naction=off\n");
    CHECK(input(1) == "ip=10.1.0.1\npower-timeout=5\npassword=s3cret\naction=status\n");
    CHECK(!runner.shows("s3cret"));
    // PCMK_service would turn the agent's own timeouts off.
    CHECK(runner.runs[0].what.environment.size() == 1);
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: what the agent would strip is quoted") {
    const auto sent = [this](std::string password) {
        options.password = std::move(password);
        runner.ends(0).ends(2);
        fence(device());
        const std::string text = input(runner.runs.size() - 1);
        const std::size_t at = text.find("password=") + 9;
        return text.substr(at, text.find('\n', at) - at);
    };
    CHECK(sent("plain") == "plain");
    CHECK(sent("\"both\"") == "\"\"both\"\"");
    CHECK(sent("ends ") == "\"ends \"");
    CHECK(sent("a=b#\"c") == "a=b#\"c");
    CHECK(sent("\"") == "\"");
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: its own success is not enough") {
    runner.ends(0, "Success: Powered OFF\n");
    SUBCASE("still on") {
        runner.ends(0, "Status: ON\n");
        check_report(fence(device()), rung_outcome::unknown, rung_failure::still_alive);
    }
    SUBCASE("no answer") {
        runner.ends(1, "", "ERROR: Connection timed out\n");
        check_report(fence(device()), rung_outcome::unknown, rung_failure::timeout);
    }
    SUBCASE("a crash") {
        runner.ends_by_signal(11);
        check_report(fence(device()), rung_outcome::unknown, rung_failure::internal);
    }
    SUBCASE("another code") {
        runner.ends(3);
        check_report(fence(device()), rung_outcome::unknown, rung_failure::protocol);
    }
    CHECK(runner.finished());
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: its own failure is judged by the status") {
    SUBCASE("off after all") {
        runner.ends(1, "", "ERROR: Timed out waiting to power OFF\n").ends(2);
        check_report(fence(device()), rung_outcome::confirmed, rung_failure::none);
    }
    SUBCASE("on") {
        runner.ends(1, "", "ERROR: Timed out waiting to power OFF\n").ends(0);
        check_report(fence(device()), rung_outcome::unknown, rung_failure::still_alive);
    }
    SUBCASE("2 is only good for a status") {
        runner.ends(2).ends(0);
        CHECK(fence(device()).outcome == rung_outcome::unknown);
    }
    SUBCASE("time") {
        runner.times_out();
        check_report(fence(device()), rung_outcome::unknown, rung_failure::timeout);
    }
    SUBCASE("not there") {
        runner.fails(rt::errc::io, "cannot start /usr/sbin/fence_x: no such file");
        check_report(fence(device()), rung_outcome::failed, rung_failure::not_found);
    }
    SUBCASE("cancelled") {
        runner.fails(rt::errc::cancelled, "fence_x was killed");
        check_report(fence(device()), rung_outcome::unknown, rung_failure::cancelled);
    }
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: the password is in no sentence") {
    runner.ends(1, "", "ERROR: s3cret s3cret is wrong\n").ends(1, "", "ERROR: s3cret\n");
    const auto report = fence(device());
    CHECK(report.sentence.find("s3cret") == report.sentence.npos);
    CHECK(report.sentence.find("***") != report.sentence.npos);
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: options that would break the protocol") {
    SUBCASE("line end") {
        options.options["ip"] = "10.0.0.1\naction=on";
    }
    SUBCASE("NUL") {
        options.options["ip"] = std::string("a\0b", 3);
    }
    SUBCASE("name") {
        options.options["a=b"] = "c";
    }
    SUBCASE("action") {
        options.options["action"] = "reboot";
    }
    SUBCASE("cycle") {
        options.options["method"] = "cycle";
    }
    SUBCASE("password") {
        options.password = "a\rb";
    }
    check_report(fence(device()), rung_outcome::failed, rung_failure::internal);
    CHECK(verify(device()).outcome == rung_outcome::unknown);
    CHECK(check(device()).has_error());
    CHECK(runner.runs.empty());
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: one without status never confirms") {
    options.metadata = metadata();
    options.metadata->actions = {"on", "off"};
    runner.ends(0);
    check_report(fence(device()), rung_outcome::unknown, rung_failure::protocol);
    CHECK(runner.runs.size() == 1);
    CHECK(verify(device()).outcome == rung_outcome::unknown);
    CHECK(check(device()).has_error());
    CHECK(runner.runs.size() == 1);
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: what is not allowed any more is not begun") {
    check_report(fence(device(), order_that_is_over), rung_outcome::failed,
                 rung_failure::cancelled);
    CHECK(runner.runs.empty());
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: verify and check only look") {
    runner.ends(0).ends(2).ends(2).ends(1, "", "ERROR: Unable to connect/login\n");
    check_report(verify(device()), rung_outcome::failed, rung_failure::still_alive);
    check_report(verify(device()), rung_outcome::confirmed, rung_failure::none);
    options.metadata = metadata();
    CHECK(check(device()).has_value());
    CHECK(check(device()).has_error());
    for (std::size_t i = 0; i < 2; ++i)
        CHECK(input(i).ends_with("action=status\n"));
    for (std::size_t i = 2; i < 4; ++i)
        CHECK(input(i).ends_with("action=monitor\n"));
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: a check looks at what the agent is, too") {
    SUBCASE("it is what it was") {
        runner.ends(0, described).ends(0);
        CHECK(check(device()).has_value());
        CHECK(input(1).ends_with("action=monitor\n"));
    }
    SUBCASE("it answers everything with success") {
        runner.ends(0, "rubbish");
        CHECK(check(device()).has_error());
    }
    SUBCASE("it has lost an option since") {
        options.options["plug"] = "7";
        runner.ends(0, described);
        CHECK(check(device()).error().message.find("no option \"plug\"") != std::string::npos);
    }
    CHECK(runner.finished());
}

TEST_CASE("fence-agent: what an agent says about itself") {
    const auto read = metadata();
    CHECK(read.name == "fence_ipmilan");
    CHECK(read.can("off"));
    CHECK(!read.can("list"));
    REQUIRE(read.find("power-timeout") != nullptr);
    CHECK(read.find("power-timeout")->has_default);
    CHECK(read.find("ipaddr")->deprecated);
    CHECK(read.find("method")->choices == std::vector<std::string>{"onoff", "cycle"});
    for (const char* rubbish : {"", "no", "<a>", "<a/>", "<resource-agent name=\"x\"/>"})
        CHECK(parse_agent_metadata(rubbish).has_error());
}

TEST_CASE("fence-agent: options are judged by its own description") {
    const std::map<std::string, std::string> good = {{"ip", "10.1.0.1"}, {"power-timeout", "5"}};
    CHECK(metadata_problems(metadata(), good, true).empty());
    CHECK(metadata_problems(metadata(), {{"ipaddr", "10.1.0.1"}}, true).empty());
    CHECK(mentions(metadata_problems(metadata(), good, false), "needs the option \"password\""));
    CHECK(mentions(metadata_problems(metadata(), {}, true), "needs the option \"ip\""));
    auto options = good;
    options["power_timeuot"] = "3";
    CHECK(mentions(metadata_problems(metadata(), options, true),
                   "no option \"power_timeuot\"; did you mean \"power_timeout\"?",
                   "power_timeuot"));
    options = good;
    options["method"] = "cycle";
    CHECK(mentions(metadata_problems(metadata(), options, true), "method=cycle", "method"));
    options["method"] = "of";
    CHECK(mentions(metadata_problems(metadata(), options, true), "does not take \"of\"", "method"));
    options = good;
    options["action"] = "reboot";
    CHECK(mentions(metadata_problems(metadata(), options, true), "chosen by primacy", "action"));
    auto weak = metadata();
    weak.actions = {"on", "reboot"};
    CHECK(mentions(metadata_problems(weak, good, true), "no action off"));
    CHECK(mentions(metadata_problems(weak, good, true), "no action status"));
}

TEST_CASE_FIXTURE(agent_fixture, "fence-agent: its description is asked for on standard input") {
    runner.ends(0, described).ends(1, "", "boom\n").times_out();
    const auto read = run_to_end(context, read_metadata(runner, "/opt/fence_y", until));
    REQUIRE(read.has_value());
    CHECK(runner.runs[0].what.argv == std::vector<std::string>{"/opt/fence_y"});
    CHECK(input(0) == "action=metadata\n");
    const auto failed = run_to_end(context, read_metadata(runner, "/opt/fence_y", until));
    REQUIRE(failed.has_error());
    CHECK(failed.error().message.find("boom") != std::string::npos);
    const auto late = run_to_end(context, read_metadata(runner, "/opt/fence_y", until));
    REQUIRE(late.has_error());
    CHECK(late.error().code == rt::errc::timeout);
}
