// Work that blocks (a disk, a hash, a large page) is done on a pool's thread, and the coroutine
// that waits for it goes on where it was: on the event loop. The wait cannot be interrupted; what
// the work refers to by reference must outlive it, so it takes its input by value.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace primacy::rt {

// Runs a job on the pool, then its handler where that belongs. A named type, because g++ 12 spoils
// the frame of a coroutine that holds a lambda with captures. Values travel by pointer, so that
// types without a default (result<T>) can be handed over.
struct pool_start {
    boost::asio::thread_pool& pool;

    template <class Handler, class Work>
    void operator()(Handler handler, Work job) const {
        namespace asio = boost::asio;
        using value = std::invoke_result_t<Work&>;
        auto home = asio::prefer(asio::get_associated_executor(handler),
                                 asio::execution::outstanding_work.tracked);
        asio::post(pool, [job = std::move(job), handler = std::move(handler),
                          home = std::move(home)]() mutable {
            auto made = std::make_shared<value>(job());
            asio::post(home, [handler = std::move(handler), made = std::move(made)]() mutable {
                std::move(handler)(std::move(made));
            });
        });
    }
};

// The value that `work()` returned. `work` does not throw. The pool is joined before the loop's
// context is destroyed.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work&>> offload(boost::asio::thread_pool& pool,
                                                            Work work) {
    namespace asio = boost::asio;
    using value = std::invoke_result_t<Work&>;
    const pool_start start{pool};
    auto made =
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::shared_ptr<value>)>(
            start, asio::use_awaitable, std::move(work));
    co_return std::move(*made);
}

}  // namespace primacy::rt
