#include "agent/app/commands/lone_order.hpp"

#include "agent/app/guard/guarded_topology.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/app/watch/settled.hpp"
#include "agent/app/watch/watch_store.hpp"
#include "agent/rt/event.hpp"
#include "agent/rt/log.hpp"
#include "agent/rt/sql/network.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>
#include <unistd.h>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// A rung at work gets its grace, sessions close, and what came of it is noted.
constexpr auto patience_with_the_end = 20s;

std::string trouble_with_journal(const rt::error& failure) {
    if (failure.native != EWOULDBLOCK) return failure.message;
    return failure.message +
           "; another primacy command is at work on this host, or an agent that does not answer: "
           "wait for its end, or end it";
}

class lone_guard {
public:
    lone_guard(const config& settings, person_order order)
        : settings_(settings),
          order_(std::move(order)),
          network_(loop_.get_executor()),
          journal_(disk_, settings_.agent.state_dir + "/journal"),
          changed_(loop_.get_executor()) {}
    ~lone_guard() { disk_.join(); }
    lone_guard(const lone_guard&) = delete;
    lone_guard& operator=(const lone_guard&) = delete;

    order_answer run();

private:
    std::string open_memory();
    void make_topology();
    asio::awaitable<void> serve();
    asio::awaitable<void> give_order();
    asio::awaitable<void> wait_for_signal();

    const config& settings_;
    person_order order_;
    asio::io_context loop_{1};
    asio::thread_pool disk_{1};
    rt::sql::network network_;
    rt::system_process_runner runner_;
    fence_journal journal_;
    std::vector<fence_entry> history_;
    checks::watch_state recalled_;
    rt::event changed_;
    std::shared_ptr<const topology_snapshot> newest_;
    std::unique_ptr<guarded_topology> topology_;
    std::optional<order_answer> answer_;
};

order_answer lone_guard::run() {
    if (std::string why = open_memory(); !why.empty()) return answer_refused(why);
    make_topology();
    asio::co_spawn(loop_, serve(), asio::detached);
    loop_.run();
    if (!answer_) return answer_failed("this ended by a fault of its own; see `primacy audit`");
    return std::move(*answer_);
}

// What the agent knew: its journal, and who wrote last. Why nothing can be done; empty: it can.
std::string lone_guard::open_memory() {
    const std::filesystem::path directory = settings_.agent.state_dir;
    if (order_.dry_run) {
        auto history = read_history(directory / "journal");
        if (history) history_ = std::move(history->entries);
    } else {
        auto history = journal_.open();
        if (!history) return trouble_with_journal(history.error());
        history_ = std::move(history->entries);
    }
    std::error_code failed;
    if (!std::filesystem::exists(directory, failed)) return "";
    // Never written here: only an agent watches without a gap.
    watch_store store(loop_.get_executor(), disk_, directory, [](const std::string&) {});
    if (store.load()) recalled_ = store.recalled(order_.topology);
    return "";
}

void lone_guard::make_topology() {
    const auto found =
        std::find_if(settings_.topologies.begin(), settings_.topologies.end(),
                     [this](const auto& each) { return each.name == order_.topology; });
    const guarded_topology::surroundings around{loop_.get_executor(), &network_, &runner_,
                                                order_.dry_run ? nullptr : &journal_, &settings_};
    topology_ = std::make_unique<guarded_topology>(
        around, *found,
        guarded_topology::beginning{recalled_, history_, rt::steady_clock::now(), false},
        [this](std::shared_ptr<const topology_snapshot> judged) {
            newest_ = std::move(judged);
            changed_.notify();
        });
}

asio::awaitable<void> lone_guard::give_order() {
    rt::deadline end = rt::deadline::after(longest_look(topology_->config()));
    while ((!newest_ || !settled(*newest_)) && !end.passed())
        co_await changed_.wait(end);
    auto answered = co_await topology_->guardian().carry_out(order_);
    answer_ = std::move(answered);
}

asio::awaitable<void> lone_guard::wait_for_signal() {
    asio::signal_set signals(loop_, SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    if (!answer_)
        answer_ = answer_failed(
            "interrupted; what was under way is given up and noted, see `primacy audit`, and "
            "`primacy status` for who may write now");
}

asio::awaitable<void> lone_guard::serve() {
    topology_->start();
    rt::task_group tasks(loop_.get_executor(), rt::on_failure::cancel_others);
    tasks.spawn("order", give_order());
    tasks.spawn("signals", wait_for_signal());
    while (!answer_ && tasks.running().size() == 2) {
        asio::steady_timer pause(loop_, 10ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
    tasks.cancel();
    std::ignore = co_await tasks.join(rt::deadline::after(patience_with_the_end));
    auto ended = co_await topology_->stop(rt::deadline::after(patience_with_the_end));
    if (!ended) rt::log(rt::log_level::error, "fence", ended.error().message);
}

order_answer note_for_later(const config& settings, const person_order& order) {
    fence_entry entry;
    entry.kind = order.verb == person_verb::pin || order.verb == person_verb::unpin
                     ? record_kind::pinned
                     : record_kind::maintenance;
    entry.at = report_now().wall;
    entry.agent = settings.agent.name;
    entry.topology = order.topology;
    entry.server = order.server;
    entry.by = order.by;
    entry.reason = order.reason;
    if (order.verb == person_verb::maintenance_on) entry.until = entry.at + order.length;
    if (order.dry_run) return answer_done("no agent runs; would note it for its next start");
    auto journal = rt::journal::open(settings.agent.state_dir + "/journal");
    if (!journal) return answer_refused(trouble_with_journal(journal.error()));
    auto written = journal->append(to_json(entry), rt::durability::durable);
    if (!written) return answer_refused(written.error().message);
    return answer_done("no agent runs; noted for its next start");
}

}  // namespace

order_answer carry_out_alone(const config& settings, person_order order) {
    order.by = "uid " + std::to_string(::getuid());
    switch (order.verb) {
        case person_verb::pin:
        case person_verb::unpin:
        case person_verb::maintenance_on:
        case person_verb::maintenance_off: return note_for_later(settings, order);
        case person_verb::confirm_fenced:
        case person_verb::unfence:
        case person_verb::fence:
        case person_verb::resolve: break;
    }
    rt::log(rt::log_level::info, "fence",
            "no agent answers at " + settings.agent.control + "; this command does it by itself");
    lone_guard guard(settings, std::move(order));
    return guard.run();
}

}  // namespace primacy::app
