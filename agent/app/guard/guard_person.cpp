// What a person may ask of the guard, but for resolve. Apart from guard.cpp, because nothing here
// happens by itself.
#include "agent/app/guard/guard.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/app/watch/now.hpp"
#include "agent/rt/checkpoint.hpp"
#include "agent/rt/log.hpp"
#include "checks/words.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using fencing::rung_outcome;

namespace {

constexpr auto patience_with_opening = 10s;
constexpr auto tell_of_the_lease_after = 1s;
constexpr auto tell_of_the_lease_every = 5s;

}  // namespace

asio::awaitable<guard::answer> guard::carry_out(person_order order) {
    bool configured = std::any_of(config_->servers.begin(), config_->servers.end(),
                                  [&](const auto& server) { return server.name == order.server; });
    if (!order.server.empty() && !configured)
        co_return answer_refused("there is no server " + order.server + " in " + config_->name);
    fence_entry entry = entry_of_person(record_kind::pinned, order);
    std::string said;
    switch (order.verb) {
        case person_verb::pin:
            if (order.dry_run) co_return answer_done("would pin " + order.server);
            state_.pin = order.server;
            co_return co_await note_and_say(std::move(entry), order.server + " is pinned");
        case person_verb::unpin:
            if (order.dry_run) co_return answer_done("would end the pin");
            state_.pin.clear();
            co_return co_await note_and_say(std::move(entry), "no server is pinned any more");
        case person_verb::maintenance_on:
            if (order.dry_run)
                co_return answer_done("would pause for " + checks::words::seconds(order.length));
            entry.kind = record_kind::maintenance;
            entry.until = entry.at + order.length;
            state_.maintenance = fencing::maintenance_window{
                boot_now() + checks::duration(order.length), order.reason};
            said = "nothing is stopped until " + utc_text(*entry.until);
            co_return co_await note_and_say(std::move(entry), std::move(said));
        case person_verb::maintenance_off:
            if (order.dry_run) co_return answer_done("would end the maintenance");
            entry.kind = record_kind::maintenance;
            state_.maintenance.reset();
            co_return co_await note_and_say(std::move(entry), "maintenance is over");
        case person_verb::confirm_fenced: co_return co_await confirm_fenced(std::move(order));
        case person_verb::unfence: co_return co_await unfence(std::move(order));
        case person_verb::resolve: co_return co_await resolve(std::move(order));
        case person_verb::fence: co_return co_await fence_by_hand(std::move(order));
    }
    co_return answer_refused("there is no such order");
}

// A person's word counts where nobody can look, and nowhere else.
asio::awaitable<guard::answer> guard::confirm_fenced(person_order order) {
    auto i = index_of(order.server);
    if (!i) co_return answer_refused("nothing is known of " + order.server + " yet; try again");
    const auto& here = newest_->verdict.graph.members[*i];
    if (here.known() && *here.may_write)
        co_return answer_refused(order.server +
                                 " was read a moment ago and is writable: it is not stopped");
    if (order.dry_run) co_return answer_done("would note that " + order.server + " is stopped");
    co_await taken_up();  // what it finds must not come after the person's word
    fencing::fence_confirmed_by_person(state_, order.server, boot_now());
    with_.note_stopped(order.server);
    co_return co_await note_and_say(entry_of_person(record_kind::confirmed_by_person, order),
                                    order.server + " counts as stopped");
}

// What makes it unsafe to open the server now; empty: nothing that is seen.
std::string guard::why_not_unfence(const person_order& order) const {
    auto i = index_of(order.server);
    if (!i) return "nothing is known of " + order.server + " yet; try again";
    const auto& graph = newest_->verdict.graph;
    if (!graph.members[*i].known())
        return order.server + " cannot be read: " + graph.members[*i].why_unknown;
    for (std::size_t other = 0; other < graph.members.size(); ++other) {
        const std::string& name = newest_->seen.servers[other].name;
        bool harmless = other == *i || newest_->verdict.next.stopped.contains(name);
        if (!graph.members[other].known() && !harmless)
            return name +
                   " cannot be read and may be writable; two writers are worse "
                   "than none (`primacy confirm-fenced` if it is stopped)";
        if (other != *i && graph.members[other].known() && *graph.members[other].may_write)
            return name + " is writable; make " + order.server +
                   " its replica, and it is given back by itself";
    }
    for (const auto& found : newest_->verdict.findings)
        if (found.code == checks::finding_code::diverged &&
            found.subject.find(order.server) != std::string::npos)
            return found.reason;
    return "";
}

std::string guard::why_not_choose() const {
    return choosing_.empty() ? "" : choosing_ + " is at work; wait for its end";
}

// Under the lease, because somebody else may be about to open another one (S2).
asio::awaitable<guard::answer> guard::unfence(person_order order) {
    if (std::string why = why_not_unfence(order); !why.empty()) co_return answer_refused(why);
    if (order.dry_run) co_return answer_done("would make " + order.server + " writable");
    if (std::string why = why_not_choose(); !why.empty()) co_return answer_refused(why);
    const choice alone(*this, "an unfence of " + order.server, order.server);
    const order_at_work with_lease(*this);
    std::string why = co_await why_unfit_to_act();
    if (!why.empty()) co_return answer_refused(why);
    // A lease that is ours for long says nothing of how old the last reading is.
    const bool fresh = co_await seen_since(boot_now());
    if (!fresh) co_return answer_refused("not every server could be asked again; try again");
    if (climbs_.contains(order.server))
        co_return answer_refused("a fence of " + order.server + " is at work; wait for its end");
    if (why = why_not_unfence(order); !why.empty()) co_return answer_refused(why);
    auto answered = co_await open(order);
    if (answered.done()) answered.sentence = order.server + " is given back and writable";
    co_return answered;
}

// The only way to a writable server (S1): noted before, read back after, and under the lease.
asio::awaitable<guard::answer> guard::open(person_order order) {
    if (policy_.needs_lease && !with_.lease().valid(boot_now()))
        co_return answer_failed("the lease was lost meanwhile, so " + order.server +
                                " was not opened: " + with_.lease().why);
    auto noted = co_await note(entry_of_person(record_kind::opened, order));
    if (!noted) co_return answer_failed(order.server + " was not opened: " + noted.error().message);
    const auto& server = configured(order.server);
    auto opened =
        co_await with_.open_for_writing(server, rt::deadline::after(patience_with_opening));
    if (!opened) co_return answer_failed(opened.error().message);
    fencing::fence_released(state_, order.server);
    co_return co_await note_and_say(entry_of_person(record_kind::released, order),
                                    order.server + " is open for writing");
}

// Nobody is opened on the strength of a lease that is over (S2), and what came of it is noted: the
// note of a good end is its caller's.
asio::awaitable<rt::result<void>> guard::open_if_allowed(opening open, server_config server,
                                                         rt::deadline until) {
    std::string why = why_not_now();
    rt::result<void> opened =
        rt::error{rt::errc::cancelled, 0, server.name + " was not opened: " + why};
    if (policy_.needs_lease) until = until.sooner(deadline_of(with_.lease().valid_until));
    if (why.empty()) opened = co_await open(server, until);
    if (opened) co_return opened;
    const bool may_come =
        opened.error().code == rt::errc::timeout || opened.error().code == rt::errc::lost;
    fence_entry end = entry_of(record_kind::outcome, server.name);
    end.result = fencing::to_string(may_come ? rung_outcome::unknown : rung_outcome::failed);
    end.reason = opened.error().message;
    co_await note(std::move(end));
    co_return opened;
}

// In the newest judgement; nothing while there is none.
std::optional<std::size_t> guard::index_of(const std::string& server) const {
    for (std::size_t i = 0; newest_ && i < newest_->seen.servers.size(); ++i)
        if (newest_->seen.servers[i].name == server) return i;
    return std::nullopt;
}

const server_config& guard::configured(const std::string& server) const {
    return *std::find_if(config_->servers.begin(), config_->servers.end(),
                         [&](const auto& each) { return each.name == server; });
}

// Why not even a person's order can be carried out now. For the time of an order_at_work.
asio::awaitable<std::string> guard::why_unfit_to_act() {
    if (std::string trouble = journal_trouble(); !trouble.empty())
        co_return "what is done could not be noted: " + trouble;
    co_await taken_up();
    if (!policy_.needs_lease) co_return "";
    std::string why = co_await why_no_lease();
    if (!why.empty()) co_return why;
    // What was read before it was ours may be a picture from before somebody else acted.
    const bool fresh = co_await seen_since(with_.lease().acquired_at);
    if (fresh) co_return "";
    co_return "not every server could be asked again since the lease was taken; try again";
}

asio::awaitable<std::string> guard::why_no_lease() {
    with_.want_lease(true);
    asio::steady_timer timer(with_.executor);
    rt::deadline patience = rt::deadline::after(4 * config_->lease.ttl);
    auto tell_at = rt::steady_clock::now() + tell_of_the_lease_after;
    while (!with_.lease().held && !patience.passed() && !over_) {
        if (rt::steady_clock::now() >= tell_at) {
            tell_at += tell_of_the_lease_every;
            rt::log(rt::log_level::info, "fence",
                    config_->name + ": waits for the lease: " + with_.lease().why,
                    {{"topology", config_->name}});
        }
        timer.expires_after(20ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    if (with_.lease().held) co_return "";
    std::string why = with_.lease().why;
    co_return "the lease could not be had: " + why +
        "; where an agent holds it on another host, give the order there";
}

// Every server was tried since then, with whatever success, and that was judged. False: not all of
// them in the time that they may take.
asio::awaitable<bool> guard::seen_since(checks::moment since) {
    asio::steady_timer timer(with_.executor);
    // Servers that refuse us are asked every fifth interval only.
    rt::deadline patience =
        rt::deadline::after(7 * config_->poll_interval + 2 * config_->probe_timeout + 1s);
    while (!tried_since(since) && !patience.passed()) {
        timer.expires_after(10ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return tried_since(since);
}

bool guard::tried_since(checks::moment since) const {
    return newest_ &&
           std::all_of(newest_->seen.servers.begin(), newest_->seen.servers.end(),
                       [&](const auto& server) { return server.newest.started_at > since; });
}

void guard::begin_for_person(const fencing::fence_plan& plan) {
    ended_.erase(plan.server);
    begin(plan, fencing::decision{});
}

fencing::ladder_result guard::result_of(const std::string& server) const {
    auto found = ended_.find(server);
    if (found != ended_.end()) return found->second;
    fencing::ladder_result none;
    none.sentence = "nothing was done: this ends";
    return none;
}

bool guard::some_climb(const std::vector<std::string>& servers) const {
    return std::any_of(servers.begin(), servers.end(),
                       [this](const std::string& server) { return climbs_.contains(server); });
}

asio::awaitable<void> guard::ladders_end(std::vector<std::string> servers) {
    asio::steady_timer timer(with_.executor);
    while (some_climb(servers) && !over_) {
        timer.expires_after(10ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// By a person's word in any mode; the lease is needed where one is configured, because another
// agent may be at work (S2).
asio::awaitable<guard::answer> guard::fence_by_hand(person_order order) {
    if (!newest_) co_return answer_refused("nothing is known yet; try again");
    fencing::fence_plan plan;
    plan.server = order.server;
    plan.rungs = policy_.ladders[order.server];
    plan.by_person = true;
    plan.why = order.reason + " (" + order.by + ")";
    std::string rungs;
    for (const auto& rung : plan.rungs)
        rungs += (rungs.empty() ? "" : ", then ") + rung.name;
    if (order.dry_run) co_return answer_done("would stop " + order.server + " by " + rungs);
    const order_at_work with_lease(*this);
    std::string why = co_await why_unfit_to_act();
    if (!why.empty()) co_return answer_refused(why);
    if (climbs_.contains(order.server))
        co_return answer_refused("a fence of " + order.server +
                                 " is at work; see `primacy explain`");
    if (chosen_ == order.server) co_return answer_refused(why_not_choose());
    begin_for_person(plan);
    std::vector<std::string> servers = {order.server};
    co_await ladders_end(std::move(servers));
    const auto result = result_of(order.server);
    std::string said = order.server + ": " + std::string(fencing::to_string(result.stage)) +
                       (result.rung.empty() ? "" : " by " + result.rung) + ": " + result.sentence;
    if (result.stage == fencing::fence_stage::confirmed) co_return answer_done(said);
    co_return answer_failed(said + "; if you know that it is stopped, `primacy confirm-fenced`");
}

}  // namespace primacy::app
