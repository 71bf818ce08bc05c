// The test tools that other tests lean on are proved here.
#include "tests/support/fake_clock.hpp"

#include "tests/support/poll_until.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <type_traits>

using namespace std::chrono_literals;
using primacy::tests::fake_clock;
using primacy::tests::fake_timer;
using primacy::tests::poll_until;

static_assert(
    !std::is_convertible_v<std::chrono::steady_clock::time_point, fake_clock::time_point>);

namespace {

struct ticker {
    fake_timer& timer;
    int& ticks;

    void operator()(boost::system::error_code failure) {
        if (failure) return;
        ++ticks;
        timer.expires_at(timer.expiry() + 1h);
        timer.async_wait(*this);
    }
};

}  // namespace

TEST_CASE("fake time moves timers by hours and only when told") {
    fake_clock::reset();
    boost::asio::io_context context;
    fake_timer timer(context, fake_clock::now() + 1h);
    int ticks = 0;
    timer.async_wait(ticker{timer, ticks});
    context.poll();
    CHECK(ticks == 0);
    fake_clock::advance(59min);
    context.poll();
    CHECK(ticks == 0);
    fake_clock::advance(1min);
    context.poll();
    CHECK(ticks == 1);
    for (int hour = 0; hour < 23; ++hour) {
        fake_clock::advance(1h);
        context.poll();
    }
    CHECK(ticks == 24);
}

TEST_CASE("poll_until runs the loop until the condition holds, also a stopped or an idle one") {
    boost::asio::io_context context;
    bool ran = false;
    context.run();
    REQUIRE(context.stopped());
    boost::asio::post(context, [&ran] { ran = true; });
    poll_until(context, [&ran] { return ran; });
    CHECK(ran);
    int looks = 0;
    poll_until(context, [&looks] { return ++looks == 5; });
    CHECK(looks == 5);
}
