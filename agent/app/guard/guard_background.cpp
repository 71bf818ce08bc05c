// What the guard does without being asked by a judgement: takes up what an earlier run left, and
// looks after the devices.
#include "agent/app/guard/guard.hpp"
#include "agent/app/watch/now.hpp"
#include "agent/rt/checkpoint.hpp"
#include "agent/rt/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using fencing::rung_failure;
using fencing::rung_outcome;
using fencing::rung_report;

namespace {

constexpr auto on_loop = asio::as_tuple(asio::use_awaitable);
constexpr auto check_devices_every = 60s;
constexpr auto patience_with_device = 10s;
constexpr auto patience_with_past = 10s;  // of all looks at what a restart interrupted

}  // namespace

// One rung that was tried. What is known to have failed needs no look.
asio::awaitable<rung_report> guard::look_after_restart(unfinished_fence left, tried_rung tried,
                                                       rt::deadline until) {
    if (tried.outcome == rung_outcome::failed)
        co_return rung_report{rung_outcome::failed,
                              rung_failure::none,
                              tried.name + " had failed before the agent ended",
                              {}};
    fencing::driver* driver = driver_of(left.server, tried.name);
    if (!driver)
        co_return rung_report{
            rung_outcome::unknown,
            rung_failure::not_found,
            "the agent ended in the middle of " + tried.name + ", which is not configured any more",
            {}};
    fencing::fence_order order{left.incident, new_nonce(), "taken up after a restart"};
    rt::checkpoint("guard.take_up");
    auto seen = co_await driver->verify(std::move(order), until);
    rt::checkpoint("guard.taken_up");
    auto found = co_await look_again(left.server, tried.name, std::move(seen));
    const bool settled = tried.outcome && *tried.outcome != rung_outcome::unknown;
    co_return settled ? found : fencing::after_unknown_act(std::move(found));
}

// The newest first: the others had not stopped it when that one was begun.
asio::awaitable<void> guard::take_up(unfinished_fence left) {
    rung_report found{
        rung_outcome::failed, rung_failure::none, "the agent ended before anything was done", {}};
    std::string rung;
    const rt::deadline until = rt::deadline::after(patience_with_past);
    std::reverse(left.tried.begin(), left.tried.end());
    for (std::size_t i = 0; i < left.tried.size(); ++i) {
        if (found.outcome == rung_outcome::confirmed) break;
        const auto share = until.left() / static_cast<int>(left.tried.size() - i);
        auto seen = co_await look_after_restart(left, left.tried[i], rt::deadline::after(share));
        if (!rung.empty() && !fencing::outweighs(seen.outcome, found.outcome)) continue;
        found = std::move(seen);
        rung = left.tried[i].name;
    }
    rt::log(rt::log_level::warning, "fence",
            config_->name + ": the fence of " + left.server + " that a restart interrupted is " +
                std::string(fencing::to_string(found.outcome)) + ": " + found.sentence,
            {{"topology", config_->name}, {"server", left.server}});
    has_taken_up(left.server);
    fencing::fence_end end{fencing::stage_of(found.outcome), rung, found.sentence, true};
    co_await end_fence(left.server, left.incident, std::move(end));
}

// A person's order to make a server writable was noted, and not what came of it.
asio::awaitable<void> guard::take_up_opening(fence_entry left) {
    rung_report found{rung_outcome::unknown, rung_failure::not_found, "nobody can look", {}};
    std::unique_ptr<fencing::driver> eyes;
    for (const auto& server : config_->servers)
        if (server.name == left.server) eyes = with_.make_driver(server, "sql");
    if (eyes) {
        fencing::fence_order order{"", new_nonce(), "an opening that a restart interrupted"};
        auto looked = co_await eyes->verify(std::move(order), rt::deadline::after(10s));
        found = std::move(looked);
    }
    const bool open = found.outcome == rung_outcome::failed;  // to be seen stopped
    const std::string said = "the opening of " + left.server + " that a restart interrupted " +
                             (open ? "had come about" : "is not seen: " + found.sentence);
    rt::log(rt::log_level::warning, "fence", config_->name + ": " + said,
            {{"topology", config_->name}, {"server", left.server}});
    fence_entry end = entry_of(open ? record_kind::released : record_kind::outcome, left.server);
    end.by = left.by;
    end.reason = said;
    if (!open) end.result = found.outcome == rung_outcome::unknown ? "unknown" : "failed";
    if (open) fencing::fence_released(state_, left.server);
    has_taken_up(left.server);
    co_await note(std::move(end));
}

void guard::has_taken_up(const std::string& server) {
    if (const auto one = taking_up_.find(server); one != taking_up_.end()) taking_up_.erase(one);
}

// What is taken up says how it came out; a person's order waits for that, and comes after it.
asio::awaitable<void> guard::taken_up() {
    asio::steady_timer timer(with_.executor);
    while (!taking_up_.empty() && !over_) {
        timer.expires_after(10ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// One device, for ever; each has a task of its own, so that one that hangs delays no other.
asio::awaitable<void> guard::watch_device(device which, std::chrono::milliseconds first) {
    asio::steady_timer timer(with_.executor);
    timer.expires_after(first);
    auto [stopped] = co_await timer.async_wait(on_loop);
    if (stopped) co_return;
    fencing::driver& driver = *driver_of(which.first, which.second);
    method_health& health = health_.at(which);
    for (;;) {
        auto checked = co_await driver.check(rt::deadline::after(patience_with_device));
        bool told = health.checked && !health.up;
        health.checked = true;
        health.up = checked.has_value();
        health.trouble = checked ? "" : checked.error().message;
        if (!health.up && !told)
            rt::log(rt::log_level::warning, "fence",
                    config_->name + ": " + which.second + " could not stop " + which.first +
                        " now: " + health.trouble,
                    {{"topology", config_->name}, {"server", which.first}});
        timer.expires_after(check_devices_every);
        auto [cancelled] = co_await timer.async_wait(on_loop);
        if (cancelled) co_return;
    }
}

asio::awaitable<void> guard::idle() {
    asio::steady_timer timer(with_.executor, rt::time_point::max());
    co_await timer.async_wait(on_loop);
}

asio::awaitable<void> guard::run() {
    for (auto& left : unfinished_)
        tasks_.spawn("take up " + left.server, take_up(left));
    unfinished_.clear();
    for (auto& left : openings_)
        tasks_.spawn("take up the opening of " + left.server, take_up_opening(left));
    openings_.clear();
    // Whether SQL would do it is of interest only where we may act: it costs the server a login.
    // One after the other, because a thousand logins at once are an attack.
    auto first = check_devices_every * std::uniform_real_distribution<double>(0, 0.1)(random_);
    for (const auto& [which, health] : health_) {
        if (!with_.acts_by_itself) break;
        if (!policy_.enforce && which.second == "sql") continue;
        if (!driver_of(which.first, which.second)) continue;
        auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(first);
        tasks_.spawn("device " + which.second, watch_device(which, wait));
        first = std::min<decltype(first)>(first + 100ms, check_devices_every);
    }
    // In observe mode with SQL alone there is no task; an empty group would end the wait below.
    tasks_.spawn("idle", idle());
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    // Being cancelled cancels the tasks; a rung at work ends within its grace.
    co_await tasks_.join(rt::deadline{rt::time_point::max()});
    over_ = true;
}

}  // namespace primacy::app
