// The agent: wires configuration, monitors, memory, pages and the service manager together, and
// ends cleanly. Decides nothing.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/app/daemon/pages.hpp"
#include "agent/app/guard/guarded_topology.hpp"
#include "agent/app/http/server.hpp"
#include "agent/app/osc/job_desk.hpp"
#include "agent/app/watch/watch_store.hpp"
#include "agent/rt/error.hpp"
#include "agent/rt/event.hpp"
#include "agent/rt/notify.hpp"
#include "agent/rt/sql/network.hpp"
#include "agent/rt/task_group.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace primacy::app {

class daemon {
public:
    // `may_fence` false: whatever the configuration says, it only watches and changes schemas.
    daemon(boost::asio::io_context& loop, config settings, bool may_fence = true);
    ~daemon();

    // Serves until SIGTERM or SIGINT. An error is one that prevents the start.
    boost::asio::awaitable<rt::result<void>> run();

private:
    rt::result<void> open_state();
    boost::asio::awaitable<void> take_journal_when_free();
    rt::result<void> listen();
    void start_topology(const topology_config& topology, std::size_t index, std::size_t of);
    boost::asio::awaitable<void> stop_topology(std::string name);
    boost::asio::awaitable<void> reload();
    boost::asio::awaitable<void> apply(config fresh);
    static config without_fencing(config settings);
    boost::asio::awaitable<void> handle_signals();
    boost::asio::awaitable<void> feed_watchdog();
    boost::asio::awaitable<void> stop();
    job_desk::services job_services();
    boost::asio::awaitable<order_answer> carry_out(person_order order);
    void publish(std::shared_ptr<const topology_snapshot> judged);
    boost::asio::awaitable<void> publish_when_saved(std::string name);
    boost::asio::awaitable<void> announce_ready();
    // What is known of the topologies; snapshot() adds what the guards say, for the pages.
    std::shared_ptr<agent_snapshot> topologies_now() const;
    std::shared_ptr<const agent_snapshot> snapshot() const;
    std::string status_line() const;

    boost::asio::io_context& loop_;
    const bool may_fence_;
    config settings_;
    boost::asio::thread_pool pages_pool_{1};  // pages and password hashes
    boost::asio::thread_pool passwords_pool_{1};
    boost::asio::thread_pool disk_pool_{1};
    rt::sql::network network_;
    rt::notifier service_manager_;
    watch_store store_;
    fence_journal journal_;
    journal_history history_;        // of the fences before this start or reload
    bool journal_is_taken_ = false;  // by a command that works without an agent
    rt::system_process_runner runner_;
    job_desk jobs_;
    page_source page_source_;
    std::optional<http::server> public_server_;
    std::optional<http::server> control_server_;
    rt::task_group servers_;
    rt::task_group tasks_;
    rt::event stopping_;
    bool stop_asked_ = false;
    // Shared with the orders that are being carried out: they may outlast a reload.
    std::map<std::string, std::shared_ptr<guarded_topology>> topologies_;
    // Whose tasks did not end in time, and still refer to them.
    std::vector<std::shared_ptr<guarded_topology>> stuck_;
    struct latest {
        std::shared_ptr<const topology_snapshot> newest;
        std::shared_ptr<const topology_snapshot> published;  // what is shown
        bool waits_for_disk = false;  // `newest` names somebody that is not on disk yet
    };
    std::map<std::string, latest> judged_;

    checks::wall_time started_at_;
    checks::wall_time last_cycle_at_{};
    checks::wall_time last_reload_at_{};
    bool last_reload_successful_ = true;
};

}  // namespace primacy::app
