#include "agent/rt/task_group.hpp"

#include "agent/rt/event.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <exception>
#include <list>

namespace primacy::rt {

namespace asio = boost::asio;

namespace {

struct child {
    std::string name;
    asio::cancellation_signal stop;
    result<void> outcome;
};

error error_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted)
            return {errc::cancelled, 0, "was cancelled"};
        return {errc::internal, failure.code().value(),
                fmt::format("ended by an exception: {}", failure.what())};
    } catch (const std::exception& failure) {
        return {errc::internal, 0, fmt::format("ended by an exception: {}", failure.what())};
    } catch (...) {
        return {errc::internal, 0, "ended by an exception of unknown type"};
    }
}

// The post has two uses: a task never runs inside spawn(), and it has left the caller's stack
// before it can be cancelled, which is what co_spawn of 1.81 needs to report a cancellation as
// such.
asio::awaitable<void> contained(std::shared_ptr<child> entry, asio::awaitable<result<void>> task) {
    co_await asio::post(asio::use_awaitable);
    try {
        entry->outcome = co_await std::move(task);
    } catch (...) {
        entry->outcome = error_of(std::current_exception());
    }
}

asio::awaitable<result<void>> with_result(asio::awaitable<void> task) {
    co_await std::move(task);
    co_return result<void>();
}

}  // namespace

// Shared with the tasks' completions, which may run after the group is gone.
struct task_group::state {
    asio::any_io_executor executor;
    on_failure policy;
    std::list<std::shared_ptr<child>> children;
    std::optional<task_failure> first_failure;
    bool cancelled = false;
    bool overdue = false;  // join() has told its caller that some would not end
    event all_ended;

    state(asio::any_io_executor where, on_failure what)
        : executor(where), policy(what), all_ended(std::move(where)) {}

    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& each : children)
            names.push_back(each->name);
        return names;
    }

    void finish(const std::shared_ptr<child>& ended) {
        children.remove(ended);
        if (!ended->outcome) note(ended->name, ended->outcome.error());
        if (children.empty()) all_ended.notify();
    }

    void note(const std::string& name, error failure) {
        // One that ends as if cancelled although nobody asked for it is missed like any other.
        if (failure.code == errc::cancelled && cancelled) return;
        if (!first_failure) {
            failure.message = fmt::format("{}: {}", name, failure.message);
            first_failure = task_failure{name, std::move(failure)};
        }
        if (policy == on_failure::cancel_others) cancel_children();
    }

    void cancel_children() {
        cancelled = true;
        // A task may end, and leave the list, while its signal is being emitted.
        const auto all = children;
        for (const auto& each : all)
            each->stop.emit(asio::cancellation_type::all);
    }

    result<void> outcome() {
        overdue = !children.empty();
        if (overdue) {
            return error{errc::timeout, 0,
                         fmt::format("still running: {}", fmt::join(names(), ", "))};
        }
        if (first_failure) return first_failure->what;
        return {};
    }
};

task_group::task_group(asio::any_io_executor executor, on_failure policy)
    : state_(std::make_shared<state>(std::move(executor), policy)) {}

task_group::~task_group() {
    assert(state_->children.empty() || state_->overdue);
}

void task_group::spawn(std::string name, asio::awaitable<result<void>> task) {
    if (state_->cancelled) return;
    auto entry = std::make_shared<child>();
    entry->name = std::move(name);
    state_->children.push_back(entry);
    auto when_ended = [shared = state_, entry](const std::exception_ptr&) {
        shared->finish(entry);
    };
    asio::co_spawn(state_->executor, contained(entry, std::move(task)),
                   asio::bind_cancellation_slot(entry->stop.slot(), std::move(when_ended)));
}

void task_group::spawn(std::string name, asio::awaitable<void> task) {
    spawn(std::move(name), with_result(std::move(task)));
}

void task_group::cancel() {
    state_->cancelled = true;
    asio::post(state_->executor, [shared = state_] { shared->cancel_children(); });
}

asio::awaitable<result<void>> task_group::join(deadline limit) {
    const auto shared = state_;
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    bool passed_on = false;
    while (!shared->children.empty() && !limit.passed()) {
        // A variable, because g++ 12 may miscompile a co_await inside a condition (PR 106713).
        const bool stopping = co_await is_cancelled();
        if (stopping && !passed_on) {
            shared->cancel_children();
            passed_on = true;
        } else if (stopping) {
            co_await shared->all_ended.wait_shielded(limit);
        } else {
            co_await shared->all_ended.wait(limit);
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return shared->outcome();
}

const std::optional<task_failure>& task_group::first_failure() const {
    return state_->first_failure;
}

std::vector<std::string> task_group::running() const {
    return state_->names();
}

}  // namespace primacy::rt
