#include "agent/app/daemon/daemon.hpp"

#include "agent/app/daemon/change_log.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/app/version.hpp"
#include "agent/rt/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <csignal>
#include <filesystem>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto on_loop = asio::as_tuple(asio::use_awaitable);
constexpr auto patience_for_pages = 3s;
constexpr auto patience_for_tasks = 10s;
constexpr auto patience_for_disk = 500ms;

rt::log_level level_of(checks::severity severity) {
    switch (severity) {
        case checks::severity::critical: return rt::log_level::error;
        case checks::severity::warning: return rt::log_level::warning;
        default: return rt::log_level::info;
    }
}

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
    journal_is_taken_ = !history && history.error().native == EWOULDBLOCK;
    if (history) history_ = std::move(*history);
    if (!journal_.trouble().empty())
        rt::log(rt::log_level::error, "fence",
                "nothing can be fenced by this agent" +
                    std::string(journal_is_taken_ ? " until the journal is free: " : ": ") +
                    journal_.trouble());
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
    for (const auto& [name, each] : topologies_)
        made->guards[name] = each->guardian().view();
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
    for (const auto& [name, each] : topologies_)
        names.push_back(name);
    for (const auto& name : names)
        co_await stop_topology(name);
    std::ignore = co_await servers_.join(rt::deadline::after(2 * patience_for_pages));
    tasks_.cancel();
    std::ignore = co_await tasks_.join(rt::deadline::after(patience_for_tasks));
}

asio::awaitable<rt::result<void>> daemon::run() {
    if (auto opened = open_state(); !opened) co_return opened;
    if (auto listening = listen(); !listening) {
        if (control_server_) control_server_->stop(rt::deadline::after(0s));
        std::ignore = co_await servers_.join(rt::deadline::after(patience_for_pages));
        co_return listening;
    }
    for (std::size_t i = 0; i < settings_.topologies.size(); ++i)
        start_topology(settings_.topologies[i], i, settings_.topologies.size());
    for (const auto& trouble : jobs_.open())
        rt::log(rt::log_level::error, "osc", trouble);
    tasks_.spawn("schema changes", jobs_.run());
    tasks_.spawn("memory", store_.run());
    tasks_.spawn("journal", take_journal_when_free());
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
