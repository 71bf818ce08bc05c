// resolve: a person keeps one server. The others that may write are stopped and proved to be, then
// the one is opened, then what the others hold and it lacks is read. Under the lease from the first
// act to the last.
#include "agent/app/guard/guard.hpp"
#include "agent/app/guard/resolve_json.hpp"
#include "agent/app/watch/now.hpp"
#include "agent/rt/checkpoint.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <tuple>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// How long one may look into the binary logs: of servers that still write, and of stopped ones.
constexpr auto patience_with_writers = 5s;
constexpr auto patience_with_stopped = 30s;
// How long a survivor may take to apply what the losers have sent to it.
constexpr auto patience_with_applying = 30s;
constexpr auto patience_without_answer = 5s;

std::vector<std::string> losers_of(const fencing::resolve_plan& plan) {
    std::vector<std::string> names;
    for (const auto& fence : plan.fences)
        names.push_back(fence.server);
    return names;
}

// What was known of a server that could not be read again after it was stopped.
void recall(fencing::loss& after, const fencing::loss& before) {
    if (after.cannot_say.empty() || !before.cannot_say.empty() || before.transactions == 0) return;
    after.cannot_say += "; before it was stopped it held " + before.gtids + ", and may hold more";
}

}  // namespace

fencing::resolve_plan guard::plan_to_keep(const std::string& server) const {
    return fencing::plan_resolve(newest_->seen, newest_->verdict, state_, policy_, server);
}

// A server that failed to answer once is no server that cannot be read: nobody is powered off for
// that, and nothing is refused.
asio::awaitable<fencing::resolve_plan> guard::plan_surely(std::string server) {
    for (int looks = 0; looks < config_->confirm_polls && some_dark(); ++looks)
        co_await seen_since(boot_now());
    co_return plan_to_keep(server);
}

bool guard::some_dark() const {
    const auto& verdict = newest_->verdict;
    for (std::size_t i = 0; i < newest_->seen.servers.size(); ++i) {
        const std::string& name = newest_->seen.servers[i].name;
        bool stopped = verdict.next.stopped.contains(name) || state_.stopped(name);
        if (!verdict.graph.members[i].known() && !stopped) return true;
    }
    return false;
}

asio::awaitable<guard::answer> guard::resolve(person_order order) {
    if (!newest_ || !newest_->first_round_done)
        co_return answer_refused("not every server has been asked yet; try again");
    // What the person has seen may be newer than our last reading. Whoever cannot be asked is dark.
    std::ignore = co_await seen_since(boot_now());
    auto plan = co_await plan_surely(order.server);
    if (!plan.refusal.empty()) co_return answer_refused(plan.refusal);
    if (!order.agreed.empty() && order.agreed != fencing::agreement_of(plan))
        co_return answer_refused("nothing was done: you agreed to \"" + order.agreed +
                                 "\", and by now it would be \"" + fencing::agreement_of(plan) +
                                 "\"; look at it and resolve again");
    if (order.dry_run) {
        co_await survey_losses(plan, false, patience_with_writers);
        auto shown = answer_done(fencing::text_of(plan));
        shown.details = resolve_json(plan);
        co_return shown;
    }
    if (std::string why = why_not_choose(); !why.empty()) co_return answer_refused(why);
    const choice alone(*this, "a resolve that keeps " + order.server, order.server);
    const order_at_work with_lease(*this);
    rt::checkpoint("resolve.planned");
    co_return co_await resolve_with_lease(std::move(order), std::move(plan));
}

// To get the lease takes time, in which another person may have resolved otherwise: only the plan
// that stood at the beginning is carried out. That all of it is done already is no objection.
asio::awaitable<guard::answer> guard::resolve_with_lease(person_order order,
                                                         fencing::resolve_plan agreed) {
    std::string why = co_await why_unfit_to_act();
    if (!why.empty()) co_return answer_refused(why);
    auto plan = co_await plan_surely(order.server);
    if (!plan.refusal.empty()) co_return answer_refused(plan.refusal);
    const std::string before = fencing::agreement_of(agreed), now = fencing::agreement_of(plan);
    bool all_is_done = plan.fences.empty() && plan.survivor_is_writable;
    if (before != now && !all_is_done)
        co_return answer_refused(
            "nothing was done: while this waited, somebody changed what "
            "\"" +
            before + "\" has become: \"" + now + "\"; look at it and resolve again");
    why = why_busy(plan);
    if (!why.empty()) co_return answer_refused(why);
    auto entry = entry_of_person(record_kind::resolving, order);
    for (const auto& lost : plan.losses)
        for (auto& fact : fencing::facts_of(lost))
            entry.facts.push_back(std::move(fact));
    auto noted = co_await note(std::move(entry));
    if (!noted) co_return answer_refused(noted.error().message);
    auto answered = co_await stop_losers(order, plan);
    if (answered.done()) {
        auto opened = co_await open_survivor(order, plan);
        opened.sentence = answered.sentence + opened.sentence;
        answered = std::move(opened);
    }
    co_return co_await end_resolve(std::move(order), std::move(plan), std::move(answered));
}

std::string guard::why_busy(const fencing::resolve_plan& plan) const {
    for (const auto& fence : plan.fences)
        if (climbs_.contains(fence.server))
            return "a fence of " + fence.server + " is at work; wait for its end";
    if (climbs_.contains(plan.survivor))
        return plan.survivor + " is being fenced at this moment; wait for its end";
    return "";
}

asio::awaitable<guard::answer> guard::stop_losers(person_order order, fencing::resolve_plan plan) {
    const auto losers = losers_of(plan);
    for (auto& fence : plan.fences) {
        fence.why = "resolve keeps " + order.server + ": " + order.reason;
        begin_for_person(fence);
    }
    co_await ladders_end(losers);
    rt::checkpoint("resolve.losers_stopped");
    std::string stopped, others;
    for (const auto& loser : losers) {
        const auto result = result_of(loser);
        if (result.stage == fencing::fence_stage::confirmed)
            stopped += loser + " is stopped by " + result.rung + ": " + result.sentence + "\n";
        else
            others += loser + " is not proved to be stopped (" +
                      std::string(fencing::to_string(result.stage)) + ": " + result.sentence +
                      "). Make sure that it is, then `primacy confirm-fenced " + loser +
                      "` and resolve again\n";
    }
    if (others.empty()) co_return answer_done(stopped);
    co_return answer_failed(stopped + others + order.server + " was " +
                            (plan.survivor_is_writable ? "left as it is" : "not opened"));
}

// What makes the survivor not the only writer, by readings that began after now; empty: nothing.
asio::awaitable<std::string> guard::why_not_alone(const fencing::resolve_plan& plan,
                                                  bool before_opening) {
    const bool fresh = co_await seen_since(boot_now());
    if (!fresh) co_return "not every server could be asked again after that; resolve again";
    const auto losers = losers_of(plan);
    const auto again = co_await plan_surely(plan.survivor);
    if (!again.refusal.empty()) co_return again.refusal;
    for (const auto& fence : again.fences) {
        if (std::find(losers.begin(), losers.end(), fence.server) == losers.end())
            co_return fence.server + " has become a writer meanwhile; resolve again";
        co_return fence.server +
            " was stopped and is writable again: somebody opens it; find out who, then resolve "
            "again";
    }
    bool should_write = plan.survivor_is_writable || !before_opening;
    if (should_write && !again.survivor_is_writable)
        co_return plan.survivor +
            " was made read-only meanwhile by somebody else, and nobody writes now; resolve again";
    co_return "";
}

// A survivor that replicates from a loser still receives and applies what was written there. Opened
// before it has all of that, it would write into the middle of it, and the rest were lost. Where it
// cannot be told what is missing, nothing is waited for in vain for long.
asio::awaitable<std::string> guard::why_still_behind(const fencing::resolve_plan& plan) {
    asio::steady_timer timer(with_.executor);
    const auto began = rt::steady_clock::now();
    auto behind = behind_losers(plan);
    for (;;) {
        const auto waited = rt::steady_clock::now() - began;
        bool undecided = behind && !behind->decided();
        bool enough = waited > (undecided ? patience_without_answer : patience_with_applying);
        if (!behind || enough || over_) break;
        timer.expires_after(10ms);
        co_await timer.async_wait(asio::use_awaitable);
        behind = behind_losers(plan);
    }
    if (!behind || !behind->decided()) co_return "";
    co_return plan.survivor + " has not applied yet what it receives: it lacks " + behind->text +
        ". Nobody writes now. Resolve again to wait on, or open it without these: `primacy "
        "unfence " +
        plan.survivor + "`";
}

// What a loser holds and will still send to the survivor, or that it cannot be told; absent when
// it has everything, and when it does not replicate from a loser.
std::optional<checks::history_comparison> guard::behind_losers(
    const fencing::resolve_plan& plan) const {
    const auto& seen = newest_->seen;
    const auto keep = index_of(plan.survivor);
    for (const auto& fence : plan.fences) {
        const auto loser = index_of(fence.server);
        if (!keep || !loser) continue;
        const auto& here = newest_->verdict.graph.members[*keep];
        for (std::size_t c = 0; here.known() && c < here.sources.size(); ++c) {
            if (here.sources[c] != *loser || !here.facts->channels[c].replicating()) continue;
            auto extra = checks::beyond(seen, *loser, *keep);
            if (!extra.decided() || extra.transactions > 0) return extra;
        }
    }
    return std::nullopt;
}

asio::awaitable<guard::answer> guard::open_survivor(person_order order,
                                                    fencing::resolve_plan plan) {
    std::string why = co_await why_not_alone(plan, true);
    if (!why.empty()) co_return answer_failed(why);
    rt::checkpoint("resolve.losers_confirmed");
    if (plan.survivor_is_writable) {
        fencing::fence_released(state_, order.server);
        auto entry = entry_of_person(record_kind::released, order);
        co_return co_await note_and_say(std::move(entry), order.server + " is the only writer");
    }
    why = co_await why_still_behind(plan);
    if (!why.empty()) co_return answer_failed(why);
    auto opened = co_await open(order);
    if (!opened.done()) co_return opened;
    why = co_await why_not_alone(plan, false);
    if (!why.empty()) co_return answer_failed(order.server + " was opened, but " + why);
    co_return answer_done(order.server + " is open for writing, and the only writer");
}

// What the losers hold counts only when it was read after they were stopped: they wrote until then.
asio::awaitable<guard::answer> guard::end_resolve(person_order order, fencing::resolve_plan plan,
                                                  answer answered) {
    if (answered.done()) {
        co_await survey_losses(plan, true, patience_with_stopped);
        for (const auto& lost : plan.losses)
            answered.sentence += "\n" + fencing::text_of(lost, plan.survivor);
    }
    answered.details = resolve_json(plan);
    boost::json::array stopped;
    for (const auto& loser : losers_of(plan)) {
        const auto result = result_of(loser);
        stopped.push_back(boost::json::object{{"server", loser},
                                              {"stage", fencing::to_string(result.stage)},
                                              {"rung", result.rung},
                                              {"sentence", result.sentence}});
    }
    answered.details["stopped"] = std::move(stopped);
    auto entry = entry_of_person(record_kind::resolved, order);
    entry.result = answered.done() ? "done" : "failed";
    if (!answered.done()) entry.reason = answered.sentence;
    for (const auto& lost : plan.losses)
        for (auto& fact : fencing::facts_of(lost))
            entry.facts.push_back(std::move(fact));
    auto noted = co_await note(std::move(entry));
    if (!noted)
        answered.sentence += "\nthis could not be noted in the journal: " + noted.error().message;
    co_return answered;
}

// `now_stopped`: the losers of the plan have been, and each is read again; else only those that the
// monitor can read, because the others would cost the whole patience.
asio::awaitable<void> guard::survey_losses(fencing::resolve_plan& plan, bool now_stopped,
                                           std::chrono::seconds patience) {
    const auto& survivor = configured(plan.survivor);
    for (auto& lost : plan.losses) {
        const fencing::loss before = lost;
        const auto i = index_of(before.server);
        if (!now_stopped && !newest_->verdict.graph.members[*i].known()) continue;
        auto after = co_await with_.survey_loss(configured(before.server), survivor,
                                                now_stopped || before.after_stop,
                                                rt::deadline::after(patience));
        recall(after, before);
        lost = std::move(after);
    }
}

}  // namespace primacy::app
