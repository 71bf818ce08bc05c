// Guards one topology: after each judgement it asks the verdict who is to be stopped, climbs the
// loser's ladder when it may, keeps the journal, and tells what it did. The only place that acts on
// servers. Decides nothing itself: verdict and ladder are pure (fencing/).
#pragma once

#include "agent/app/guard/fence_journal.hpp"
#include "agent/app/guard/guard_view.hpp"
#include "agent/app/guard/person_order.hpp"
#include "agent/app/watch/snapshot.hpp"
#include "agent/rt/event.hpp"
#include "agent/rt/task_group.hpp"
#include "fencing/drivers/driver.hpp"
#include "fencing/ladder.hpp"
#include "fencing/resolve.hpp"
#include "fencing/verdict.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace primacy::app {

class guard {
public:
    using opening =
        std::function<boost::asio::awaitable<rt::result<void>>(const server_config&, rt::deadline)>;
    struct services {
        boost::asio::any_io_executor executor;
        fence_journal* journal = nullptr;  // null: nothing can be noted, and so nothing is done
        std::string agent;                 // our name, for the journal
        std::function<std::unique_ptr<fencing::driver>(const server_config&, const std::string&)>
            make_driver;
        // Tells the judge that a server was proved to be stopped.
        std::function<void(const std::string&)> note_stopped;
        std::function<fencing::lease_view()> lease;
        // Asks for the lease, or gives it back; nothing where there is none.
        std::function<void(bool)> want_lease;
        // Makes the server writable, for a person's unfence only (S1).
        opening open_for_writing;
        // What the first holds and the second lacks, read now; the flag: the first is stopped.
        std::function<boost::asio::awaitable<fencing::loss>(
            const server_config&, const server_config&, bool, rt::deadline)>
            survey_loss;
        // False: does what a person asks, and nothing else; it decides nothing then and looks
        // after no device.
        bool acts_by_itself = true;
    };

    guard(std::shared_ptr<const topology_config> config, fencing::fencing_policy policy,
          replayed past, services with);

    // A new judgement; what it leads to is started from the event loop.
    void follow(std::shared_ptr<const topology_snapshot> judged);
    std::shared_ptr<const guard_view> view() const;
    // Does what a person asks, and says what was done.
    boost::asio::awaitable<order_answer> carry_out(person_order order);
    // Re-verifies what was left unfinished, checks devices; until cancelled. Then its ladders are
    // cancelled and waited for.
    boost::asio::awaitable<void> run();

private:
    struct climbing;
    // An agent that does not act by itself has no lease, and takes it for an order. It is given
    // back when the last order ends, however it ends.
    class order_at_work {
    public:
        explicit order_at_work(guard& by) : by_(by) { ++by_.orders_at_work_; }
        order_at_work(const order_at_work&) = delete;
        order_at_work& operator=(const order_at_work&) = delete;
        ~order_at_work() {
            if (--by_.orders_at_work_ == 0) by_.with_.want_lease(by_.policy_.enforce);
        }

    private:
        guard& by_;
    };
    // An order that says who may write is alone with that: no other one, and no decision of the
    // agent's own, chooses otherwise before it has ended, however it ends.
    class choice {
    public:
        choice(guard& by, std::string order, const std::string& server) : by_(by) {
            by_.choosing_ = std::move(order);
            by_.chosen_ = server;
        }
        choice(const choice&) = delete;
        choice& operator=(const choice&) = delete;
        ~choice() {
            by_.choosing_.clear();
            by_.chosen_.clear();
        }

    private:
        guard& by_;
    };
    using answer = order_answer;
    using device = std::pair<std::string, std::string>;  // server and rung

    void decide();
    void begin(const fencing::fence_plan& plan, const fencing::decision& made);
    boost::asio::awaitable<void> climb(std::shared_ptr<climbing> now);
    boost::asio::awaitable<void> finish(std::shared_ptr<climbing> now);
    boost::asio::awaitable<bool> act(std::shared_ptr<climbing> now, fencing::ladder_action step);
    boost::asio::awaitable<void> run_rung(std::shared_ptr<climbing> now,
                                          fencing::ladder_action step, fencing::fence_order order);
    boost::asio::awaitable<fencing::rung_report> look_again(std::string server, std::string rung,
                                                            fencing::rung_report said);
    bool needs_sql(const std::string& server, const std::string& rung) const;
    boost::asio::awaitable<void> take_up(unfinished_fence left);
    boost::asio::awaitable<fencing::rung_report> look_after_restart(unfinished_fence left,
                                                                    tried_rung tried,
                                                                    rt::deadline until);
    boost::asio::awaitable<void> take_up_opening(fence_entry left);
    boost::asio::awaitable<void> taken_up();
    void has_taken_up(const std::string& server);
    boost::asio::awaitable<rt::result<void>> open_if_allowed(opening open, server_config server,
                                                             rt::deadline until);
    boost::asio::awaitable<void> watch_device(device which, std::chrono::milliseconds first);
    boost::asio::awaitable<void> idle();
    // The only way into the journal: what goes wrong is logged, and disarms us.
    boost::asio::awaitable<rt::result<void>> note(fence_entry entry,
                                                  rt::durability how = rt::durability::durable);
    boost::asio::awaitable<void> note_all(std::vector<fence_entry> entries);
    boost::asio::awaitable<void> end_fence(std::string server, std::string incident,
                                           fencing::fence_end end);
    boost::asio::awaitable<answer> note_and_say(fence_entry entry, std::string done);
    boost::asio::awaitable<answer> confirm_fenced(person_order order);
    boost::asio::awaitable<answer> unfence(person_order order);
    boost::asio::awaitable<answer> fence_by_hand(person_order order);
    boost::asio::awaitable<answer> open(person_order order);
    std::string why_not_unfence(const person_order& order) const;
    boost::asio::awaitable<std::string> why_unfit_to_act();
    boost::asio::awaitable<std::string> why_no_lease();
    bool tried_since(checks::moment since) const;
    boost::asio::awaitable<bool> seen_since(checks::moment since);

    boost::asio::awaitable<answer> resolve(person_order order);
    boost::asio::awaitable<answer> resolve_with_lease(person_order order,
                                                      fencing::resolve_plan agreed);
    boost::asio::awaitable<answer> stop_losers(person_order order, fencing::resolve_plan plan);
    boost::asio::awaitable<answer> open_survivor(person_order order, fencing::resolve_plan plan);
    boost::asio::awaitable<std::string> why_not_alone(const fencing::resolve_plan& plan,
                                                      bool before_opening);
    boost::asio::awaitable<std::string> why_still_behind(const fencing::resolve_plan& plan);
    std::optional<checks::history_comparison> behind_losers(
        const fencing::resolve_plan& plan) const;
    boost::asio::awaitable<void> survey_losses(fencing::resolve_plan& plan, bool now_stopped,
                                               std::chrono::seconds patience);
    boost::asio::awaitable<answer> end_resolve(person_order order, fencing::resolve_plan plan,
                                               answer answered);
    boost::asio::awaitable<fencing::resolve_plan> plan_surely(std::string server);
    fencing::resolve_plan plan_to_keep(const std::string& server) const;
    bool some_dark() const;
    std::string why_busy(const fencing::resolve_plan& plan) const;
    std::string why_not_choose() const;
    const server_config& configured(const std::string& server) const;
    std::optional<std::size_t> index_of(const std::string& server) const;

    void begin_for_person(const fencing::fence_plan& plan);
    // Of a ladder that begin_for_person() began and that has ended.
    fencing::ladder_result result_of(const std::string& server) const;
    bool some_climb(const std::vector<std::string>& servers) const;
    boost::asio::awaitable<void> ladders_end(std::vector<std::string> servers);
    std::string journal_trouble() const;
    fence_entry entry_of_person(record_kind kind, const person_order& order) const;
    std::string why_stop(const climbing& now) const;
    std::string why_not_now() const;
    fencing::permission permission_for(std::shared_ptr<climbing> now) const;
    bool seen_stopped(const climbing& now) const;
    fence_entry entry_of(record_kind kind, const std::string& server) const;
    fencing::driver* driver_of(const std::string& server, const std::string& rung);
    std::string new_incident(const std::string& server);
    static std::string new_nonce();

    std::shared_ptr<const topology_config> config_;
    fencing::fencing_policy policy_;
    services with_;
    fencing::fence_state state_;
    std::vector<unfinished_fence> unfinished_;
    std::vector<fence_entry> openings_;  // that a restart interrupted
    std::shared_ptr<const topology_snapshot> newest_;
    fencing::decision decision_;
    std::string decision_text_;  // as it was logged last
    std::map<device, std::unique_ptr<fencing::driver>> drivers_;
    std::map<device, method_health> health_;
    std::map<std::string, fence_statistics> statistics_;
    rt::task_group tasks_;
    std::map<std::string, std::shared_ptr<climbing>> climbs_;  // by server
    // What the last ladder of a server came to; told here until an order has asked, because the
    // server may have been given back by then.
    std::map<std::string, fencing::ladder_result> ended_;
    std::uint64_t incidents_ = 0;
    std::string
        choosing_;  // the order at work that says who may write: "a resolve that …"; or empty
    std::string chosen_;      // whom it keeps or opens
    int orders_at_work_ = 0;  // that need the lease
    bool over_ = false;       // run() has ended: no ladder moves any more
    // Servers of which something is still looked at that a restart interrupted, once for each such
    // thing: nobody begins a fence of them.
    std::multiset<std::string> taking_up_;
    std::minstd_rand random_;
};

}  // namespace primacy::app
