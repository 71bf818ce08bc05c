#include "fencing/drivers/sql_fence.hpp"

#include "agent/rt/checkpoint.hpp"
#include "agent/rt/task_group.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr int most_lost_connections = 5;
// How long we try again to get in where the server has no connection left for us.
constexpr auto patience_with_full_server = 1s;

rt::deadline share_of(rt::deadline until, int percent) {
    return rt::deadline::after(until.left() * percent / 100).sooner(until);
}

// Something else held it up until its time was over; it had no effect.
bool was_blocked(const rt::error& failure) noexcept {
    constexpr std::array numbers = {1205, 1317, 1969, 3024};
    return std::find(numbers.begin(), numbers.end(), failure.native) != numbers.end();
}

bool is_unknown_word(const rt::error& failure) noexcept {
    return failure.native == 1193 || failure.native == 1231;
}

bool is_answer(const rt::error& failure) noexcept {
    return failure.code == rt::errc::query || failure.code == rt::errc::denied;
}

// Logs in, also where others take each connection as soon as it is free.
asio::awaitable<rt::result<void>> get_in(sql_reader& link, int lock_wait, rt::deadline until,
                                         rt::deadline patience) {
    std::optional<rt::error> full_before;
    for (;;) {
        auto done = co_await link.greet(lock_wait, until);
        const bool full = !done && done.error().code == rt::errc::too_many_connections;
        const bool late = !done && done.error().code == rt::errc::timeout;
        // Our time ran out while it told us again and again that it is full: that it said so
        // counts.
        if (late && full_before) co_return *full_before;
        if (!full || patience.passed()) co_return done;
        full_before = done.error();
        const bool go_on = co_await pause(rt::deadline::after(10ms).sooner(patience));
        if (!go_on) co_return rt::error{rt::errc::cancelled, 0, "was told to stop"};
    }
}

std::string with_advice(const rt::error& failure) {
    if (failure.code == rt::errc::too_many_connections)
        return failure.message +
               "; GRANT CONNECTION ADMIN (MySQL: CONNECTION_ADMIN) to our "
               "account, one connection is kept free for it";
    return failure.message;
}

}  // namespace

asio::awaitable<rt::result<sql_evidence>> gather_evidence(asio::any_io_executor executor,
                                                          rt::sql::network& network,
                                                          const sql_fence_options& options,
                                                          rt::deadline until) {
    const int lock_wait = static_cast<int>(options.lock_wait.count());
    sql_evidence seen;
    seen.own_user = options.where.user;
    sql_reader link(executor, network, options.where);
    for (sql_reading* reading : {&seen.first, &seen.second}) {
        const auto in = co_await get_in(link, lock_wait, until, until);
        if (!in) co_return in.error();
        rt::checkpoint("sql.read_evidence");
        auto read = co_await link.read(until);
        if (!read) co_return read.error();
        *reading = std::move(*read);
        if (reading == &seen.second) break;
        link.close();
        const bool go_on = co_await pause(rt::deadline::after(options.settle).sooner(until));
        if (!go_on) co_return rt::error{rt::errc::cancelled, 0, "was told to stop"};
    }
    auto sessions = co_await link.read_sessions(until);
    if (!sessions) co_return sessions.error();
    seen.sessions = std::move(*sessions);
    auto accounts = co_await link.read_bypass_accounts(until);
    if (!accounts) co_return accounts.error();
    seen.bypass_accounts = std::move(*accounts);
    seen.server_hostname = co_await link.read_hostname(until);
    link.close();
    co_return seen;
}

rung_report report_without_effect(const std::string& server, const rt::error& failure) {
    const auto reason = failure_of(failure);
    const bool certain = reason != rung_failure::timeout && reason != rung_failure::cancelled;
    return {certain ? rung_outcome::failed : rung_outcome::unknown,
            reason,
            server + " was not made read-only: " + with_advice(failure),
            {}};
}

rung_report report_without_evidence(const std::string& server, const rt::error& failure) {
    return {rung_outcome::unknown,
            failure_of(failure),
            "cannot see whether " + server + " takes writes: " + with_advice(failure),
            {}};
}

sql_fence::sql_fence(asio::any_io_executor executor, rt::sql::network& network, std::string server,
                     const sql_fence_options& options, permission may_act)
    : executor_(executor),
      network_(network),
      server_(std::move(server)),
      options_(options),
      may_act_(std::move(may_act)),
      setter_(executor, network, options.where, may_act_) {}

asio::awaitable<rung_report> sql_fence::run(rt::deadline until) {
    const auto began = rt::steady_clock::now();
    rung_report report;
    const auto in = co_await begin(share_of(until, 60));
    if (!in) {
        report = report_without_effect(server_, in.error());
    } else {
        for (int round = 0; round < std::max(1, options_.kill_rounds); ++round) {
            another_round_may_help_ = false;
            report = co_await one_round(until);
            if (!another_round_may_help_ || until.passed()) break;
        }
        weigh_unanswered(report);
    }
    setter_.close();
    add_facts(report, began);
    co_return report;
}

asio::awaitable<rt::result<void>> sql_fence::begin(rt::deadline until) {
    const int lock_wait = static_cast<int>(options_.lock_wait.count());
    const auto patience = rt::deadline::after(patience_with_full_server).sooner(until);
    auto done = co_await get_in(setter_, lock_wait, until, patience);
    if (!done) co_return done;
    auto reading = co_await setter_.read(until);
    if (!reading) co_return reading.error();
    before_ = std::move(*reading);
    rt::checkpoint("sql.position_noted");
    co_return rt::result<void>();
}

asio::awaitable<rung_report> sql_fence::one_round(rt::deadline until) {
    auto done = co_await close_server(share_of(until, 60));
    if (!done && refused_) co_return report_refusal(done.error());
    // What cannot be ended shows in the evidence; what went wrong on this connection does not
    // matter to the next.
    if (done) done = co_await end_sessions(share_of(until, 50));
    setter_.close();
    const bool cancelled = !done && done.error().code == rt::errc::cancelled;
    if (cancelled && !allowed(may_act_)) co_return not_allowed_report(server_, sent_);
    if (cancelled) co_return report_without_evidence(server_, done.error());

    auto seen = co_await gather_evidence(executor_, network_, options_, until);
    if (!seen) co_return report_without_evidence(server_, seen.error());
    auto conclusion = conclude(server_, *seen);
    another_round_may_help_ = conclusion.another_round_may_help;
    const bool still_open = conclusion.report.reason == rung_failure::still_alive;
    if (still_open && !done) conclusion.report.sentence += " (" + done.error().message + ")";
    co_return std::move(conclusion.report);
}

// Until the server says that it is done, or that it will not.
asio::awaitable<rt::result<void>> sql_fence::close_server(rt::deadline until) {
    const int lock_wait = static_cast<int>(options_.lock_wait.count());
    int lost = 0;
    std::size_t word = 0;
    rt::result<void> done = rt::error{rt::errc::timeout, 0, "no time was left to close it"};
    while (!until.passed() && lost < most_lost_connections) {
        if (!setter_.usable()) {
            const auto in = co_await get_in(setter_, lock_wait, until, until);
            if (!in) co_return in.error();
        }
        const auto statements = sql_statements_for(setter_.kind(), setter_.version());
        const auto limit = rt::deadline::after(options_.lock_wait + 500ms).sooner(until);
        done = co_await send_closing(statements.close.at(word), limit);
        if (done || done.error().code == rt::errc::cancelled) break;
        if (was_blocked(done.error())) continue;
        if (is_unknown_word(done.error()) && word + 1 < statements.close.size()) {
            ++word;
            continue;
        }
        refused_ = is_answer(done.error());
        if (refused_) break;
        unanswered_ = true;
        ++lost;
    }
    co_return done;
}

// Sends it, and meanwhile clears away what it waits for. The helper refers to this frame: it is
// always waited for, also when we are cancelled.
asio::awaitable<rt::result<void>> sql_fence::send_closing(std::string_view statement,
                                                          rt::deadline until) {
    const bool late = co_await rt::is_cancelled();
    if (late) co_return rt::error{rt::errc::cancelled, 0, "was told to stop"};
    way_clearer helper(executor_, network_, options_.where, may_act_, record_);
    rt::task_group helpers(executor_);
    helpers.spawn("clear the way", helper.run(options_.patience, until));
    rt::checkpoint("sql.set_read_only");
    auto done = co_await setter_.tell(statement, until);
    rt::checkpoint("sql.read_only_set");
    if (done || done.error().code != rt::errc::cancelled) sent_ = true;
    const bool stopped = co_await rt::is_cancelled();
    helper.stop();
    if (stopped) helpers.cancel();
    co_await asio::this_coro::reset_cancellation_state();
    // It ends with its present statement, whose deadline is ours.
    const auto grace = rt::deadline::after(until.left() + 2s);
    const auto joined = co_await helpers.join(grace);
    if (stopped) {
        if (!done) unanswered_ = true;
        co_return rt::error{rt::errc::cancelled, 0, "was told to stop"};
    }
    if (done && !joined && joined.error().code == rt::errc::internal) co_return joined.error();
    co_return done;
}

asio::awaitable<rt::result<void>> sql_fence::end_sessions(rt::deadline until) {
    auto accounts = co_await setter_.read_bypass_accounts(until);
    if (!accounts) co_return accounts.error();
    std::vector<sql_account> passing;
    if (*accounts) passing = foreign_accounts(**accounts, options_.where.user);
    const auto now = co_await setter_.read(until);
    if (!now) co_return now.error();
    // Nobody passes: whoever connects from now on may stay.
    if (closure_of(now->facts) == closure::closed_to_all) passing.clear();
    co_return co_await end_clients(setter_, options_.where.user, std::move(passing),
                                   options_.kill_rounds, record_, until);
}

rung_report sql_fence::report_refusal(const rt::error& failure) const {
    auto report = report_without_effect(server_, failure);
    if (failure.code == rt::errc::denied) {
        const bool mariadb = setter_.kind() == checks::flavor::mariadb;
        report.sentence += mariadb ? "; GRANT READ_ONLY ADMIN, CONNECTION ADMIN, PROCESS ON *.* TO "
                                   : "; GRANT SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS ON "
                                     "*.* TO ";
        report.sentence += "our account";
    }
    return report;
}

// Seen writable is only proof that it stays so when everything that we sent was answered (S7).
void sql_fence::weigh_unanswered(rung_report& report) const {
    if (!unanswered_ || report.outcome != rung_outcome::failed) return;
    report.outcome = rung_outcome::unknown;
    report.reason = rung_failure::timeout;
    report.sentence += "; a statement to close it was not answered and may still take effect";
}

void sql_fence::add_facts(rung_report& report, rt::time_point began) const {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    auto& facts = report.facts;
    if (before_) {
        facts.emplace_back("gtid_before", before_->gtid());
        if (!before_->binlog.empty()) facts.emplace_back("binlog_before", before_->binlog);
        facts.emplace_back("read_only_before", before_->facts.read_only.text);
    }
    facts.emplace_back("killed_sessions", std::to_string(record_.killed.size()));
    if (!record_.refused.empty())
        facts.emplace_back("not_killed_sessions", std::to_string(record_.refused.size()));
    facts.emplace_back("semisync_released", std::to_string(record_.unacknowledged.size()));
    if (!record_.semisync_disabled.empty())
        facts.emplace_back("semisync_disabled", record_.semisync_disabled);
    const auto took = duration_cast<milliseconds>(rt::steady_clock::now() - began);
    facts.emplace_back("took_ms", std::to_string(took.count()));
    if (report.outcome == rung_outcome::confirmed && !record_.killed.empty())
        report.sentence += fmt::format("; {} sessions were ended", record_.killed.size());
    if (!record_.unacknowledged.empty())
        report.sentence += fmt::format("; {} commits no replica had acknowledged are on it",
                                       record_.unacknowledged.size());
}

}  // namespace primacy::fencing
