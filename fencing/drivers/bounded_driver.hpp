// What every driver does around its own work: its timeout, and being told to stop as a value.
// Knows no device.
#pragma once

#include "fencing/drivers/driver.hpp"
#include "fencing/drivers/program.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace primacy::fencing {

class bounded_driver : public driver {
public:
    boost::asio::awaitable<rung_report> fence(fence_order order, rt::deadline until) final {
        return cancelled_as_value(act(std::move(order), limit_of(until)));
    }
    boost::asio::awaitable<rung_report> verify(fence_order order, rt::deadline until) final {
        return cancelled_as_value(observe(std::move(order), limit_of(until)));
    }
    boost::asio::awaitable<rt::result<void>> check(rt::deadline until) final {
        return cancelled_as_value(ready(limit_of(until)));
    }

protected:
    // Of each call; without one the caller's deadline alone counts.
    explicit bounded_driver(std::optional<std::chrono::milliseconds> timeout) : timeout_(timeout) {}

private:
    virtual boost::asio::awaitable<rung_report> act(fence_order order, rt::deadline until) = 0;
    virtual boost::asio::awaitable<rung_report> observe(fence_order order, rt::deadline until) = 0;
    virtual boost::asio::awaitable<rt::result<void>> ready(rt::deadline until) = 0;

    rt::deadline limit_of(rt::deadline until) const {
        return timeout_ ? until.sooner(rt::deadline::after(*timeout_)) : until;
    }

    const std::optional<std::chrono::milliseconds> timeout_;
};

}  // namespace primacy::fencing
