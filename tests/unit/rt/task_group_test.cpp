#include "agent/rt/task_group.hpp"

#include "tests/support/poll_until.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace primacy::rt;
using namespace std::chrono_literals;
using primacy::tests::poll_until;
using primacy::tests::run_to_end;
using primacy::tests::started;

namespace {

using trace = std::vector<std::string>;

// Notes when the frame that holds it is gone.
struct unwinding {
    trace& notes;
    std::string what;
    ~unwinding() { notes.push_back(what); }
};

asio::awaitable<void> note(trace& notes, std::string what) {
    notes.push_back(std::move(what));
    co_return;
}

asio::awaitable<result<void>> wait_for_ever(trace& notes, std::string name) {
    const unwinding left{notes, name + " unwound"};
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    notes.push_back(name + " waits");
    co_await timer.async_wait(asio::use_awaitable);
    co_return result<void>();
}

asio::awaitable<result<void>> report_cancelled_as_value(trace& notes) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    auto [failure] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    notes.push_back("stopped");
    error cancelled{errc::cancelled, 0, "stopping"};
    if (failure == asio::error::operation_aborted) co_return cancelled;
    co_return result<void>();
}

// Refuses to stop until the gate opens.
asio::awaitable<result<void>> stubborn(asio::steady_timer& gate) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await gate.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return result<void>();
}

asio::awaitable<result<void>> fail_after(std::chrono::milliseconds wait, std::string why) {
    asio::steady_timer timer(co_await asio::this_coro::executor, wait);
    co_await timer.async_wait(asio::use_awaitable);
    error failure{errc::lost, 7, std::move(why)};
    co_return failure;
}

asio::awaitable<result<void>> fail_when_stopped() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    error failure{errc::io, 28, "disk full"};
    co_return failure;
}

template <class Thrown>
asio::awaitable<void> throw_it(Thrown what) {
    throw what;
    co_return;
}

// Lets everything that is ready happen, also on a loop that ran out of work before.
void poll_once(asio::io_context& context) {
    context.restart();
    context.poll();
}

deadline soon() {
    return deadline::after(10s);
}
deadline at_once() {
    return deadline::after(0s);
}

}  // namespace

TEST_CASE("a task group runs its tasks from the loop and joins when all have ended") {
    asio::io_context context;
    task_group group(context.get_executor());
    trace notes;
    group.spawn("one", note(notes, "one"));
    group.spawn("two", note(notes, "two"));
    CHECK(notes.empty());
    CHECK(group.running() == trace{"one", "two"});
    const auto begun = std::chrono::steady_clock::now();
    CHECK(run_to_end(context, group.join(soon())).has_value());
    CHECK(std::chrono::steady_clock::now() - begun < 5s);
    CHECK(notes == trace{"one", "two"});
    CHECK(group.running().empty());
    CHECK_FALSE(group.first_failure());
}

namespace {

asio::awaitable<result<void>> spawn_one_more(task_group& group, trace& notes) {
    group.spawn("inner", note(notes, "inner"));
    notes.push_back("outer");
    co_return result<void>();
}

}  // namespace

TEST_CASE("a task may start another, which does not run inside spawn either") {
    asio::io_context context;
    task_group group(context.get_executor());
    trace notes;
    group.spawn("outer", spawn_one_more(group, notes));
    CHECK(run_to_end(context, group.join(soon())).has_value());
    CHECK(notes == trace{"outer", "inner"});
}

TEST_CASE("the first failure in time is the one that is told; the others go on") {
    asio::io_context context;
    task_group group(context.get_executor());
    trace notes;
    group.spawn("late", fail_after(30ms, "second"));
    group.spawn("early", fail_after(1ms, "first"));
    group.spawn("endless", wait_for_ever(notes, "endless"));
    poll_until(context, [&] { return group.running() == trace{"endless"}; });
    REQUIRE(group.first_failure());
    CHECK(group.first_failure()->name == "early");
    CHECK(group.first_failure()->what.code == errc::lost);
    CHECK(group.first_failure()->what.native == 7);
    CHECK(notes == trace{"endless waits"});
    group.cancel();
    const auto joined = run_to_end(context, group.join(soon()));
    REQUIRE(joined.has_error());
    CHECK(joined.error().message == "early: first");
}

TEST_CASE("a failure cancels the others when they only make sense together") {
    asio::io_context context;
    task_group group(context.get_executor(), on_failure::cancel_others);
    trace notes;
    group.spawn("endless", wait_for_ever(notes, "endless"));
    group.spawn("failing", fail_after(1ms, "broken"));
    group.spawn("value", report_cancelled_as_value(notes));
    const auto joined = run_to_end(context, group.join(soon()));
    REQUIRE(joined.has_error());
    CHECK(joined.error().message == "failing: broken");
    CHECK(notes == trace{"endless waits", "endless unwound", "stopped"});
}

TEST_CASE("an exception that leaves a task is a named internal error") {
    asio::io_context context;
    {
        task_group group(context.get_executor());
        group.spawn("thrower", throw_it(std::runtime_error("boom")));
        const auto joined = run_to_end(context, group.join(soon()));
        REQUIRE(joined.has_error());
        CHECK(joined.error().code == errc::internal);
        CHECK(joined.error().message == "thrower: ended by an exception: boom");
    }
    {
        task_group group(context.get_executor());
        group.spawn("thrower", throw_it(42));
        const auto joined = run_to_end(context, group.join(soon()));
        REQUIRE(joined.has_error());
        CHECK(joined.error().message == "thrower: ended by an exception of unknown type");
    }
}

TEST_CASE("to be cancelled is not a failure, whether by exception or by value") {
    asio::io_context context;
    task_group group(context.get_executor());
    trace notes;
    group.spawn("endless", wait_for_ever(notes, "endless"));
    group.spawn("value", report_cancelled_as_value(notes));
    poll_until(context, [&] { return notes == trace{"endless waits"}; });
    poll_once(context);
    group.cancel();
    CHECK(group.running().size() == 2);
    CHECK(run_to_end(context, group.join(soon())).has_value());
    CHECK(notes == trace{"endless waits", "endless unwound", "stopped"});
    CHECK_FALSE(group.first_failure());
}

TEST_CASE("a task that ends as if cancelled although nobody asked is a failure") {
    asio::io_context context;
    task_group group(context.get_executor());
    group.spawn("quitter", throw_it(boost::system::system_error(asio::error::operation_aborted)));
    const auto joined = run_to_end(context, group.join(soon()));
    REQUIRE(joined.has_error());
    CHECK(joined.error().code == errc::cancelled);
    CHECK(joined.error().message == "quitter: was cancelled");
}

TEST_CASE("a real failure while stopping is still told") {
    asio::io_context context;
    task_group group(context.get_executor());
    group.spawn("flusher", fail_when_stopped());
    poll_once(context);
    group.cancel();
    const auto joined = run_to_end(context, group.join(soon()));
    REQUIRE(joined.has_error());
    CHECK(joined.error().message == "flusher: disk full");
}

TEST_CASE("a task cancelled before its first step never takes it, nor does one spawned later") {
    asio::io_context context;
    task_group group(context.get_executor());
    trace notes;
    group.spawn("early", note(notes, "early"));
    group.cancel();
    group.spawn("late", note(notes, "late"));
    CHECK(group.running() == trace{"early"});
    CHECK(run_to_end(context, group.join(soon())).has_value());
    CHECK(notes.empty());
}

TEST_CASE("join says which tasks would not end, and may be asked again") {
    asio::io_context context;
    asio::steady_timer gate(context, 1h);
    task_group group(context.get_executor());
    trace notes;
    group.spawn("stubborn-1", stubborn(gate));
    group.spawn("polite", wait_for_ever(notes, "polite"));
    group.spawn("stubborn-2", stubborn(gate));
    poll_once(context);
    group.cancel();
    poll_once(context);
    const auto late = run_to_end(context, group.join(deadline::after(5ms)));
    REQUIRE(late.has_error());
    CHECK(late.error().code == errc::timeout);
    CHECK(late.error().message == "still running: stubborn-1, stubborn-2");
    gate.cancel();
    CHECK(run_to_end(context, group.join(soon())).has_value());
}

namespace {

asio::awaitable<result<void>> own_a_group(trace& notes, deadline limit) {
    task_group group(co_await asio::this_coro::executor);
    group.spawn("child", wait_for_ever(notes, "child"));
    auto joined = co_await group.join(limit);
    notes.push_back(joined.has_value() ? "joined" : joined.error().message);
    co_await asio::this_coro::throw_if_cancelled(true);
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
    notes.push_back("went on");
    co_return joined;
}

asio::awaitable<result<void>> fall_out_of_a_wait(trace& notes, deadline limit) {
    task_group group(co_await asio::this_coro::executor);
    group.spawn("child", wait_for_ever(notes, "child"));
    try {
        asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
        co_await timer.async_wait(asio::use_awaitable);
    } catch (const boost::system::system_error&) {
        notes.push_back("interrupted");
    }
    group.cancel();
    co_await asio::this_coro::reset_cancellation_state();
    co_return co_await group.join(limit);
}

}  // namespace

TEST_CASE("who is cancelled while it joins takes its tasks along and stays cancelled") {
    asio::io_context context;
    trace notes;
    started<result<void>> parent(context, own_a_group(notes, soon()));
    poll_until(context, [&] { return notes == trace{"child waits"}; });
    poll_once(context);
    parent.cancel();
    CHECK_THROWS_AS(parent.wait(), boost::system::system_error);
    CHECK(notes == trace{"child waits", "child unwound", "joined"});
}

TEST_CASE("groups within groups stop from the outside in") {
    asio::io_context context;
    trace notes;
    task_group outer(context.get_executor());
    outer.spawn("owner", own_a_group(notes, soon()));
    outer.spawn("catcher", fall_out_of_a_wait(notes, soon()));
    poll_until(context, [&] { return notes.size() == 2; });
    poll_once(context);
    outer.cancel();
    CHECK(run_to_end(context, outer.join(soon())).has_value());
    CHECK(std::count(notes.begin(), notes.end(), "child unwound") == 2);
    CHECK(std::count(notes.begin(), notes.end(), "went on") == 0);
}

TEST_CASE("a cancelled joiner waits for a stubborn task no longer than its deadline") {
    asio::io_context context;
    asio::steady_timer gate(context, 1h);
    auto group = std::make_unique<task_group>(context.get_executor());
    group->spawn("stubborn", stubborn(gate));
    started<result<void>> joining(context, group->join(deadline::after(50ms)));
    poll_once(context);
    joining.cancel();
    const auto late = joining.wait();
    REQUIRE(late.has_error());
    CHECK(late.error().message == "still running: stubborn");
    // The task outlives the group, which join() has owned up to; its end must find nothing freed.
    group.reset();
    gate.cancel();
    context.restart();
    context.run();
}

TEST_CASE("tasks may be destroyed with their event loop while they wait") {
    trace notes;
    auto context = std::make_unique<asio::io_context>();
    auto group = std::make_unique<task_group>(context->get_executor());
    group->spawn("endless", wait_for_ever(notes, "endless"));
    CHECK(run_to_end(*context, group->join(at_once())).has_error());
    poll_until(*context, [&] { return notes == trace{"endless waits"}; });
    group.reset();
    context.reset();
    CHECK(notes == trace{"endless waits", "endless unwound"});
}

TEST_CASE("a thousand tasks are cancelled at once") {
    asio::io_context context;
    task_group group(context.get_executor());
    trace notes;
    for (int number = 0; number < 1000; ++number)
        group.spawn(std::to_string(number), wait_for_ever(notes, "x"));
    poll_until(context, [&] { return notes.size() == 1000; });
    group.cancel();
    group.cancel();
    CHECK(run_to_end(context, group.join(soon())).has_value());
    CHECK(notes.size() == 2000);
}
