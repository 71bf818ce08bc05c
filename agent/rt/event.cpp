#include "agent/rt/event.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace primacy::rt {

namespace asio = boost::asio;

asio::awaitable<void> event::wait(deadline limit) {
    timer_.expires_at(limit.at);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> event::wait_shielded(deadline limit) {
    timer_.expires_at(limit.at);
    // A slot that nobody emits on takes the place of the coroutine's own.
    co_await timer_.async_wait(asio::bind_cancellation_slot(asio::cancellation_slot(),
                                                            asio::as_tuple(asio::use_awaitable)));
}

asio::awaitable<bool> is_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace primacy::rt
