#include "agent/app/watch/topology_monitor.hpp"

#include "agent/app/watch/now.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto on_loop = asio::as_tuple(asio::use_awaitable);

// Readings of one tick arrive within moments of one another; a judgement waits this long for the
// stragglers, so that it sees one tick as a whole and a server that hangs delays it no longer.
constexpr auto straggler_wait = 5ms;

}  // namespace

checks::judging_policy policy_of(const topology_config& config) {
    checks::judging_policy policy;
    policy.poll_interval = config.poll_interval;
    policy.probe_timeout = config.probe_timeout;
    policy.confirm_polls = config.confirm_polls;
    policy.confirm_for = config.confirm_for;
    policy.expected_writers = config.expected_writers;
    policy.lag_warn = config.lag_warn;
    policy.clock_skew_warn = config.clock_skew_warn;
    return policy;
}

topology_monitor::topology_monitor(std::shared_ptr<const topology_config> config,
                                   checks::watch_state recalled, rt::time_point first_tick,
                                   services with)
    : config_(std::move(config)),
      policy_(policy_of(*config_)),
      with_(std::move(with)),
      schedule_{first_tick, config_->poll_interval},
      tasks_(with_.executor),
      judge_timer_(with_.executor) {
    state_.watch = std::move(recalled);
    for (const auto& server : config_->servers) {
        checks::server_view view;
        view.name = server.name;
        view.address = server.address();
        view.host = server.host;
        view.port = server.port;
        seen_.servers.push_back(std::move(view));
        probers_.push_back(with_.probe(*config_, server));
    }
}

asio::awaitable<void> topology_monitor::run() {
    judge_now();  // "nothing is known yet" is the first thing to publish
    for (std::size_t i = 0; i < probers_.size(); ++i)
        tasks_.spawn("probe " + config_->name + "/" + config_->servers[i].name, watch_server(i));
    tasks_.spawn("judge " + config_->name, judge_when_due());
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    // Being cancelled cancels the tasks; each ends within its own deadline.
    co_await tasks_.join(rt::deadline{rt::time_point::max()});
}

// A server that refuses us on purpose is asked less and less often, up to five intervals apart. One
// that is merely away is asked on every tick: the moment it returns is the moment that matters.
rt::steady_clock::duration topology_monitor::pause_after(checks::probe_failure failure,
                                                         unsigned in_a_row) const {
    bool refuses_us = failure == checks::probe_failure::denied ||
                      failure == checks::probe_failure::too_many_connections ||
                      failure == checks::probe_failure::protocol;
    if (!refuses_us || in_a_row < 2) return rt::steady_clock::duration::zero();
    rt::backoff pauses{policy_.poll_interval, 5 * policy_.poll_interval};
    return pauses.next(in_a_row - 1, with_.random_unit());
}

asio::awaitable<void> topology_monitor::watch_server(std::size_t index) {
    asio::steady_timer timer(with_.executor);
    rt::time_point due = schedule_.first;
    unsigned failures = 0;
    for (;;) {
        timer.expires_at(due);
        auto [cancelled] = co_await timer.async_wait(on_loop);
        if (cancelled) co_return;
        auto began = boot_now();
        auto late = rt::steady_clock::now() - due;
        statistics_.lateness.observe(std::chrono::duration<double>(late).count());

        ++in_flight_;
        probe_report report =
            co_await probers_[index]->read(rt::deadline::after(config_->probe_timeout));
        --in_flight_;
        auto failure = report.failure;
        record(index, began, std::move(report));

        failures = failure == checks::probe_failure::none ? 0 : failures + 1;
        if (failures == 0)
            co_await probers_[index]->read_details(rt::deadline::after(config_->probe_timeout));
        due = schedule_.after(rt::steady_clock::now() + pause_after(failure, failures));
    }
}

void topology_monitor::record(std::size_t index, checks::moment began, probe_report report) {
    checks::server_view& view = seen_.servers[index];
    checks::attempt made;
    made.number = view.newest.number + 1;
    made.started_at = began;
    made.finished_at = boot_now();
    made.failure = report.failure;
    made.error = std::move(report.error);
    made.facts = std::move(report.facts);
    if (made.good()) {
        statistics_.durations.observe(
            std::chrono::duration<double>(made.finished_at - began).count());
        view.before_good = std::move(view.last_good);
        view.last_good = made;
    } else {
        ++statistics_.failures[made.failure];
    }
    view.newest = std::move(made);
    auto now = rt::steady_clock::now();
    judge_at(in_flight_ == 0 ? now : now + straggler_wait);
}

// Only of use for a server that cannot be read: any reading of it says more. One that is under way
// may have begun before the fence, so it is not judged at once.
void topology_monitor::note_stopped(const std::string& server) {
    state_.stopped[server] = boot_now();
}

// Also without any reading a judgement is made before three intervals have passed: time makes
// evidence stale, and a topology whose servers all hang must not look like an agent that hangs.
rt::steady_clock::duration topology_monitor::longest_silence() const {
    return config_->poll_interval + config_->poll_interval / 2;
}

void topology_monitor::judge_at(rt::time_point when) {
    if (when >= judge_at_) return;
    judge_at_ = when;
    judge_timer_.expires_at(when);  // wakes judge_when_due(), which then waits for the new time
}

asio::awaitable<void> topology_monitor::judge_when_due() {
    for (;;) {
        judge_timer_.expires_at(judge_at_);
        co_await judge_timer_.async_wait(on_loop);
        if (rt::steady_clock::now() < judge_at_) continue;  // moved, or cancelled: then this throws
        judge_now();
    }
}

void topology_monitor::judge_now() {
    judge_at_ = rt::time_point::max();
    auto published = std::make_shared<topology_snapshot>();
    seen_.at = boot_now();
    published->seen = seen_;
    published->verdict = checks::judge(published->seen, state_, policy_);
    state_ = published->verdict.next;

    published->config = config_;
    published->judged_at = wall_now();
    if (state_.split.suspected)
        published->split_since = published->judged_at - (seen_.at - state_.split.since);
    published->cycles = ++cycles_;
    published->probes = statistics_;
    published->first_round_done = true;
    for (const auto& server : seen_.servers)
        if (server.newest.failure == checks::probe_failure::not_yet)
            published->first_round_done = false;
    judge_at(rt::steady_clock::now() + longest_silence());
    if (auto again = published->verdict.judge_again_at)
        judge_at(rt::steady_clock::now() + (*again - seen_.at));
    with_.publish(std::move(published));
}

}  // namespace primacy::app
