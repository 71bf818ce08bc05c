// What a coroutine waits on until something it looks at has changed: a condition variable for one
// event loop. Knows nothing of the condition; the waiter checks it again after every return.
#pragma once

#include "agent/rt/deadline.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace primacy::rt {

// Loop thread only, one waiter at a time. Nothing is remembered: a notify() with no waiter is lost,
// so the condition is checked with no await between the check and the wait.
class event {
public:
    explicit event(boost::asio::any_io_executor executor) : timer_(std::move(executor)) {}

    void notify() { timer_.cancel(); }

    // Return when notified or at the deadline; wait() also when the awaiting coroutine is
    // cancelled, which never interrupts wait_shielded(). The event outlives the wait. A coroutine
    // that waits after it was cancelled has to turn throw_if_cancelled off, as with every co_await.
    boost::asio::awaitable<void> wait(deadline limit);
    boost::asio::awaitable<void> wait_shielded(deadline limit);

private:
    boost::asio::steady_timer timer_;
};

// True when somebody has asked the coroutine that calls it to stop. Only of use where
// throw_if_cancelled is off; elsewhere this co_await throws instead, as every other does.
boost::asio::awaitable<bool> is_cancelled();

}  // namespace primacy::rt
