// How programs that do not end by themselves are ended, and what they leave behind.
#include "agent/rt/process.hpp"
#include "tests/unit/rt/process_fixture.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace primacy::rt;
using namespace primacy::tests;
using namespace std::chrono_literals;

namespace {

// A run under way whose program has already written its process id.
struct long_run {
    asio::io_context& context;
    system_process_runner runner;
    line_collector heard;
    started<result<exit_report>> task;

    long_run(asio::io_context& where, const std::string& script, run_limits limits)
        : context(where), task(where, runner.run(shell(script), limits, &heard)) {
        poll_until(context, [this] { return !heard.lines.empty(); });
    }
    pid_t told_id() const { return number_in(heard.lines.at(0)); }
};

}  // namespace

TEST_CASE("at the deadline a program is told to end, and has ended and been reaped") {
    asio::io_context context;
    const auto report = run(context, shell("echo $$; exec sleep 1000"), within(30ms));
    REQUIRE(report.has_value());
    REQUIRE(std::holds_alternative<timed_out>(report->ending));
    CHECK(std::get<timed_out>(report->ending).gone);
    CHECK(report->took >= 30ms);
    CHECK(report->took < 2s);  // SIGTERM was enough: the grace is not over
    CHECK_FALSE(succeeded(*report));
    CHECK(describe(*report).find("ran out of time and was killed after 0.") == 0);
    CHECK(report->output.complete);
    CHECK_FALSE(exists(number_in(report->output.text)));
}

TEST_CASE("a program may use the grace to tidy up, and is timed out all the same") {
    asio::io_context context;
    const auto report = run(
        context, shell("trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.01; done"),
        within(100ms));
    REQUIRE(report.has_value());
    CHECK(std::holds_alternative<timed_out>(report->ending));
    CHECK(report->output.text == "ready\ntidied\n");
}

TEST_CASE("a program that ignores SIGTERM is killed after the grace") {
    asio::io_context context;
    auto limits = within(200ms);
    limits.grace = 150ms;
    const auto report =
        run(context, shell("trap '' TERM; echo $$; while :; do sleep 0.01; done"), limits);
    REQUIRE(report.has_value());
    CHECK(std::holds_alternative<timed_out>(report->ending));
    CHECK(report->took >= 350ms);
    CHECK_FALSE(exists(number_in(report->output.text)));
}

TEST_CASE("a stopped program hears SIGTERM too") {
    asio::io_context context;
    auto limits = within(50ms);
    limits.grace = 20s;
    const auto report = run(context, shell("echo $$; kill -STOP $$; sleep 1000"), limits);
    REQUIRE(report.has_value());
    CHECK(std::holds_alternative<timed_out>(report->ending));
    CHECK(report->took < 10s);
}

TEST_CASE("the whole group ends, also a process in it that ignores SIGTERM") {
    asio::io_context context;
    auto limits = within(200ms);
    limits.grace = 10s;
    const auto report =
        run(context, shell("(trap '' TERM; while :; do sleep 1; done) & echo $!; wait"), limits);
    REQUIRE(report.has_value());
    CHECK(std::holds_alternative<timed_out>(report->ending));
    CHECK(report->took < 5s);  // its parent went at once, so there was nothing to wait for
    const pid_t left = number_in(report->output.text);
    poll_until(context, [&] { return !is_running(left); });
    CHECK_FALSE(is_running(left));
}

TEST_CASE("a process left behind that holds the pipes delays by the drain only, and is ended") {
    asio::io_context context;
    auto limits = long_enough();
    limits.drain = 50ms;
    const auto report = run(context, shell("sleep 1000 & echo $!; exit 4"), limits);
    REQUIRE(report.has_value());
    REQUIRE(std::holds_alternative<exited>(report->ending));
    CHECK(std::get<exited>(report->ending).code == 4);
    CHECK_FALSE(report->output.complete);
    CHECK(report->took >= 50ms);
    CHECK(report->took < 10s);
    const pid_t left = number_in(report->output.text);
    poll_until(context, [&] { return !is_running(left); });
    CHECK_FALSE(is_running(left));
}

TEST_CASE("a process that left the group is not ours to end, nor does it hold us up") {
    asio::io_context context;
    auto limits = long_enough();
    limits.drain = 50ms;
    const auto report =
        run(context, shell("setsid sh -c 'echo $$; exec sleep 1000' & exit 0"), limits);
    REQUIRE(report.has_value());
    CHECK(std::holds_alternative<exited>(report->ending));
    CHECK(report->took < 10s);
    REQUIRE_FALSE(report->output.text.empty());
    const pid_t left = number_in(report->output.text);
    CHECK(is_running(left));
    CHECK(::kill(left, SIGKILL) == 0);
}

TEST_CASE("whoever is cancelled while a program runs takes the program along") {
    asio::io_context context;
    long_run running(context, "echo $$; exec sleep 1000", long_enough());
    REQUIRE(is_running(running.told_id()));
    running.task.cancel();
    const auto report = running.task.wait();
    REQUIRE(report.has_error());
    CHECK(report.error().code == errc::cancelled);
    CHECK(report.error().message.find("/bin/sh was killed because we are stopping") == 0);
    CHECK_FALSE(exists(running.told_id()));
}

TEST_CASE("being cancelled again does not cut the killing short") {
    asio::io_context context;
    auto limits = long_enough();
    limits.grace = 100ms;
    long_run running(context, "trap '' TERM; echo $$; while :; do sleep 0.01; done", limits);
    running.task.cancel();
    context.restart();
    context.poll();
    running.task.cancel();
    CHECK(running.task.wait().error().code == errc::cancelled);
    CHECK_FALSE(exists(running.told_id()));
}

TEST_CASE("being cancelled during the drain loses nothing of what is known") {
    asio::io_context context;
    auto limits = long_enough();
    limits.drain = 300ms;
    long_run running(context, "sleep 1000 & echo $!; exit 4", limits);
    // The shell is gone soon after its line; only then is the drain what is waited for.
    const pid_t left = running.told_id();
    poll_until(context, [&] { return ::getpgid(left) != -1 && !is_running(::getpgid(left)); });
    context.restart();
    context.poll();
    running.task.cancel();
    const auto report = running.task.wait();
    REQUIRE(report.has_value());
    CHECK(std::get<exited>(report->ending).code == 4);
}

TEST_CASE("a coroutine destroyed while its program runs takes the program along") {
    auto context = std::make_unique<asio::io_context>();
    auto running = std::make_unique<long_run>(*context, "echo $$; exec sleep 1000", long_enough());
    const pid_t id = running->told_id();
    REQUIRE(is_running(id));
    context.reset();
    poll_until([&] { return !is_running(id); });
    CHECK_FALSE(is_running(id));
    running.reset();
    // It was killed but not yet reaped, since nobody could wait for it.
    ::waitpid(id, nullptr, 0);
}
