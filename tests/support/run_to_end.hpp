// Runs one coroutine on an event loop until it has ended and returns what it returned.
#pragma once

#include "tests/support/poll_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/assert/source_location.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace primacy::tests {

// A coroutine under way, for tests that do something to it meanwhile. Outlives it.
template <class T>
class started {
public:
    started(boost::asio::io_context& context, boost::asio::awaitable<T> task) : context_(context) {
        auto when_ended = [this](std::exception_ptr thrown) {
            ended_ = true;
            thrown_ = thrown;
        };
        boost::asio::co_spawn(context, keep(std::move(task)),
                              boost::asio::bind_cancellation_slot(stop_.slot(), when_ended));
    }
    started(const started&) = delete;
    started& operator=(const started&) = delete;

    bool ended() const { return ended_; }
    // Call it between runs of the loop, once the coroutine waits for something.
    void cancel() { stop_.emit(boost::asio::cancellation_type::all); }

    // What it returned, or throws what it threw.
    T wait(boost::source_location where = BOOST_CURRENT_LOCATION) {
        poll_until(
            context_, [this] { return ended_; }, std::chrono::seconds(15), where);
        if (thrown_) std::rethrow_exception(thrown_);
        return std::move(*value_);
    }

private:
    boost::asio::awaitable<void> keep(boost::asio::awaitable<T> task) {
        value_.emplace(co_await std::move(task));
    }

    boost::asio::io_context& context_;
    boost::asio::cancellation_signal stop_;
    bool ended_ = false;
    std::exception_ptr thrown_;
    std::optional<T> value_;
};

template <class T>
T run_to_end(boost::asio::io_context& context, boost::asio::awaitable<T> task,
             boost::source_location where = BOOST_CURRENT_LOCATION) {
    started<T> running(context, std::move(task));
    return running.wait(where);
}

}  // namespace primacy::tests
