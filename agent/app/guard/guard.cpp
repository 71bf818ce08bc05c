#include "agent/app/guard/guard.hpp"

#include "agent/app/watch/now.hpp"
#include "agent/rt/checkpoint.hpp"
#include "agent/rt/log.hpp"
#include "fencing/second_look.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <random>
#include <tuple>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using fencing::fence_stage;
using fencing::ladder_action;
using fencing::ladder_step;
using fencing::rung_failure;
using fencing::rung_outcome;
using fencing::rung_report;

namespace {

constexpr auto look_at_lease_every = 100ms;
constexpr auto patience_with_look = 1s;       // at a server that a device calls stopped
constexpr auto patience_after_deadline = 5s;  // a driver may take its grace and no more

std::string text_of(const fencing::decision& made) {
    std::string text = std::string(fencing::to_string(made.what)) + ": " + made.reason;
    for (const auto& obstacle : made.obstacles)
        text += "; but " + obstacle;
    return text;
}

}  // namespace

// A ladder at work.
struct guard::climbing {
    fencing::fence_plan plan;
    std::vector<std::string> survivors;
    std::string incident;
    fencing::ladder climb;
    checks::moment begun_at;
    std::uint64_t lease_epoch;          // in which it was begun
    std::string refused;                // why a step of a rung was not allowed any more
    rt::event wake;                     // a judgement came, or the rung ended
    std::optional<rung_report> report;  // of the rung that ended

    climbing(const fencing::fence_plan& what, const fencing::decision& made, std::string name,
             checks::moment now, checks::moment deadline, std::uint64_t epoch,
             asio::any_io_executor executor)
        : plan(what),
          survivors(made.survivors),
          incident(std::move(name)),
          climb(what.rungs, deadline, what.unseen),
          begun_at(now),
          lease_epoch(epoch),
          wake(std::move(executor)) {}
};

guard::guard(std::shared_ptr<const topology_config> config, fencing::fencing_policy policy,
             replayed past, services with)
    : config_(std::move(config)),
      policy_(std::move(policy)),
      with_(std::move(with)),
      tasks_(with_.executor),
      random_(std::random_device{}()) {
    state_ = std::move(past.state);
    unfinished_ = std::move(past.unfinished);
    openings_ = std::move(past.openings);
    for (const auto& left : unfinished_)
        taking_up_.insert(left.server);
    for (const auto& left : openings_)
        taking_up_.insert(left.server);
    with_.open_for_writing = [this, open = std::move(with_.open_for_writing)](
                                 const server_config& server, rt::deadline until) {
        return open_if_allowed(open, server, until);
    };
    for (const auto& server : config_->servers) {
        statistics_[server.name];
        for (const auto& name : server.fence)
            health_[{server.name, name}];
        if (state_.stopped(server.name)) with_.note_stopped(server.name);
    }
}

// Made when it is needed for the first time: most servers are never fenced.
fencing::driver* guard::driver_of(const std::string& server, const std::string& rung) {
    auto& made = drivers_[{server, rung}];
    for (const auto& configured : config_->servers) {
        bool has_it = configured.name == server &&
                      std::find(configured.fence.begin(), configured.fence.end(), rung) !=
                          configured.fence.end();
        if (!made && has_it) made = with_.make_driver(configured, rung);
    }
    return made.get();
}

std::string guard::new_nonce() {
    std::random_device source;
    char text[33];
    std::snprintf(text, sizeof text, "%08x%08x%08x%08x", source(), source(), source(), source());
    return text;
}

std::string guard::new_incident(const std::string& server) {
    return incident_name(config_->name, server, wall_now(), ++incidents_);
}

// --- deciding

void guard::follow(std::shared_ptr<const topology_snapshot> judged) {
    newest_ = std::move(judged);
    state_.journal_trouble = journal_trouble();
    std::vector<fence_entry> entries;
    for (const auto& event : fencing::follow(state_, newest_->seen, newest_->verdict)) {
        entries.push_back(entry_of(event.released ? record_kind::released : record_kind::contested,
                                   event.server));
        entries.back().rung = event.rung;
        rt::log(rt::log_level::warning, "fence", config_->name + ": " + event.sentence,
                {{"topology", config_->name}});
    }
    if (!entries.empty() && with_.journal)
        tasks_.spawn("note events", note_all(std::move(entries)));

    if (with_.acts_by_itself) decide();
    for (auto& [server, climb] : climbs_)
        climb->wake.notify();
}

void guard::decide() {
    auto made = fencing::decide(newest_->seen, newest_->verdict, state_, with_.lease(), policy_);
    if (made.what == fencing::action::fence && !choosing_.empty()) {
        made.what = fencing::action::wait;
        made.obstacles.push_back(choosing_ + " is at work");
    }
    std::string said = text_of(made);
    if (said != decision_text_ && made.what != fencing::action::none)
        rt::log(rt::log_level::warning, "fence", config_->name + ": " + said,
                {{"topology", config_->name}});
    decision_text_ = std::move(said);
    decision_ = std::move(made);
    fencing::remember(state_, decision_, newest_->seen.at);
    if (decision_.what != fencing::action::fence) return;
    const fencing::decision copy = decision_;
    for (const auto& plan : copy.fences)
        if (plan.valid_until > boot_now()) begin(plan, copy);
}

std::shared_ptr<const guard_view> guard::view() const {
    auto made = std::make_shared<guard_view>();
    made->decision = decision_;
    made->state = state_;
    made->lease = with_.lease();
    made->journal_trouble = journal_trouble();
    checks::moment now = boot_now();
    bool has_lease = !policy_.needs_lease || made->lease.valid(now);
    checks::wall_time wall = wall_now();
    made->in_maintenance = state_.maintenance && now < state_.maintenance->until;
    if (made->in_maintenance) made->maintenance_until = wall + (state_.maintenance->until - now);
    if (made->lease.held) made->lease_expiry = wall + (made->lease.valid_until - now);
    made->armed =
        policy_.enforce && has_lease && !made->in_maintenance && made->journal_trouble.empty();
    auto recent = std::count_if(state_.started.begin(), state_.started.end(),
                                [&](checks::moment at) { return at > now - policy_.per; });
    made->budget_left = std::max(0, policy_.max_fences - static_cast<int>(recent));
    made->servers = statistics_;
    made->methods = health_;
    return made;
}

// --- climbing

void guard::begin(const fencing::fence_plan& plan, const fencing::decision& made) {
    if (over_ || climbs_.contains(plan.server) || taking_up_.contains(plan.server)) return;
    checks::moment now = boot_now();
    auto climb =
        std::make_shared<climbing>(plan, made, new_incident(plan.server), now,
                                   now + policy_.deadline, with_.lease().epoch, with_.executor);
    climbs_[plan.server] = climb;
    fencing::fence_started(state_, plan.server, {climb->incident, climb->survivors, plan.unseen},
                           now);
    tasks_.spawn("fence " + plan.server, this->climb(climb));
}

std::string guard::why_stop(const climbing& now) const {
    if (!newest_) return "";
    return fencing::why_stop(now.plan, now.survivors, newest_->seen, newest_->verdict, state_,
                             with_.lease(), policy_);
}

// Why nothing may be done at this very moment. By the clock, not by the newest judgement: the whole
// process may have been paused since that was made (S2, S3).
std::string guard::why_not_now() const {
    const checks::moment now = boot_now();
    if (policy_.needs_lease && !with_.lease().valid(now)) return "the lease was lost";
    if (!newest_ || now - newest_->seen.at > policy_.stale_after)
        return "what was last seen is too old to act on; was the agent paused?";
    return "";
}

fencing::permission guard::permission_for(std::shared_ptr<climbing> now) const {
    return [this, now] {
        now->refused = why_not_now();
        if (policy_.needs_lease && with_.lease().epoch != now->lease_epoch)
            now->refused = "the lease was lost";
        return now->refused.empty();
    };
}

// A reading that began after the ladder did shows it read-only, replicating or away by refusal.
bool guard::seen_stopped(const climbing& now) const {
    return newest_ &&
           fencing::seen_stopped(now.plan, newest_->seen, newest_->verdict, now.begun_at);
}

// When the agent is told to end, the rung at work is cancelled and what is known is noted; nothing
// of it is skipped by an exception.
asio::awaitable<void> guard::climb(std::shared_ptr<climbing> now) {
    co_await asio::this_coro::throw_if_cancelled(false);
    rt::log(rt::log_level::warning, "fence",
            config_->name + ": stopping " + now->plan.server + ": " + now->plan.why,
            {{"topology", config_->name}, {"server", now->plan.server}});
    fence_entry begun = entry_of(record_kind::begun, now->plan.server);
    begun.incident = now->incident;
    begun.reason = now->plan.why;
    begun.survivors = now->survivors;
    begun.unseen = now->plan.unseen;
    // Forced to disk together with the first intent, which follows it at once.
    co_await note(std::move(begun), rt::durability::cached);
    for (;;) {
        const bool ending = co_await rt::is_cancelled();
        std::string why = ending ? std::string("the agent was told to end") : now->refused;
        if (why.empty()) why = why_stop(*now);
        auto step = now->climb.next(boot_now(), why, seen_stopped(*now));
        if (step.what == ladder_step::finish) break;
        bool acted = co_await act(now, step);
        if (!acted) break;
    }
    co_await finish(now);
}

// False: the intent could not be noted, and so nothing was done.
asio::awaitable<bool> guard::act(std::shared_ptr<climbing> now, ladder_action step) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const std::string rung = now->climb.rungs()[step.rung].name;
    fencing::fence_order order{now->incident, new_nonce(), now->plan.why, permission_for(now)};
    bool verifying = step.what == ladder_step::verify;
    if (!verifying) {
        fence_entry intent = entry_of(record_kind::intent, now->plan.server);
        intent.incident = now->incident;
        intent.rung = rung;
        intent.nonce = order.nonce;
        auto noted = co_await note(std::move(intent));
        if (!noted) co_return false;
        ++statistics_[now->plan.server].attempts;
    }
    now->report.reset();
    rt::task_group group(with_.executor);
    auto began = boot_now();
    group.spawn("rung " + rung, run_rung(now, step, order));
    rt::deadline patience = rt::deadline::after(step.until - began + patience_after_deadline);
    bool cancelled = false;
    while (!now->report && !group.running().empty()) {
        co_await now->wake.wait(rt::deadline::after(look_at_lease_every));
        bool lost = policy_.needs_lease && !with_.lease().valid(boot_now());
        const bool ending = co_await rt::is_cancelled();
        if (!cancelled && (ending || patience.passed() || (lost && !verifying))) {
            cancelled = true;
            group.cancel();
        }
    }
    std::ignore = co_await group.join(rt::deadline::after(patience_after_deadline));
    rung_report report{
        rung_outcome::unknown, rung_failure::cancelled, rung + " was given up in the middle", {}};
    if (now->report) report = std::move(*now->report);
    now->climb.ended(report);
    if (report.outcome != rung_outcome::confirmed && !verifying)
        ++statistics_[now->plan.server].failures[report.reason];

    fence_entry outcome = entry_of(record_kind::outcome, now->plan.server);
    outcome.incident = now->incident;
    outcome.rung = rung;
    outcome.nonce = order.nonce;
    outcome.reason = report.sentence;
    outcome.result = fencing::to_string(report.outcome);
    outcome.failure = fencing::to_string(report.reason);
    outcome.verification = verifying;
    outcome.facts = report.facts;
    rt::log(
        report.outcome == rung_outcome::confirmed ? rt::log_level::warning : rt::log_level::error,
        "fence",
        config_->name + ": " + now->plan.server + " by " + rung + ": " + outcome.result + ": " +
            report.sentence,
        {{"topology", config_->name}, {"server", now->plan.server}});
    co_await note(std::move(outcome));
    co_return true;
}

asio::awaitable<void> guard::run_rung(std::shared_ptr<climbing> now, ladder_action step,
                                      fencing::fence_order order) {
    const std::string rung = now->climb.rungs()[step.rung].name;
    fencing::driver* driver = driver_of(now->plan.server, rung);
    rt::deadline until = deadline_of(step.until);
    if (!driver) {
        now->report = rung_report{rung_outcome::failed,
                                  rung_failure::not_found,
                                  "there is no method " + rung + " any more",
                                  {}};
    } else if (step.what == ladder_step::verify) {
        rt::checkpoint("guard.verify");
        auto report = co_await driver->verify(std::move(order), until);
        rt::checkpoint("guard.verified");
        auto weighed = co_await look_again(now->plan.server, rung, std::move(report));
        now->report = std::move(weighed);
    } else {
        rt::checkpoint("guard.act");
        auto report = co_await driver->fence(std::move(order), until);
        rt::checkpoint("guard.acted");
        auto weighed = co_await look_again(now->plan.server, rung, std::move(report));
        now->report = std::move(weighed);
    }
    now->wake.notify();
}

// Whoever says without SQL that the server is stopped is believed only when the server itself does
// not say otherwise: a BMC may lie, and the monitor's last reading is from before.
asio::awaitable<rung_report> guard::look_again(std::string server, std::string rung,
                                               rung_report said) {
    if (said.outcome != rung_outcome::confirmed || needs_sql(server, rung)) co_return said;
    std::unique_ptr<fencing::driver> eyes;
    for (const auto& configured : config_->servers)
        if (configured.name == server) eyes = with_.make_driver(configured, "sql");
    if (!eyes) co_return said;
    fencing::fence_order order{"", new_nonce(), "a second look"};
    auto look = co_await eyes->verify(std::move(order), rt::deadline::after(patience_with_look));
    co_return fencing::after_second_look(std::move(said), look);
}

bool guard::needs_sql(const std::string& server, const std::string& rung) const {
    auto ladder = policy_.ladders.find(server);
    if (ladder == policy_.ladders.end()) return false;
    return std::any_of(ladder->second.begin(), ladder->second.end(),
                       [&](const auto& each) { return each.name == rung && each.needs_sql; });
}

asio::awaitable<void> guard::finish(std::shared_ptr<climbing> now) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto result = now->climb.result();
    const std::string& server = now->plan.server;
    auto took = std::chrono::duration<double>(boot_now() - now->begun_at).count();
    statistics_[server].last_seconds = took;
    if (result.stage == fence_stage::confirmed) statistics_[server].last_confirmed_at = wall_now();
    climbs_.erase(server);
    ended_[server] = result;
    co_await end_fence(server, now->incident, std::move(result));
}

}  // namespace primacy::app
