// What a person may ask of the guard. Apart from guard.cpp, because nothing here happens by itself.
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

namespace {

rt::error refused(std::string why) {
    return {rt::errc::usage, 0, std::move(why)};
}

std::optional<std::size_t> index_of(const checks::observation& seen, const std::string& server) {
    for (std::size_t i = 0; i < seen.servers.size(); ++i)
        if (seen.servers[i].name == server) return i;
    return std::nullopt;
}

}  // namespace

fence_entry guard::entry_of_person(record_kind kind, const person_order& order) const {
    fence_entry entry = entry_of(kind, order.server);
    entry.by = order.by;
    entry.reason = order.reason;
    return entry;
}

asio::awaitable<guard::answer> guard::note_and_say(fence_entry entry, std::string done) {
    rt::log(rt::log_level::warning, "fence",
            config_->name + ": " + done + " (" + entry.by + ": " + entry.reason + ")",
            {{"topology", config_->name}});
    auto noted = co_await note(std::move(entry));
    if (!noted)
        co_return rt::error{rt::errc::io, 0,
                            done + "; but it could not be noted, and a restart forgets it: " +
                                noted.error().message};
    co_return done;
}

asio::awaitable<guard::answer> guard::carry_out(person_order order) {
    bool configured = std::any_of(config_->servers.begin(), config_->servers.end(),
                                  [&](const auto& server) { return server.name == order.server; });
    if (!order.server.empty() && !configured)
        co_return refused("there is no server " + order.server + " in " + config_->name);
    fence_entry entry = entry_of_person(record_kind::pinned, order);
    std::string said;
    switch (order.verb) {
        case person_verb::pin:
            if (order.dry_run) co_return "would pin " + order.server;
            state_.pin = order.server;
            co_return co_await note_and_say(std::move(entry), order.server + " is pinned");
        case person_verb::unpin:
            if (order.dry_run) co_return std::string("would end the pin");
            state_.pin.clear();
            co_return co_await note_and_say(std::move(entry), "no server is pinned any more");
        case person_verb::maintenance_on:
            if (order.dry_run) co_return "would pause for " + checks::words::seconds(order.length);
            entry.kind = record_kind::maintenance;
            entry.until = entry.at + order.length;
            state_.maintenance = fencing::maintenance_window{
                boot_now() + checks::duration(order.length), order.reason};
            said = "nothing is stopped until " + utc_text(*entry.until);
            co_return co_await note_and_say(std::move(entry), std::move(said));
        case person_verb::maintenance_off:
            if (order.dry_run) co_return std::string("would end the maintenance");
            entry.kind = record_kind::maintenance;
            state_.maintenance.reset();
            co_return co_await note_and_say(std::move(entry), "maintenance is over");
        case person_verb::confirm_fenced: co_return co_await confirm_fenced(std::move(order));
        case person_verb::unfence: co_return co_await unfence(std::move(order));
        case person_verb::resolve: co_return co_await resolve(std::move(order));
        case person_verb::fence: co_return co_await fence_by_hand(std::move(order));
    }
    co_return refused("there is no such order");
}

// A person's word counts where nobody can look, and nowhere else.
asio::awaitable<guard::answer> guard::confirm_fenced(person_order order) {
    auto i = newest_ ? index_of(newest_->seen, order.server) : std::nullopt;
    if (!i) co_return refused("nothing is known of " + order.server + " yet; try again");
    const auto& here = newest_->verdict.graph.members[*i];
    if (here.known() && *here.may_write)
        co_return refused(order.server +
                          " was read a moment ago and is writable: it is not stopped");
    if (order.dry_run) co_return "would note that " + order.server + " is stopped";
    fencing::fence_confirmed_by_person(state_, order.server, boot_now());
    with_.note_stopped(order.server);
    co_return co_await note_and_say(entry_of_person(record_kind::confirmed_by_person, order),
                                    order.server + " counts as stopped");
}

asio::awaitable<guard::answer> guard::unfence(person_order order) {
    auto i = newest_ ? index_of(newest_->seen, order.server) : std::nullopt;
    if (!i) co_return refused("nothing is known of " + order.server + " yet; try again");
    const auto& graph = newest_->verdict.graph;
    if (!graph.members[*i].known())
        co_return refused(order.server + " cannot be read: " + graph.members[*i].why_unknown);
    for (std::size_t other = 0; other < graph.members.size(); ++other) {
        const std::string& name = newest_->seen.servers[other].name;
        bool harmless = other == *i || newest_->verdict.next.stopped.contains(name);
        if (!graph.members[other].known() && !harmless)
            co_return refused(name +
                              " cannot be read and may be writable; two writers are worse "
                              "than none (`primacy confirm-fenced` if it is stopped)");
        if (other != *i && graph.members[other].known() && *graph.members[other].may_write)
            co_return refused(name + " is writable; make " + order.server +
                              " its replica, and it is given back by itself");
    }
    for (const auto& found : newest_->verdict.findings)
        if (found.code == checks::finding_code::diverged &&
            found.subject.find(order.server) != std::string::npos)
            co_return refused(found.reason);
    if (order.dry_run) co_return "would make " + order.server + " writable";
    auto opened = co_await open(order);
    if (!opened) co_return opened.error();
    co_return order.server + " is given back and writable";
}

// The only way to a writable server (S1): noted before, read back after.
asio::awaitable<guard::answer> guard::open(person_order order) {
    auto noted = co_await note(entry_of_person(record_kind::opened, order));
    if (!noted) co_return noted.error();
    const auto& server = *std::find_if(config_->servers.begin(), config_->servers.end(),
                                       [&](const auto& each) { return each.name == order.server; });
    auto opened = co_await with_.open_for_writing(server, rt::deadline::after(10s));
    if (!opened) co_return opened.error();
    fencing::fence_released(state_, order.server);
    co_return co_await note_and_say(entry_of_person(record_kind::released, order),
                                    order.server + " is open for writing");
}

// Why not even a person's order can be carried out now. An agent that does not act by itself has
// no lease, and takes it for the order; whoever calls this gives it back afterwards.
asio::awaitable<std::string> guard::why_unfit_to_act() {
    if (!with_.journal->trouble().empty())
        co_return "what is done could not be noted: " + with_.journal->trouble();
    if (!policy_.needs_lease) co_return "";
    with_.want_lease(true);
    asio::steady_timer timer(with_.executor);
    rt::deadline patience = rt::deadline::after(4 * config_->lease.ttl);
    while (!with_.lease().held && !patience.passed()) {
        timer.expires_after(20ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    if (with_.lease().held) co_return "";
    with_.want_lease(policy_.enforce);
    co_return "this agent does not hold the lease: " + with_.lease().why +
        "; ask the agent that holds it";
}

bool guard::some_climb(const std::vector<std::string>& servers) const {
    return std::any_of(servers.begin(), servers.end(),
                       [this](const std::string& server) { return climbs_.contains(server); });
}

asio::awaitable<void> guard::ladders_end(std::vector<std::string> servers) {
    asio::steady_timer timer(with_.executor);
    while (some_climb(servers)) {
        timer.expires_after(10ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// By a person's word in any mode; the lease is needed where one is configured, because another
// agent may be at work (S2).
asio::awaitable<guard::answer> guard::fence_by_hand(person_order order) {
    if (!newest_) co_return refused("nothing is known yet; try again");
    fencing::fence_plan plan;
    plan.server = order.server;
    plan.rungs = policy_.ladders[order.server];
    plan.by_person = true;
    plan.why = order.reason + " (" + order.by + ")";
    std::string rungs;
    for (const auto& rung : plan.rungs)
        rungs += (rungs.empty() ? "" : ", then ") + rung.name;
    if (order.dry_run) co_return "would stop " + order.server + " by " + rungs;
    std::string why = co_await why_unfit_to_act();
    if (!why.empty()) co_return refused(why);
    if (climbs_.contains(order.server))
        co_return refused("a fence of " + order.server + " is at work; see `primacy explain`");
    begin(plan, fencing::decision{});
    std::vector<std::string> servers = {order.server};
    co_await ladders_end(std::move(servers));
    with_.want_lease(policy_.enforce);
    const auto& record = state_.servers[order.server];
    std::string said = order.server + ": " + std::string(fencing::to_string(record.stage)) +
                       (record.rung.empty() ? "" : " by " + record.rung) + ": " + record.sentence;
    if (record.stage == fencing::fence_stage::confirmed) co_return said;
    co_return rt::error{rt::errc::query, 0,
                        said + "; if you know that it is stopped, `primacy confirm-fenced`"};
}

asio::awaitable<guard::answer> guard::resolve(person_order order) {
    if (!newest_ || !newest_->first_round_done)
        co_return refused("not every server has been asked yet; try again");
    auto plan =
        fencing::plan_resolve(newest_->seen, newest_->verdict, state_, policy_, order.server);
    if (!plan.refusal.empty()) co_return refused(plan.refusal);
    if (order.dry_run) co_return fencing::text_of(plan);
    if (!resolving_.empty())
        co_return refused("a resolve that keeps " + resolving_ + " is at work; wait for its end");
    resolving_ = order.server;
    rt::checkpoint("resolve.planned");
    std::string why = co_await why_unfit_to_act();
    answer answered = refused(why);
    // Planned again, because the lease may have taken its time.
    plan = fencing::plan_resolve(newest_->seen, newest_->verdict, state_, policy_, order.server);
    if (why.empty()) answered = co_await resolve_now(std::move(order), std::move(plan));
    with_.want_lease(policy_.enforce);
    resolving_.clear();
    co_return answered;
}

// Another writer than those that were stopped, while they were.
std::string guard::writes_meanwhile(const fencing::resolve_plan& plan,
                                    const std::vector<std::string>& losers) const {
    auto again =
        fencing::plan_resolve(newest_->seen, newest_->verdict, state_, policy_, plan.survivor);
    for (const auto& fence : again.fences)
        if (std::find(losers.begin(), losers.end(), fence.server) == losers.end())
            return fence.server + " has become a writer meanwhile; resolve again";
    return again.refusal;
}

// The losers are stopped, each confirmed, before the survivor is opened.
asio::awaitable<guard::answer> guard::resolve_now(person_order order, fencing::resolve_plan plan) {
    if (!plan.refusal.empty()) co_return refused(plan.refusal);
    for (const auto& fence : plan.fences)
        if (climbs_.contains(fence.server))
            co_return refused("a fence of " + fence.server + " is at work; wait for its end");
    if (climbs_.contains(order.server))
        co_return refused(order.server + " is being fenced at this moment; wait for its end");
    auto noted = co_await note(entry_of_person(record_kind::resolving, order));
    if (!noted) co_return noted.error();
    std::vector<std::string> losers;
    for (auto& fence : plan.fences) {
        fence.why = "resolve keeps " + order.server + ": " + order.reason;
        losers.push_back(fence.server);
        begin(fence, fencing::decision{});
    }
    co_await ladders_end(losers);
    rt::checkpoint("resolve.losers_stopped");
    for (const auto& loser : losers) {
        const auto& record = state_.servers[loser];
        if (record.stage == fencing::fence_stage::confirmed) continue;
        co_return rt::error{rt::errc::query, 0,
                            loser + " is not proved to be stopped (" +
                                std::string(fencing::to_string(record.stage)) + ": " +
                                record.sentence + "); " + order.server + " was " +
                                (plan.survivor_is_writable ? "left as it is" : "not opened") +
                                ". Make sure that " + loser +
                                " is stopped, then `primacy confirm-fenced " + loser +
                                "` and resolve again"};
    }
    if (std::string other = writes_meanwhile(plan, losers); !other.empty())
        co_return rt::error{rt::errc::query, 0, other};
    rt::checkpoint("resolve.losers_confirmed");
    std::string said = fencing::text_of(plan) + "\ndone: ";
    if (plan.survivor_is_writable) {
        fencing::fence_released(state_, order.server);
        auto entry = entry_of_person(record_kind::released, order);
        co_return co_await note_and_say(std::move(entry),
                                        said + order.server + " is the only writer");
    }
    auto opened = co_await open(order);
    if (!opened) co_return opened.error();
    co_return said + order.server + " is the only writer";
}

}  // namespace primacy::app
