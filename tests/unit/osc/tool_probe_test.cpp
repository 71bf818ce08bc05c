#include "osc/drivers/tool_probe.hpp"

#include "osc/drivers/host_facts.hpp"
#include "tests/unit/fencing/scripted_runner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <unistd.h>

using namespace primacy;
using namespace primacy::osc;
using namespace std::chrono_literals;

namespace {

struct probing {
    tests::scripted_runner runner;

    tool_facts done(boost::asio::awaitable<tool_facts> work) {
        boost::asio::io_context loop;
        tool_facts made;
        boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr fault, tool_facts got) {
            REQUIRE(!fault);
            made = std::move(got);
        });
        loop.run();
        CHECK(runner.finished());
        return made;
    }
    // /bin/sh stands for a program that is there; the script answers for it.
    tool_facts gh_ost(const std::string& program = "/bin/sh") {
        return done(probe_gh_ost(runner, program, rt::deadline::after(5s)));
    }
    tool_facts pt_osc() { return done(probe_pt_osc(runner, "sh", rt::deadline::after(5s))); }
};

}  // namespace

TEST_CASE("versions are found in what the tools print") {
    CHECK(version_in("1.1.10 (git commit: unknown)") == tool_version{1, 1, 10});
    CHECK(version_in("pt-online-schema-change 3.2.1") == tool_version{3, 2, 1});
    CHECK(version_in("1.1") == tool_version{1, 1, 0});
    CHECK(version_in("gh-ost2 v1.1.6-rc1") == tool_version{1, 1, 6});
    CHECK_FALSE(version_in("unversioned").has_value());
    CHECK_FALSE(version_in("99999999999999999999.1").has_value());
    CHECK_FALSE(version_in("").has_value());
}

TEST_CASE_FIXTURE(probing, "gh-ost: its version, and whether it knows MariaDB") {
    runner.ends(0, "1.1.10 (git commit: unknown)\n").ends(2);
    auto made = gh_ost();
    CHECK(made.problem.empty());
    CHECK(made.path == "/bin/sh");
    CHECK(made.version == tool_version{1, 1, 10});
    CHECK_FALSE(made.knows_mariadb);
    REQUIRE(runner.runs.size() == 2);
    CHECK(runner.runs[0].what.argv == std::vector<std::string>{"/bin/sh", "--version"});
    CHECK(runner.runs[1].what.argv ==
          std::vector<std::string>{"/bin/sh", "--check-flag",
                                   "--analyze-ghost-table-before-cutover"});
    CHECK(runner.runs[0].what.environment.empty());

    runner.ends(0, "unversioned (git commit: 145799eeb800)\n").ends(0);
    made = gh_ost();
    CHECK(made.knows_mariadb);
    CHECK(made.version.has_value());
}

TEST_CASE_FIXTURE(probing, "gh-ost: what keeps it from being used is a sentence") {
    CHECK(gh_ost("no-such-program-anywhere").problem ==
          "no-such-program-anywhere is not found in PATH; install it, or name it by gh_ost in "
          "[osc]");
    CHECK(gh_ost("/etc/passwd").problem ==
          "/etc/passwd is not there, or may not be started; install it, or name it by gh_ost in "
          "[osc]");
    runner.times_out();
    CHECK(gh_ost().problem == "/bin/sh hangs: --version gave no answer in time and it was killed");
    runner.ends(3, "", "cannot load\x1b libx\n");
    CHECK(gh_ost().problem == "/bin/sh --version exited with code 3: cannot load? libx");
    runner.ends(0, "1.0.49\n").ends(2);
    CHECK(gh_ost().problem == "gh-ost 1.0.49 is too old; 1.1.5 or later is needed");
    runner.fails(rt::errc::io, "start /bin/sh: Permission denied");
    CHECK(gh_ost().problem == "start /bin/sh: Permission denied");
}

TEST_CASE_FIXTURE(probing, "pt-osc: its version, and the Perl modules that it needs") {
    runner.ends(0, "pt-online-schema-change 3.2.1\n").ends(0);
    auto made = pt_osc();
    CHECK(made.problem.empty());
    CHECK(made.version == tool_version{3, 2, 1});
    CHECK(made.path.ends_with("/sh"));
    runner.ends(0, "pt-online-schema-change 3.2.1\n").ends(2, "", "Can't locate DBI.pm in @INC\n");
    CHECK(pt_osc().problem.find("libdbi-perl and libdbd-mysql-perl") != std::string::npos);
    runner.ends(0, "pt-online-schema-change 2.2.20\n");
    CHECK(pt_osc().problem == "pt-online-schema-change 2.2.20 is too old; 3.0 or later is needed");
}

TEST_CASE("this host is told by its addresses, never by guess") {
    CHECK(is_of_this_host({"127.0.0.1"}));
    CHECK(is_of_this_host({"127.200.3.4"}));
    CHECK_FALSE(is_of_this_host({"192.0.2.1"}));
    CHECK_FALSE(is_of_this_host({"db1.example"}));
    CHECK_FALSE(is_of_this_host({}));
}

TEST_CASE("free bytes are those of a directory in sight, of a server that has our host's name") {
    char name[256] = {};
    ::gethostname(name, sizeof name - 1);
    CHECK(free_bytes_of({{"127.0.0.1"}, false, name, "/"}).has_value());
    CHECK(free_bytes_of({{}, true, name, "/"}).has_value());
    CHECK_FALSE(free_bytes_of({{"192.0.2.1"}, false, name, "/"}).has_value());
    CHECK_FALSE(free_bytes_of({{"127.0.0.1"}, false, "a-container", "/"}).has_value());
    CHECK_FALSE(free_bytes_of({{"127.0.0.1"}, false, name, "/nonexistent/data"}).has_value());
    CHECK_FALSE(free_bytes_of({{"127.0.0.1"}, false, name, "data"}).has_value());
}
