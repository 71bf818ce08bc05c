#include "fencing/drivers/ssh.hpp"

#include "tests/support/run_to_end.hpp"
#include "tests/unit/fencing/scripted_runner.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

using namespace primacy;
using namespace primacy::fencing;
using primacy::tests::run_to_end;
using primacy::tests::scripted_runner;

namespace {

const fence_target target{"shop", "db1", "10.0.0.1", 3306, ""};
const fence_order order{"incident-1", "n-42", "two writers"};

ssh_options options_of_test() {
    ssh_options options;
    options.user = "primacy";
    options.key = "/etc/primacy/key";
    options.known_hosts = "/etc/primacy/known_hosts";
    return options;
}

struct ssh_fixture {
    boost::asio::io_context context;
    scripted_runner runner;
    ssh_options options = options_of_test();
    rt::deadline until = rt::deadline::after(std::chrono::seconds(30));

    rung_report fence(fence_order what = order) {
        const auto device = make_ssh_driver(runner, target, options);
        return run_to_end(context, device->fence(what, until));
    }
    rung_report verify() {
        const auto device = make_ssh_driver(runner, target, options);
        return run_to_end(context, device->verify(order, until));
    }
    rt::result<void> check() {
        const auto device = make_ssh_driver(runner, target, options);
        return run_to_end(context, device->check(until));
    }
    bool fence_is(rung_outcome outcome, rung_failure reason) {
        const auto report = fence();
        CAPTURE(report.sentence);
        CHECK(report.outcome == outcome);
        CHECK(report.reason == reason);
        CHECK(!report.sentence.empty());
        return report.outcome == outcome && report.reason == reason;
    }
};

bool has_pair(const std::vector<std::string>& argv, const std::string& one,
              const std::string& two) {
    for (std::size_t i = 0; i + 1 < argv.size(); ++i)
        if (argv[i] == one && argv[i + 1] == two) return true;
    return false;
}

}  // namespace

TEST_CASE_FIXTURE(ssh_fixture, "ssh: confirmed by two connections, with its exact command line") {
    runner.ends(0, "FENCED n-42 db1\n").ends(0, "STOPPED n-42 db1\n");
    CHECK(fence_is(rung_outcome::confirmed, rung_failure::none));
    REQUIRE(runner.runs.size() == 2);
    const auto& argv = runner.runs[0].what.argv;
    CHECK(argv[0] == "ssh");
    CHECK(has_pair(argv, "-F", "none"));
    for (const char* option :
         {"BatchMode=yes", "ConnectTimeout=5", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes",
          "UserKnownHostsFile=/etc/primacy/known_hosts", "GlobalKnownHostsFile=none",
          "ControlMaster=no", "ControlPath=none", "ForwardAgent=no", "PermitLocalCommand=no",
          "GSSAPIAuthentication=no", "UpdateHostKeys=no", "ClearAllForwardings=yes",
          "ServerAliveInterval=2", "ServerAliveCountMax=2", "ConnectionAttempts=1"})
        CHECK_MESSAGE(has_pair(argv, "-o", option), option);
    const std::vector<std::string> tail(argv.end() - 9, argv.end());
    CHECK(tail == std::vector<std::string>{"-i", "/etc/primacy/key", "-p", "22", "-l", "primacy",
                                           "--", "10.0.0.1", "stop n-42"});
    CHECK(runner.runs[1].what.argv.back() == "status n-42");
    // Nothing of our environment that ssh would look at: no agent socket.
    CHECK(runner.runs[0].what.inherited == std::vector<std::string>{"PATH"});
    CHECK(runner.runs[0].what.environment.size() == 1);
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: nothing but the exact line with exit code 0 confirms") {
    SUBCASE("another nonce") {
        runner.ends(0, "FENCED n-41 db1\n");
    }
    SUBCASE("another server") {
        runner.ends(0, "FENCED n-42 db2\n");
    }
    SUBCASE("more on the line") {
        runner.ends(0, "FENCED n-42 db1 not\n");
    }
    SUBCASE("the answer of another verb") {
        runner.ends(0, "STOPPED n-42 db1\n");
    }
    SUBCASE("nothing") {
        runner.ends(0);
    }
    SUBCASE("the line with another exit code") {
        runner.ends(1, "FENCED n-42 db1\n");
    }
    SUBCASE("the line on standard error") {
        runner.ends(0, "", "FENCED n-42 db1\n");
    }
    CHECK(fence_is(rung_outcome::unknown, rung_failure::protocol));
    CHECK(runner.runs.size() == 1);
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: without the second look it is unknown") {
    runner.ends(0, "FENCED n-42 db1\n");
    SUBCASE("it runs again") {
        runner.ends(1, "RUNNING n-42 db1\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::still_alive));
    }
    SUBCASE("refused by the network, which is no failure any more") {
        runner.ends(255, "", "ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::unreachable));
    }
    SUBCASE("the old answer again") {
        runner.ends(0, "FENCED n-42 db1\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::protocol));
    }
    SUBCASE("too late") {
        runner.times_out("STOPPED n-42 db1\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::timeout));
    }
    CHECK(runner.finished());
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: what certainly came before the command has failed") {
    SUBCASE("refused") {
        runner.ends(255, "", "ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n");
        CHECK(fence_is(rung_outcome::failed, rung_failure::unreachable));
    }
    SUBCASE("no such name") {
        runner.ends(255, "", "ssh: Could not resolve hostname x: Name or service not known\r\n");
        CHECK(fence_is(rung_outcome::failed, rung_failure::unreachable));
    }
    SUBCASE("host key") {
        runner.ends(255, "",
                    "No ED25519 host key is known for 10.0.0.1 and you have requested strict "
                    "checking.\r\nHost key verification failed.\r\n");
        CHECK(fence_is(rung_outcome::failed, rung_failure::tls));
    }
    SUBCASE("key refused") {
        runner.ends(255, "", "primacy@10.0.0.1: Permission denied (publickey).\r\n");
        CHECK(fence_is(rung_outcome::failed, rung_failure::denied));
    }
    SUBCASE("ssh is not there") {
        runner.fails(rt::errc::io, "cannot start ssh: no such program in PATH");
        CHECK(fence_is(rung_outcome::failed, rung_failure::not_found));
    }
    SUBCASE("the other side refused") {
        runner.ends(2, "REFUSED n-42\n", "primacy-fence-host: there is no key \"sever\"\n");
        CHECK(fence_is(rung_outcome::failed, rung_failure::refused));
    }
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: what may have come after the command began is unknown") {
    SUBCASE("time") {
        runner.times_out();
        CHECK(fence_is(rung_outcome::unknown, rung_failure::timeout));
    }
    SUBCASE("time to connect, which is never a failure (S7)") {
        runner.ends(255, "", "ssh: connect to host 10.0.0.1 port 22: Connection timed out\r\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::timeout));
    }
    SUBCASE("the connection went away without a word") {
        runner.ends(255);
        CHECK(fence_is(rung_outcome::unknown, rung_failure::unreachable));
    }
    SUBCASE("the command's own words look like ssh's") {
        runner.ends(255, "", "sudo: Permission denied (publickey).\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::unreachable));
    }
    SUBCASE("a signal") {
        runner.ends_by_signal(SIGSEGV);
        CHECK(fence_is(rung_outcome::unknown, rung_failure::internal));
    }
    SUBCASE("told to stop") {
        runner.fails(rt::errc::cancelled, "ssh was killed because we are stopping");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::cancelled));
    }
    SUBCASE("no such command there") {
        runner.ends(127, "", "bash: line 1: primacy-fence-host: command not found\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::not_found));
    }
    SUBCASE("a refusal to another request") {
        runner.ends(2, "REFUSED n-41\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::protocol));
    }
    SUBCASE("it could not be killed") {
        runner.ends(1, "RUNNING n-42 db1\n");
        CHECK(fence_is(rung_outcome::unknown, rung_failure::still_alive));
    }
    CHECK(runner.runs.size() == 1);
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: words that ssh or a shell would read are never sent") {
    SUBCASE("host") {
        options.host = "-oProxyCommand=reboot";
    }
    SUBCASE("user") {
        options.user = "root;reboot";
    }
    SUBCASE("key") {
        options.key = "/etc/%h";
    }
    SUBCASE("known hosts") {
        options.known_hosts = "none";
    }
    CHECK(fence_is(rung_outcome::failed, rung_failure::internal));
    CHECK(verify().outcome == rung_outcome::unknown);
    CHECK(!check());
    CHECK(runner.runs.empty());
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: a nonce that is no token is never sent") {
    for (const char* nonce : {"", "a b", "a;reboot", "$(reboot)", "A", "-n", "a\n"}) {
        const auto report = fence({"incident-1", nonce, ""});
        CHECK(report.outcome == rung_outcome::failed);
        CHECK(report.reason == rung_failure::internal);
    }
    CHECK(runner.runs.empty());
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: what is not allowed any more is not begun") {
    fence_order over = order;
    over.may_act = [] { return false; };
    const auto report = fence(over);
    CHECK(report.outcome == rung_outcome::failed);
    CHECK(report.reason == rung_failure::cancelled);
    CHECK(runner.runs.empty());
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: verify only looks") {
    SUBCASE("stopped") {
        runner.ends(0, "STOPPED n-42 db1\n");
        CHECK(verify().outcome == rung_outcome::confirmed);
    }
    SUBCASE("running") {
        runner.ends(1, "RUNNING n-42 db1\n");
        const auto report = verify();
        CHECK(report.outcome == rung_outcome::failed);
        CHECK(report.reason == rung_failure::still_alive);
    }
    SUBCASE("cannot tell") {
        runner.ends(3, "UNKNOWN n-42 db1\n");
        CHECK(verify().outcome == rung_outcome::unknown);
    }
    SUBCASE("unreachable: that proves nothing") {
        runner.ends(255, "", "ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n");
        CHECK(verify().outcome == rung_outcome::unknown);
    }
    REQUIRE(runner.runs.size() == 1);
    CHECK(runner.runs[0].what.argv.back() == "status n-42");
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: check wants an answer, whichever") {
    runner.ends(1, "RUNNING check db1\n").ends(0, "STOPPED check db1\n").ends(0, "hello\n");
    CHECK(check().has_value());
    CHECK(check().has_value());
    const auto wrong = check();
    REQUIRE(!wrong);
    CHECK(wrong.error().code == rt::errc::protocol);
    for (const auto& run : runner.runs)
        CHECK(run.what.argv.back() == "status check");
}

TEST_CASE_FIXTURE(ssh_fixture, "ssh: the sooner of both deadlines counts") {
    options.timeout = std::chrono::seconds(3);
    const auto begun = rt::steady_clock::now();
    runner.ends(255);
    fence();
    CHECK(runner.runs[0].until.at < begun + std::chrono::seconds(4));
    options.timeout = std::chrono::hours(1);
    runner.ends(255);
    fence();
    CHECK(runner.runs[1].until.at == until.at);
}
