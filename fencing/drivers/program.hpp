// What the drivers that run programs share: one run brought down to the few endings that a fence
// must tell apart, and words from outside made fit for a sentence.
// Knows nothing of any program.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"
#include "agent/rt/process.hpp"
#include "fencing/rung_report.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace primacy::fencing {

struct program_end {
    std::optional<int> code;  // it ended by itself, with this exit code
    // Why it did not: timeout, cancelled, not_found (cannot be started), internal (a signal).
    rung_failure failure = rung_failure::none;
    bool started = true;  // false: it certainly did nothing
    std::string how;      // "ssh exited with code 3", "cannot start ssh: …": begins a sentence
    std::string output;   // at most 64 KiB of standard output
    std::string errors;   // the same of standard error
    bool exited_with(int wanted) const { return code == wanted; }
};

// Runs a program to its end. Its group is dead when this returns.
boost::asio::awaitable<program_end> run_program(rt::process_runner& runner, rt::command what,
                                                rt::deadline until);

// The report of an act whose program did not end by itself: failed when it certainly did nothing.
rung_report not_ended_report(const program_end& end);

rung_report report_of(rung_outcome outcome, rung_failure reason, std::string sentence);

// The same words as an error, for check().
rt::error error_of(const rung_report& report);

// Awaits with throw_if_cancelled off, so that being told to stop is a value here as everything else
// is (errc::cancelled from the runner), and puts it back afterwards.
template <class T>
boost::asio::awaitable<T> cancelled_as_value(boost::asio::awaitable<T> work) {
    const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    T value = co_await std::move(work);
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    co_return value;
}

// Lines without their ends; also of text that ends without one.
std::vector<std::string_view> lines_of(std::string_view text);
bool has_line(std::string_view text, std::string_view line);

// ": its last line", cut and without control characters; nothing when there is no line.
std::string last_line(std::string_view text);

// The word without blanks around it.
std::string_view trimmed(std::string_view text);

// [a-z0-9-]+, at most 64: what may be handed on as a word anywhere.
bool is_token(std::string_view word);

// The report of an order whose nonce or incident is no token; such an order was made wrongly.
rung_report bad_order_report();

}  // namespace primacy::fencing
