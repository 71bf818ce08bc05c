// Coroutines that live and end together: started by name, their first failure kept, cancelled and
// waited for as one. Knows nothing of what they do.
// Everything here is called on the loop thread; one executor serves the whole group.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace primacy::rt {

// What happens to the others when one task fails.
enum class on_failure {
    keep_going,     // they go on; the failure is told by join() and first_failure()
    cancel_others,  // they are cancelled: together they make sense, or not at all
};

struct task_failure {
    std::string name;
    error what;  // its message begins with the name
};

class task_group {
public:
    explicit task_group(boost::asio::any_io_executor executor,
                        on_failure policy = on_failure::keep_going);
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    // The tasks have ended by now (asserted), or join() has said which have not.
    ~task_group();

    // Starts a task from the event loop, never inside this call. What it refers to outlives it. An
    // exception that leaves it is recorded as errc::internal. After cancel() nothing is started.
    void spawn(std::string name, boost::asio::awaitable<result<void>> task);
    void spawn(std::string name, boost::asio::awaitable<void> task);

    // Asks every task to stop, from the event loop. To end by it is not a failure.
    void cancel();

    // Waits until all have ended. Returns the first failure in time, or errc::timeout with the
    // names of those that still run at the deadline. When the caller is cancelled meanwhile, so are
    // the tasks, and the wait goes on to their end: awaited on the way out of a coroutine that may
    // have been cancelled already, it needs `co_await this_coro::reset_cancellation_state()` before
    // it.
    boost::asio::awaitable<result<void>> join(deadline limit);

    const std::optional<task_failure>& first_failure() const;
    std::vector<std::string> running() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace primacy::rt
