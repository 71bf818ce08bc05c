// What the tests of the drivers that run programs share.
#pragma once

#include "fencing/drivers/driver.hpp"
#include "tests/support/run_to_end.hpp"
#include "tests/unit/fencing/scripted_runner.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <memory>

namespace primacy::tests {

inline const fencing::fence_target target{"shop", "db1", "10.0.0.1", 3306, ""};
inline const fencing::fence_order order{"incident-1", "n-42", "two writers"};
// What allowed it is over: the lease was lost, say.
inline const fencing::fence_order order_that_is_over{"incident-1", "n-42", "two writers",
                                                     [] { return false; }};

struct driver_call {
    boost::asio::io_context context;
    scripted_runner runner;
    rt::deadline until = rt::deadline::after(std::chrono::seconds(30));

    fencing::rung_report fence(std::unique_ptr<fencing::driver> device,
                               fencing::fence_order what = order) {
        return run_to_end(context, device->fence(what, until));
    }
    fencing::rung_report verify(std::unique_ptr<fencing::driver> device) {
        return run_to_end(context, device->verify(order, until));
    }
    rt::result<void> check(std::unique_ptr<fencing::driver> device) {
        return run_to_end(context, device->check(until));
    }
};

inline void check_report(const fencing::rung_report& report, fencing::rung_outcome outcome,
                         fencing::rung_failure reason) {
    CAPTURE(report.sentence);
    CHECK(fencing::to_string(report.outcome) == fencing::to_string(outcome));
    CHECK(fencing::to_string(report.reason) == fencing::to_string(reason));
    CHECK(!report.sentence.empty());
}

}  // namespace primacy::tests
