// Runs an event loop until something has become true: what a test does instead of sleeping.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/assert/source_location.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

namespace primacy::tests {

// Fails the test at the caller's line when the condition is still false after `cap` of real time.
template <class Condition>
void poll_until(boost::asio::io_context& context, Condition condition,
                std::chrono::steady_clock::duration cap = std::chrono::seconds(15),
                boost::source_location where = BOOST_CURRENT_LOCATION) {
    const auto limit = std::chrono::steady_clock::now() + cap;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= limit) {
            ADD_FAIL_AT(where.file_name(), static_cast<int>(where.line()),
                        "the condition did not become true in time");
        }
        if (context.stopped()) context.restart();
        // Nothing to run: what is waited for happens outside this loop.
        if (context.run_one_for(std::chrono::milliseconds(5)) == 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

// The same for a condition that needs no event loop.
template <class Condition>
void poll_until(Condition condition,
                std::chrono::steady_clock::duration cap = std::chrono::seconds(15),
                boost::source_location where = BOOST_CURRENT_LOCATION) {
    boost::asio::io_context idle;
    poll_until(idle, std::move(condition), cap, where);
}

}  // namespace primacy::tests
