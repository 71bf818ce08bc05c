// One topology under watch and under guard: its monitor, its lease, its guard, and the tasks that
// run them, wired to one another. The agent has one for each topology; a command that finds no
// agent makes one for itself. Decides nothing; knows nothing of HTTP, signals or memory on disk.
#pragma once

#include "agent/app/guard/drivers.hpp"
#include "agent/app/guard/guard.hpp"
#include "agent/app/watch/topology_monitor.hpp"
#include "agent/rt/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace primacy::app {

class guarded_topology {
public:
    // All of it outlives the topology.
    struct surroundings {
        boost::asio::any_io_executor executor;
        rt::sql::network* network = nullptr;
        rt::process_runner* runner = nullptr;
        // Null: nothing can be noted, and so nothing is done; only looked at.
        fence_journal* journal = nullptr;
        const config* settings = nullptr;
    };
    struct beginning {
        checks::watch_state recalled;  // of an earlier run
        const std::vector<fence_entry>& history;
        rt::time_point first_tick;  // of the polls
        // False: does what a person asks, and nothing by itself, whatever the mode.
        bool acts_by_itself = true;
    };
    using listener = std::function<void(std::shared_ptr<const topology_snapshot>)>;

    // `heard` is told each judgement, before the guard is.
    guarded_topology(surroundings around, const topology_config& topology, beginning from,
                     listener heard);

    void start();
    // Ends what runs. An error when something of it did not end by the deadline: then the object
    // must stay as long as the loop does.
    boost::asio::awaitable<rt::result<void>> stop(rt::deadline until);

    const topology_config& config() const noexcept { return *config_; }
    guard& guardian() noexcept { return *guard_; }
    const guard& guardian() const noexcept { return *guard_; }

private:
    void make_monitor(checks::watch_state recalled, rt::time_point first_tick);
    void make_guard(const std::vector<fence_entry>& history, bool acts_by_itself);

    surroundings around_;
    std::shared_ptr<const topology_config> config_;
    listener heard_;
    std::minstd_rand random_;
    std::unique_ptr<topology_monitor> monitor_;
    std::unique_ptr<fencing::servers_lease> lease_;  // null when none is needed
    std::unique_ptr<guard> guard_;
    rt::task_group tasks_;
    bool stopping_ = false;
};

}  // namespace primacy::app
