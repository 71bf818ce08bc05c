#include "agent/app/guard/guarded_topology.hpp"

#include "agent/app/report/status_json.hpp"
#include "agent/app/watch/sql_prober.hpp"
#include "fencing/drivers/loss_survey.hpp"
#include "fencing/drivers/sql.hpp"

#include <algorithm>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

guarded_topology::guarded_topology(surroundings around, const topology_config& topology,
                                   beginning from, listener heard)
    : around_(around),
      config_(std::make_shared<const topology_config>(topology)),
      heard_(std::move(heard)),
      random_(std::random_device{}()),
      tasks_(around_.executor) {
    if (topology.lease.backend == lease_backend::servers)
        lease_ = std::make_unique<fencing::servers_lease>(around_.executor, *around_.network,
                                                          lease_options_of(topology));
    make_monitor(std::move(from.recalled), from.first_tick);
    make_guard(from.history, from.acts_by_itself);
}

void guarded_topology::make_monitor(checks::watch_state recalled, rt::time_point first_tick) {
    topology_monitor::services with;
    with.executor = around_.executor;
    with.probe = [this](const topology_config& in, const server_config& server) {
        sql_prober_options options{endpoint_of(in, server), in.detail_interval, 600s};
        options.session_timeout =
            std::max(options.session_timeout,
                     std::chrono::duration_cast<std::chrono::seconds>(6 * in.poll_interval));
        return make_sql_prober(around_.executor, *around_.network, std::move(options));
    };
    with.publish = [this](std::shared_ptr<const topology_snapshot> judged) {
        heard_(judged);
        if (!stopping_) guard_->follow(std::move(judged));
    };
    with.random_unit = [this] { return std::uniform_real_distribution<double>(0, 1)(random_); };
    monitor_ = std::make_unique<topology_monitor>(config_, std::move(recalled), first_tick,
                                                  std::move(with));
}

void guarded_topology::make_guard(const std::vector<fence_entry>& history, bool acts_by_itself) {
    guard::services with;
    with.executor = around_.executor;
    with.journal = around_.journal;
    with.agent = around_.settings->agent.name;
    with.make_driver = [this](const server_config& server, const std::string& rung) {
        const driver_parts parts{around_.executor, around_.network, around_.runner};
        return make_driver(parts, *around_.settings, *config_, server, rung);
    };
    with.note_stopped = [this](const std::string& server) { monitor_->note_stopped(server); };
    with.want_lease = [this](bool wanted) {
        if (lease_) lease_->request(wanted);
    };
    with.lease = [this] {
        return lease_ ? fencing::lease_view(lease_->view()) : fencing::lease_view{};
    };
    with.open_for_writing = [this](const server_config& server, rt::deadline until) {
        return fencing::open_for_writing(around_.executor, *around_.network,
                                         endpoint_of(*config_, server), until);
    };
    with.survey_loss = [this](const server_config& loser, const server_config& survivor,
                              bool stopped, rt::deadline until) {
        return fencing::survey_loss(
            around_.executor, *around_.network,
            {loser.name, endpoint_of(*config_, loser), endpoint_of(*config_, survivor), stopped},
            until);
    };
    with.acts_by_itself = acts_by_itself;
    auto policy = fencing_policy_of(*around_.settings, *config_);
    policy.enforce = policy.enforce && acts_by_itself;
    if (lease_) lease_->request(policy.enforce);
    auto now = report_now();
    guard_ = std::make_unique<guard>(config_, std::move(policy),
                                     replay(history, config_->name, now.wall, now.boot),
                                     std::move(with));
}

void guarded_topology::start() {
    tasks_.spawn("watch " + config_->name, monitor_->run());
    if (lease_) tasks_.spawn("lease " + config_->name, lease_->run());
    if (around_.journal) tasks_.spawn("guard " + config_->name, guard_->run());
}

asio::awaitable<rt::result<void>> guarded_topology::stop(rt::deadline until) {
    stopping_ = true;
    tasks_.cancel();
    auto ended = co_await tasks_.join(until);
    if (tasks_.running().empty()) co_return rt::result<void>();
    co_return ended;
}

}  // namespace primacy::app
