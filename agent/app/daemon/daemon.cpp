#include "agent/app/daemon/daemon.hpp"

#include "agent/app/daemon/change_log.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/app/version.hpp"
#include "agent/app/watch/sql_prober.hpp"
#include "agent/rt/log.hpp"
#include "agent/rt/offload.hpp"
#include "fencing/drivers/sql.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <filesystem>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto on_loop = asio::as_tuple(asio::use_awaitable);
constexpr auto patience_for_pages = 3s;
constexpr auto patience_for_probes = 10s;
constexpr auto patience_for_disk = 500ms;

rt::log_level level_of(checks::severity severity) {
    switch (severity) {
        case checks::severity::critical: return rt::log_level::error;
        case checks::severity::warning: return rt::log_level::warning;
        default: return rt::log_level::info;
    }
}

config without_fencing(config settings) {
    for (auto& topology : settings.topologies) {
        topology.mode = topology_mode::observe;
        topology.lease.backend = lease_backend::none;
    }
    return settings;
}

struct read_journal_job {
    std::string directory;
    rt::result<journal_history> operator()() const { return read_history(directory); }
};

http::server_options public_options(const config& settings, asio::thread_pool& pool) {
    http::server_options options;
    options.pool = &pool;
    if (const auto& web = settings.agent.web) {
        if (!web->cert_file.empty())
            options.tls = http::tls_files{web->cert_file, web->key_file, web->client_ca_file};
        options.users = web->basic_auth_users;
    }
    return options;
}

}  // namespace

daemon::daemon(asio::io_context& loop, config settings, bool may_fence)
    : loop_(loop),
      may_fence_(may_fence),
      settings_(may_fence ? std::move(settings) : without_fencing(std::move(settings))),
      network_(loop.get_executor()),
      store_(loop.get_executor(), disk_pool_, settings_.agent.state_dir,
             [](const std::string& trouble) {
                 if (trouble.empty())
                     rt::log_cleared("agent", "state_dir", "state can be written again");
                 else
                     rt::log_once(rt::log_level::error, "agent", "state_dir", trouble);
             }),
      journal_(disk_pool_, settings_.agent.state_dir + "/journal"),
      jobs_(job_services()),
      page_source_{[this] { return snapshot(); }, pages_pool_, jobs_},
      servers_(loop.get_executor()),
      tasks_(loop.get_executor()),
      stopping_(loop.get_executor()),
      random_(std::random_device{}()),
      started_at_(report_now().wall) {
    last_reload_at_ = started_at_;
}

daemon::~daemon() {
    disk_pool_.join();
    pages_pool_.join();
    passwords_pool_.join();
}

// A memory that cannot be understood is kept aside, and the agent starts without it: it must watch,
// and it is honest about not knowing the incumbent. A directory that cannot be used is an error.
rt::result<void> daemon::open_state() {
    auto history = journal_.open();
    if (history) history_ = std::move(*history);
    if (!journal_.trouble().empty())
        rt::log(rt::log_level::error, "fence",
                "nothing can be fenced by this agent: " + journal_.trouble());
    auto loaded = store_.load();
    if (loaded) return loaded;
    if (loaded.error().code != rt::errc::config) return loaded;
    std::filesystem::path file = settings_.agent.state_dir + "/incumbents.json";
    std::error_code failed;
    std::filesystem::rename(file, file.string() + ".damaged", failed);
    rt::log(rt::log_level::error, "agent",
            loaded.error().message + "; kept it as incumbents.json.damaged and go on without it");
    return {};
}

rt::result<void> daemon::listen() {
    http::server_options control;
    control.pool = &passwords_pool_;
    control.allow_post = true;
    auto handler = make_pages(page_source_);
    auto orders = make_control(page_source_,
                               [this](person_order order) { return carry_out(std::move(order)); });
    auto unix_server = http::server::listen_unix(loop_.get_executor(), settings_.agent.control,
                                                 std::move(control), orders);
    if (!unix_server) return unix_server.error();
    control_server_.emplace(std::move(*unix_server));
    auto tcp_server = http::server::listen_tcp(loop_.get_executor(), settings_.agent.listen,
                                               public_options(settings_, passwords_pool_), handler);
    if (!tcp_server) return tcp_server.error();
    public_server_.emplace(std::move(*tcp_server));
    servers_.spawn("control socket", control_server_->run());
    servers_.spawn("pages", public_server_->run());
    rt::log(rt::log_level::info, "agent",
            "serving on " + public_server_->address() + " and " + control_server_->address());
    return {};
}

// Topologies start their polls spread over one interval; the servers of one topology are read at
// the same moment, so that a judgement compares what was true together.
void daemon::start_monitor(const topology_config& topology, std::size_t index, std::size_t of) {
    topology_monitor::services with;
    with.executor = loop_.get_executor();
    with.probe = [this](const topology_config& in, const server_config& server) {
        sql_prober_options options{endpoint_of(in, server), in.detail_interval, 600s};
        options.session_timeout =
            std::max(options.session_timeout,
                     std::chrono::duration_cast<std::chrono::seconds>(6 * in.poll_interval));
        return make_sql_prober(loop_.get_executor(), network_, std::move(options));
    };
    with.publish = [this](std::shared_ptr<const topology_snapshot> judged) {
        publish(std::move(judged));
    };
    with.random_unit = [this] { return std::uniform_real_distribution<double>(0, 1)(random_); };
    auto spread = topology.poll_interval * static_cast<int>(index) / static_cast<int>(of);
    watched made;
    made.monitor = std::make_unique<topology_monitor>(
        std::make_shared<const topology_config>(topology), store_.recalled(topology.name),
        rt::steady_clock::now() + spread, std::move(with));
    made.task = std::make_unique<rt::task_group>(loop_.get_executor());
    made.task->spawn("watch " + topology.name, made.monitor->run());
    start_guard(made, topology);
    monitors_[topology.name] = std::move(made);
}

void daemon::start_guard(watched& made, const topology_config& topology) {
    bool enforces = topology.mode == topology_mode::enforce;
    if (topology.lease.backend == lease_backend::servers) {
        made.lease = std::make_unique<fencing::servers_lease>(loop_.get_executor(), network_,
                                                              lease_options_of(topology));
        made.lease->request(enforces);
        made.task->spawn("lease " + topology.name, made.lease->run());
    }
    const driver_parts parts{loop_.get_executor(), &network_, &runner_};
    auto config = std::make_shared<const topology_config>(topology);
    guard::services with;
    with.executor = loop_.get_executor();
    with.journal = &journal_;
    with.agent = settings_.agent.name;
    with.make_driver = [this, parts, config](const server_config& server, const std::string& rung) {
        return make_driver(parts, settings_, *config, server, rung);
    };
    with.note_stopped = [monitor = made.monitor.get()](const std::string& server) {
        monitor->note_stopped(server);
    };
    with.want_lease = [lease = made.lease.get()](bool wanted) {
        if (lease) lease->request(wanted);
    };
    with.lease = [lease = made.lease.get()] {
        return lease ? fencing::lease_view(lease->view()) : fencing::lease_view{};
    };
    with.open_for_writing = [this, config](const server_config& server, rt::deadline until) {
        return fencing::open_for_writing(loop_.get_executor(), network_,
                                         endpoint_of(*config, server), until);
    };
    auto now = report_now();
    made.guardian = std::make_unique<guard>(
        config, fencing_policy_of(settings_, topology),
        replay(history_.entries, topology.name, now.wall, now.boot), std::move(with));
    made.task->spawn("guard " + topology.name, made.guardian->run());
}

asio::awaitable<void> daemon::stop_monitor(std::string name) {
    auto found = monitors_.find(name);
    if (found == monitors_.end()) co_return;
    watched leaving = std::move(found->second);
    monitors_.erase(found);
    leaving.task->cancel();
    auto ended = co_await leaving.task->join(rt::deadline::after(patience_for_probes));
    if (!ended)
        rt::log(rt::log_level::error, "agent", "stopping " + name + ": " + ended.error().message);
    if (!leaving.task->running().empty()) stuck_.push_back(std::move(leaving));
}

asio::awaitable<rt::result<std::string>> daemon::carry_out(person_order order) {
    auto found = monitors_.find(order.topology);
    if (found == monitors_.end())
        co_return rt::error{rt::errc::usage, 0, "there is no topology " + order.topology};
    co_return co_await found->second.guardian->carry_out(std::move(order));
}

void daemon::publish(std::shared_ptr<const topology_snapshot> judged) {
    const std::string& name = judged->config->name;
    auto& entry = judged_[name];
    // Before every server was tried once, what is missing is no news.
    const auto* before =
        entry.newest && entry.newest->first_round_done && entry.newest->config == judged->config
            ? entry.newest.get()
            : nullptr;
    for (const auto& line : changes(before, *judged)) {
        rt::log_fields fields{{"topology", name}};
        if (!line.server.empty()) fields.emplace_back("server", line.server);
        rt::log(level_of(line.level), "watch", name + ": " + line.message, fields);
    }
    last_cycle_at_ = judged->judged_at;
    entry.newest = judged;
    if (auto watching = monitors_.find(name); watching != monitors_.end())
        watching->second.guardian->follow(judged);
    bool new_names = store_.note(name, checks::remember(judged->verdict.next));
    if (new_names && !entry.waits_for_disk) {
        entry.waits_for_disk = true;
        tasks_.spawn("publish " + name, publish_when_saved(name));
    }
    // After a reload the judgement of the monitor before this one stands, and ages, until the new
    // one has tried every server: a page without the topology, or with nothing known, would be an
    // alarm that nothing has happened to cause.
    bool too_early =
        entry.published && entry.published->config != judged->config && !judged->first_round_done;
    if (!entry.waits_for_disk && !too_early) entry.published = entry.newest;
}

asio::awaitable<void> daemon::publish_when_saved(std::string name) {
    co_await store_.saved(rt::deadline::after(patience_for_disk));
    auto found = judged_.find(name);
    if (found == judged_.end()) co_return;  // no longer configured
    found->second.waits_for_disk = false;
    found->second.published = found->second.newest;
}

std::shared_ptr<agent_snapshot> daemon::topologies_now() const {
    auto made = std::make_shared<agent_snapshot>();
    made->agent = settings_.agent.name;
    made->version = version_text;
    made->started_at = started_at_;
    made->taken_at = report_now().wall;
    made->last_cycle_at = last_cycle_at_;
    made->last_reload_successful = last_reload_successful_;
    made->last_reload_at = last_reload_at_;
    made->configured_topologies = settings_.topologies.size();
    for (const auto& topology : settings_.topologies)
        if (auto found = judged_.find(topology.name);
            found != judged_.end() && found->second.published)
            made->topologies.push_back(found->second.published);
    return made;
}

std::shared_ptr<const agent_snapshot> daemon::snapshot() const {
    auto made = topologies_now();
    for (const auto& [name, each] : monitors_)
        made->guards[name] = each.guardian->view();
    made->jobs = std::make_shared<const std::vector<job_view>>(jobs_.views());
    return made;
}

std::string daemon::status_line() const {
    std::size_t troubled = 0;
    std::string first;
    for (const auto& [name, entry] : judged_) {
        const auto& topology = entry.newest;
        if (!topology || topology->verdict.state == checks::topology_state::healthy) continue;
        ++troubled;
        if (first.empty())
            first = name + " " + std::string(checks::to_string(topology->verdict.state));
    }
    std::string line = "watching " + std::to_string(settings_.topologies.size()) + " topologies";
    if (troubled == 0) return line + ", all healthy";
    return line + ", not healthy: " + first +
           (troubled > 1 ? " and " + std::to_string(troubled - 1) + " more" : "");
}

// Fed by finished cycles only: when one topology is not judged any more, the service manager is to
// restart us.
asio::awaitable<void> daemon::feed_watchdog() {
    auto interval = service_manager_.watchdog_interval();
    auto pause = interval ? *interval / 3 : std::chrono::microseconds(10s);
    asio::steady_timer timer(loop_);
    for (;;) {
        timer.expires_after(pause);
        auto [cancelled] = co_await timer.async_wait(on_loop);
        if (cancelled) co_return;
        auto now = topologies_now();
        if (auto trouble = why_not_healthy(*now, report_now().boot); !trouble.empty())
            rt::log_once(rt::log_level::error, "agent", "stalled", trouble);
        else if (interval)
            std::ignore = service_manager_.watchdog();
        std::ignore = service_manager_.status(status_line());
    }
}

// Ready means judged: whoever starts after us finds an answer. Servers that hang do not hold it up
// for longer than a probe may take.
asio::awaitable<void> daemon::announce_ready() {
    std::chrono::milliseconds longest{0};
    for (const auto& topology : settings_.topologies)
        longest = std::max(longest, topology.poll_interval + topology.probe_timeout);
    rt::deadline until = rt::deadline::after(longest + 1s);
    asio::steady_timer timer(loop_);
    while (!why_not_ready(*topologies_now()).empty() && !until.passed()) {
        timer.expires_after(5ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    std::ignore = service_manager_.ready();
}

asio::awaitable<void> daemon::apply(config fresh) {
    if (!may_fence_) fresh = without_fencing(std::move(fresh));
    if (fresh.agent.listen != settings_.agent.listen ||
        fresh.agent.control != settings_.agent.control ||
        fresh.agent.state_dir != settings_.agent.state_dir ||
        fresh.agent.web.has_value() != settings_.agent.web.has_value())
        rt::log(
            rt::log_level::warning, "agent",
            "agent.listen, agent.control, agent.state_dir and whether there is an agent.web take "
            "effect at a restart only");
    if (auto reloaded = public_server_->reload_tls(); !reloaded)
        rt::log(rt::log_level::error, "agent", reloaded.error().message);
    if (fresh.agent.web)
        if (auto replaced = public_server_->replace_users(fresh.agent.web->basic_auth_users);
            !replaced)
            rt::log(rt::log_level::error, "agent", replaced.error().message);
    std::ignore = rt::set_log_level(fresh.agent.log_level);  // the word was checked on loading

    std::vector<std::string> names;
    for (const auto& topology : fresh.topologies)
        names.push_back(topology.name);
    std::vector<std::string> leaving;
    for (const auto& [name, each] : monitors_) {
        auto kept = std::find_if(fresh.topologies.begin(), fresh.topologies.end(),
                                 [&](const auto& t) { return t.name == name; });
        if (kept == fresh.topologies.end() || *kept != each.monitor->config())
            leaving.push_back(name);
    }
    for (const auto& name : leaving)
        co_await stop_monitor(name);
    const read_journal_job reading{settings_.agent.state_dir + "/journal"};
    auto history = co_await rt::offload(disk_pool_, reading);
    if (history) history_ = std::move(*history);
    store_.keep_only(names);
    settings_ = std::move(fresh);
    std::erase_if(judged_, [&](const auto& each) {
        return std::find(names.begin(), names.end(), each.first) == names.end();
    });
    for (std::size_t i = 0; i < settings_.topologies.size(); ++i)
        if (!monitors_.contains(settings_.topologies[i].name))
            start_monitor(settings_.topologies[i], i, settings_.topologies.size());
}

asio::awaitable<void> daemon::reload() {
    std::ignore = service_manager_.reloading();
    auto outcome = load(settings_.path);
    last_reload_at_ = report_now().wall;
    last_reload_successful_ = outcome.ok();
    for (const auto& problem : outcome.problems)
        rt::log(rt::log_level::error, "agent", to_text(settings_.path, problem));
    for (const auto& warning : outcome.warnings)
        rt::log(rt::log_level::warning, "agent", to_text(settings_.path, warning));
    if (outcome.ok()) {
        co_await apply(std::move(outcome.value));
        rt::log(rt::log_level::info, "agent", "configuration reloaded");
    } else {
        rt::log(rt::log_level::error, "agent",
                "the configuration was not reloaded; the old one stays in force");
    }
    std::ignore = service_manager_.ready();
}

asio::awaitable<void> daemon::handle_signals() {
    asio::signal_set signals(loop_, SIGTERM, SIGINT, SIGHUP);
    for (;;) {
        auto [failed, number] = co_await signals.async_wait(on_loop);
        if (failed) co_return;
        if (number == SIGHUP) {
            co_await reload();
            continue;
        }
        rt::log(rt::log_level::info, "agent", "asked to end");
        stop_asked_ = true;
        stopping_.notify();
        co_return;
    }
}

asio::awaitable<void> daemon::stop() {
    std::ignore = service_manager_.stopping();
    public_server_->stop(rt::deadline::after(patience_for_pages));
    control_server_->stop(rt::deadline::after(patience_for_pages));
    std::vector<std::string> names;
    for (const auto& [name, each] : monitors_)
        names.push_back(name);
    for (const auto& name : names)
        co_await stop_monitor(name);
    std::ignore = co_await servers_.join(rt::deadline::after(2 * patience_for_pages));
    tasks_.cancel();
    std::ignore = co_await tasks_.join(rt::deadline::after(patience_for_probes));
}

asio::awaitable<rt::result<void>> daemon::run() {
    if (auto opened = open_state(); !opened) co_return opened;
    if (auto listening = listen(); !listening) {
        if (control_server_) control_server_->stop(rt::deadline::after(0s));
        std::ignore = co_await servers_.join(rt::deadline::after(patience_for_pages));
        co_return listening;
    }
    for (std::size_t i = 0; i < settings_.topologies.size(); ++i)
        start_monitor(settings_.topologies[i], i, settings_.topologies.size());
    for (const auto& trouble : jobs_.open())
        rt::log(rt::log_level::error, "osc", trouble);
    tasks_.spawn("schema changes", jobs_.run());
    tasks_.spawn("memory", store_.run());
    tasks_.spawn("signals", handle_signals());
    tasks_.spawn("watchdog", feed_watchdog());
    tasks_.spawn("ready", announce_ready());
    while (!stop_asked_)
        co_await stopping_.wait(rt::deadline::after(1h));
    co_await stop();
    rt::log(rt::log_level::info, "agent", "ended");
    co_return rt::result<void>();
}

}  // namespace primacy::app
