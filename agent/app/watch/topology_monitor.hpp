// Watches one topology: a probe coroutine per server on a fixed schedule, and a judgement as soon
// as there is something new to judge. Publishes an immutable snapshot after each judgement. Decides
// nothing itself; knows nothing of SQL, HTTP or files.
#pragma once

#include "agent/app/watch/prober.hpp"
#include "agent/app/watch/schedule.hpp"
#include "agent/app/watch/snapshot.hpp"
#include "agent/rt/backoff.hpp"
#include "agent/rt/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace primacy::app {

class topology_monitor {
public:
    struct services {
        boost::asio::any_io_executor executor;
        std::function<std::unique_ptr<prober>(const topology_config&, const server_config&)> probe;
        std::function<void(std::shared_ptr<const topology_snapshot>)> publish;
        std::function<double()> random_unit;  // in [0, 1)
    };

    // `recalled` is what is remembered of an earlier run. The first probes start at `first_tick`.
    topology_monitor(std::shared_ptr<const topology_config> config, checks::watch_state recalled,
                     rt::time_point first_tick, services with);

    // Runs until it is cancelled, then waits for its probes to unwind.
    boost::asio::awaitable<void> run();

    const topology_config& config() const noexcept { return *config_; }
    // A fence or a person has stopped this server; the next judgement knows it.
    void note_stopped(const std::string& server);
    // What a successor needs when the configuration changes.
    const checks::watch_state& watch() const noexcept { return state_.watch; }

private:
    boost::asio::awaitable<void> watch_server(std::size_t index);
    boost::asio::awaitable<void> judge_when_due();
    void record(std::size_t index, checks::moment began, probe_report report);
    rt::steady_clock::duration longest_silence() const;
    void judge_at(rt::time_point when);
    void judge_now();
    rt::steady_clock::duration pause_after(checks::probe_failure failure, unsigned in_a_row) const;

    std::shared_ptr<const topology_config> config_;
    checks::judging_policy policy_;
    services with_;
    fixed_schedule schedule_;
    std::vector<std::unique_ptr<prober>> probers_;
    rt::task_group tasks_;

    checks::observation seen_;
    checks::judging_state state_;
    probe_statistics statistics_;
    std::uint64_t cycles_ = 0;
    std::size_t in_flight_ = 0;
    boost::asio::steady_timer judge_timer_;
    rt::time_point judge_at_ = rt::time_point::max();
};

// The judge's rules from the configuration.
checks::judging_policy policy_of(const topology_config& config);

}  // namespace primacy::app
