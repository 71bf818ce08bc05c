// How topologies come and go while the agent runs: at the start, at a reload, and when the journal
// becomes free. Apart from daemon.cpp, which does all the rest.
#include "agent/app/daemon/daemon.hpp"
#include "agent/app/guard/fence_agents.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/rt/log.hpp"
#include "agent/rt/offload.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto patience_for_probes = 10s;
constexpr auto look_at_journal_every = 500ms;

struct read_journal_job {
    std::string directory;
    rt::result<journal_history> operator()() const { return read_history(directory); }
};

}  // namespace

// Topologies start their polls spread over one interval; the servers of one topology are read at
// the same moment, so that a judgement compares what was true together.
void daemon::start_topology(const topology_config& topology, std::size_t index, std::size_t of) {
    const guarded_topology::surroundings around{loop_.get_executor(), &network_, &runner_,
                                                &journal_, &settings_};
    auto spread = topology.poll_interval * static_cast<int>(index) / static_cast<int>(of);
    auto made = std::make_shared<guarded_topology>(
        around, topology,
        guarded_topology::beginning{store_.recalled(topology.name), history_.entries,
                                    rt::steady_clock::now() + spread},
        [this](std::shared_ptr<const topology_snapshot> judged) { publish(std::move(judged)); });
    made->start();
    topologies_[topology.name] = std::move(made);
}

asio::awaitable<void> daemon::stop_topology(std::string name) {
    auto found = topologies_.find(name);
    if (found == topologies_.end()) co_return;
    auto leaving = std::move(found->second);
    topologies_.erase(found);
    auto ended = co_await leaving->stop(rt::deadline::after(patience_for_probes));
    if (ended) co_return;
    rt::log(rt::log_level::error, "agent", "stopping " + name + ": " + ended.error().message);
    stuck_.push_back(std::move(leaving));
}

asio::awaitable<order_answer> daemon::carry_out(person_order order) {
    auto found = topologies_.find(order.topology);
    if (found == topologies_.end())
        co_return answer_refused("there is no topology " + order.topology);
    const auto kept = found->second;
    co_return co_await kept->guardian().carry_out(std::move(order));
}

// A person's order that was begun while no agent ran is carried out by its own command, which has
// the journal until it ends. What it noted has to be known before anything is done here: the
// topologies begin anew with it.
asio::awaitable<void> daemon::take_journal_when_free() {
    asio::steady_timer timer(loop_);
    while (journal_is_taken_) {
        timer.expires_after(look_at_journal_every);
        co_await timer.async_wait(asio::use_awaitable);
        auto history = co_await journal_.open_again();
        journal_is_taken_ = !history && history.error().native == EWOULDBLOCK;
        if (journal_is_taken_) continue;
        if (history) history_ = std::move(*history);
        if (journal_.trouble().empty())
            rt::log(rt::log_level::info, "fence", "the journal is free, and ours now");
        else
            rt::log(rt::log_level::error, "fence",
                    "nothing can be fenced by this agent: " + journal_.trouble());
        for (std::size_t i = 0; i < settings_.topologies.size(); ++i) {
            const topology_config topology = settings_.topologies[i];
            co_await stop_topology(topology.name);
            if (!topologies_.contains(topology.name))
                start_topology(topology, i, settings_.topologies.size());
        }
    }
}

config daemon::without_fencing(config settings) {
    for (auto& topology : settings.topologies) {
        topology.mode = topology_mode::observe;
        topology.lease.backend = lease_backend::none;
    }
    return settings;
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
    for (const auto& [name, each] : topologies_) {
        auto kept = std::find_if(fresh.topologies.begin(), fresh.topologies.end(),
                                 [&](const auto& t) { return t.name == name; });
        if (kept == fresh.topologies.end() || *kept != each->config() ||
            !same_methods(settings_, fresh, *kept))
            leaving.push_back(name);
    }
    for (const auto& name : leaving)
        co_await stop_topology(name);
    const read_journal_job reading{settings_.agent.state_dir + "/journal"};
    auto history = co_await rt::offload(disk_pool_, reading);
    if (history) history_ = std::move(*history);
    store_.keep_only(names);
    settings_ = std::move(fresh);
    std::erase_if(judged_, [&](const auto& each) {
        return std::find(names.begin(), names.end(), each.first) == names.end();
    });
    for (std::size_t i = 0; i < settings_.topologies.size(); ++i)
        if (!topologies_.contains(settings_.topologies[i].name))
            start_topology(settings_.topologies[i], i, settings_.topologies.size());
}

asio::awaitable<void> daemon::reload() {
    std::ignore = service_manager_.reloading();
    auto outcome = load(settings_.path);
    if (outcome.ok()) {
        auto found = co_await ask_fence_agents(loop_.get_executor(), runner_, outcome.value,
                                               patience_of_watch);
        add_findings(outcome, std::move(found), for_whom::watch);
    }
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

}  // namespace primacy::app
