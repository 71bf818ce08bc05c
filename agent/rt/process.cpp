#include "agent/rt/process.hpp"

#include "agent/rt/child.hpp"
#include "agent/rt/event.hpp"
#include "agent/rt/spawn.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <memory>

namespace primacy::rt {

namespace asio = boost::asio;

namespace {

enum class stop_reason {
    none,       // it ended by itself
    deadline,   // its time was over
    cancelled,  // whoever waited for it was cancelled
};

// Whatever way the run is left, also when its coroutine is destroyed: nothing of it stays behind.
struct child_guard {
    std::shared_ptr<child> held;
    ~child_guard() {
        held->signal_group(SIGKILL);
        held->reap();
        held->let_go();
    }
};

asio::awaitable<stop_reason> wait_for_end(child& running, deadline limit) {
    while (!running.ended()) {
        // A variable, because g++ 12 miscompiles a co_await inside a condition here (PR 106713).
        const bool stopping = co_await is_cancelled();
        if (stopping) co_return stop_reason::cancelled;
        if (limit.passed()) co_return stop_reason::deadline;
        co_await running.change(limit);
    }
    co_return stop_reason::none;
}

asio::awaitable<void> wait_shielded(child& running, deadline limit) {
    while (!running.ended() && !limit.passed())
        co_await running.change_shielded(limit);
}

asio::awaitable<void> end_group(child& running, std::chrono::nanoseconds grace) {
    running.signal_group(SIGTERM);
    // A stopped process hears nothing before it is continued.
    running.signal_group(SIGCONT);
    co_await wait_shielded(running, deadline::after(grace));
    running.signal_group(SIGKILL);
    // At once, unless it hangs inside the kernel.
    co_await wait_shielded(running, deadline::after(grace));
}

asio::awaitable<void> drain(child& running, deadline limit) {
    while (!running.output_complete() && !limit.passed())
        co_await running.change_shielded(limit);
}

result<exit_report> report_of(child& ended, stop_reason reason, const std::string& program,
                              time_point begun) {
    exit_report report;
    report.took = steady_clock::now() - begun;
    const auto ending = ended.reap();
    report.output = ended.take_output();
    report.errors = ended.take_errors();
    if (reason == stop_reason::cancelled) {
        return error{errc::cancelled, 0,
                     fmt::format("{} was killed because we are stopping; it may have taken effect",
                                 program)};
    }
    if (reason == stop_reason::deadline) {
        report.ending = timed_out{ended.ended()};
    } else if (ending) {
        std::visit([&](auto how) { report.ending = how; }, *ending);
    } else {
        return error{
            errc::internal, 0,
            fmt::format("{} has ended, and somebody else has taken its exit code", program)};
    }
    return report;
}

// Runs with throw_if_cancelled off: a child must be seen to its end.
asio::awaitable<result<exit_report>> run_to_end(const command& what, const run_limits& limits,
                                                line_sink* lines) {
    const auto begun = steady_clock::now();
    const auto executor = co_await asio::this_coro::executor;
    const child_guard guard{std::make_shared<child>(executor, limits, lines)};
    auto& running = *guard.held;
    auto process = spawn(what);
    if (!process) co_return process.error();
    running.adopt(std::move(*process), what.standard_input);

    const auto reason = co_await wait_for_end(running, limits.until);
    if (reason != stop_reason::none) co_await end_group(running, limits.grace);
    co_await drain(running, deadline::after(limits.drain));
    // What it left behind in its group must not go on acting after we have reported its end.
    running.signal_group(SIGKILL);
    co_return report_of(running, reason, what.argv[0], begun);
}

}  // namespace

system_process_runner::system_process_runner() {
    std::signal(SIGPIPE, SIG_IGN);
}

asio::awaitable<result<exit_report>> system_process_runner::run(command what, run_limits limits,
                                                                line_sink* lines) {
    if (limits.until.passed()) {
        const std::string program = what.argv.empty() ? "a program" : what.argv[0];
        error late{errc::timeout, 0,
                   fmt::format("{} was not started: no time was left for it", program)};
        co_return late;
    }
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto report = co_await run_to_end(what, limits, lines);
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return report;
}

bool succeeded(const exit_report& report) {
    const auto* ended = std::get_if<exited>(&report.ending);
    return ended && ended->code == 0;
}

std::string describe(const exit_report& report) {
    const auto seconds = std::chrono::duration<double>(report.took).count();
    if (const auto* ended = std::get_if<exited>(&report.ending))
        return fmt::format("exited with code {}", ended->code);
    if (const auto* killed = std::get_if<signalled>(&report.ending))
        return fmt::format("was killed by signal {} ({})", killed->number,
                           ::strsignal(killed->number));
    if (std::get<timed_out>(report.ending).gone)
        return fmt::format(
            "ran out of time and was killed after {:.1f} s; it may have taken effect", seconds);
    return fmt::format("ran out of time after {:.1f} s and cannot be killed; it may take effect",
                       seconds);
}

}  // namespace primacy::rt
