// What a person may ask of the guard. Apart from guard.cpp, because nothing here happens by itself.
#include "agent/app/guard/guard.hpp"
#include "agent/app/report/status_json.hpp"
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
    auto noted = co_await with_.journal->write(std::move(entry), rt::durability::durable);
    publish_change();
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
                report_now().boot + checks::duration(order.length), order.reason};
            co_return co_await note_and_say(
                std::move(entry), "nothing is stopped until " + utc_text(entry.at + order.length));
        case person_verb::maintenance_off:
            if (order.dry_run) co_return std::string("would end the maintenance");
            entry.kind = record_kind::maintenance;
            state_.maintenance.reset();
            co_return co_await note_and_say(std::move(entry), "maintenance is over");
        case person_verb::confirm_fenced: co_return co_await confirm_fenced(std::move(order));
        case person_verb::unfence: co_return co_await unfence(std::move(order));
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
    fencing::fence_confirmed_by_person(state_, order.server, report_now().boot);
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
    const auto& server = *std::find_if(config_->servers.begin(), config_->servers.end(),
                                       [&](const auto& each) { return each.name == order.server; });
    auto entry = entry_of_person(record_kind::opened, order);
    auto noted = co_await with_.journal->write(entry, rt::durability::durable);
    if (!noted) co_return noted.error();
    auto opened = co_await with_.open_for_writing(server, rt::deadline::after(10s));
    if (!opened) co_return opened.error();
    fencing::fence_released(state_, order.server);
    co_return co_await note_and_say(entry_of_person(record_kind::released, order),
                                    order.server + " is given back and writable");
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
    if (!with_.journal->trouble().empty())
        co_return rt::error{rt::errc::io, 0,
                            "what is done could not be noted: " + with_.journal->trouble()};
    auto lease = with_.lease();
    if (policy_.needs_lease && !lease.held)
        co_return refused("this agent does not hold the lease: " + lease.why);
    if (climbs_.contains(order.server))
        co_return refused("a fence of " + order.server + " is at work; see `primacy explain`");
    begin(plan, fencing::decision{});
    asio::steady_timer timer(with_.executor);
    while (climbs_.contains(order.server)) {
        timer.expires_after(20ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    const auto& record = state_.servers[order.server];
    std::string said = order.server + ": " + std::string(fencing::to_string(record.stage)) +
                       (record.rung.empty() ? "" : " by " + record.rung) + ": " + record.sentence;
    if (record.stage == fencing::fence_stage::confirmed) co_return said;
    co_return rt::error{rt::errc::query, 0,
                        said + "; if you know that it is stopped, `primacy confirm-fenced`"};
}

}  // namespace primacy::app
