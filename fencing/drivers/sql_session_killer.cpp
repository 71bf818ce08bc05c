#include "fencing/drivers/sql_session_killer.hpp"

#include "agent/rt/checkpoint.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr int no_such_thread = 1094;
constexpr int not_ours_to_kill = 1095;
constexpr auto between_passes = 20ms;
// From this pass on a commit that still waits for a replica is let go for good.
constexpr int patience_with_semisync = 3;
constexpr int shortest_lock_wait = 1;

bool knows_no_such_variable(const rt::error& failure) noexcept {
    return failure.native == 1193;
}

// Clients of before the fence that are not gone, and whoever passes read_only.
std::vector<std::uint64_t> left_over(const std::vector<sql_session>& sessions,
                                     const std::string& own_user,
                                     const std::vector<sql_account>& passing, std::uint64_t newest,
                                     const kill_record& record) {
    std::vector<std::uint64_t> found;
    for (const auto id : blockers(sessions, own_user, 1))
        if (id <= newest) found.push_back(id);
    for (const auto& session : sessions_of(passing, sessions, own_user))
        if (session.id > newest) found.push_back(session.id);
    std::erase_if(found, [&record](std::uint64_t id) { return record.refused.contains(id); });
    return found;
}

std::uint64_t newest_of(const std::vector<sql_session>& sessions) {
    std::uint64_t newest = 0;
    for (const auto& session : sessions)
        newest = std::max(newest, session.id);
    return newest;
}

rt::error sees_nobody(const rt::sql::endpoint& where) {
    return {rt::errc::denied, 0,
            where.address() + " does not show us the sessions of others; GRANT PROCESS ON *.*"};
}

}  // namespace

asio::awaitable<bool> pause(rt::deadline until) {
    const auto executor = co_await asio::this_coro::executor;
    rt::event never(executor);
    co_await never.wait(until);
    const bool stop = co_await rt::is_cancelled();
    co_return !stop;
}

asio::awaitable<rt::result<void>> kill_sessions(sql_reader& link, std::vector<std::uint64_t> ids,
                                                kill_record& record, rt::deadline until,
                                                const bool* enough) {
    for (const auto id : ids) {
        if (enough != nullptr && *enough) break;
        const std::string statement = "KILL CONNECTION " + std::to_string(id);
        rt::checkpoint("sql.kill_session");
        const auto told = co_await link.tell(statement, until);
        if (told) {
            record.killed.insert(id);
            continue;
        }
        const int number = told.error().native;
        if (number == not_ours_to_kill) record.refused.insert(id);
        const bool harmless = number == no_such_thread || number == not_ours_to_kill;
        if (!harmless) co_return told.error();
    }
    co_return rt::result<void>();
}

way_clearer::way_clearer(asio::any_io_executor executor, rt::sql::network& network,
                         const rt::sql::endpoint& where, permission may_act, kill_record& record)
    : where_(where),
      link_(executor, network, where, std::move(may_act)),
      record_(record),
      wake_(executor) {}

void way_clearer::stop() {
    stopped_ = true;
    wake_.notify();
}

asio::awaitable<void> way_clearer::run(rt::steady_clock::duration patience, rt::deadline until) {
    const auto first = rt::deadline::after(patience).sooner(until);
    if (!stopped_) co_await wake_.wait(first);
    for (int pass = 0; !stopped_ && !until.passed(); ++pass) {
        rt::result<void> done;
        if (!link_.usable()) done = co_await link_.greet(shortest_lock_wait, until);
        if (done && !stopped_) done = co_await clear_once(pass, until);
        if (!done && done.error().code == rt::errc::denied) break;
        const auto next = rt::deadline::after(between_passes).sooner(until);
        if (!stopped_) co_await wake_.wait(next);
    }
    link_.close();
}

asio::awaitable<rt::result<void>> way_clearer::clear_once(int pass, rt::deadline until) {
    rt::checkpoint("sql.clear_the_way");
    const auto sessions = co_await link_.read_sessions(until);
    if (!sessions) co_return sessions.error();
    if (!*sessions) co_return sees_nobody(where_);
    bool waiting = false;
    for (const auto& session : **sessions) {
        if (!waits_for_acknowledgement(session)) continue;
        waiting = true;
        record_.unacknowledged.insert(session.id);
    }
    if (waiting && pass >= patience_with_semisync && record_.semisync_disabled.empty()) {
        const auto released = co_await release_semisync(until);
        if (!released) co_return released;
    }
    co_return co_await kill_sessions(link_, blockers(**sessions, where_.user, pass), record_, until,
                                     &stopped_);
}

// Killing the session that waits is enough on MariaDB; MySQL may go on waiting.
asio::awaitable<rt::result<void>> way_clearer::release_semisync(rt::deadline until) {
    const auto statements = sql_statements_for(link_.kind(), link_.version());
    for (const auto statement : statements.release_semisync) {
        rt::checkpoint("sql.release_semisync");
        const auto told = co_await link_.tell(statement, until);
        if (told) {
            record_.semisync_disabled = statement;
            co_return rt::result<void>();
        }
        // One that we may not change leaves the killing as the only way.
        const bool answered = link_.usable();
        if (!answered) co_return told.error();
        if (!knows_no_such_variable(told.error())) break;
    }
    co_return rt::result<void>();
}

asio::awaitable<rt::result<void>> end_clients(sql_reader& link, const std::string& own_user,
                                              std::vector<sql_account> passing, int rounds,
                                              kill_record& record, rt::deadline until) {
    std::uint64_t newest = 0;
    for (int round = 0; round < rounds; ++round) {
        rt::checkpoint("sql.kill_round");
        const auto sessions = co_await link.read_sessions(until);
        if (!sessions) co_return sessions.error();
        if (!*sessions) co_return rt::result<void>();  // the conclusion says so
        if (round == 0) newest = newest_of(**sessions);
        auto ids = left_over(**sessions, own_user, passing, newest, record);
        if (ids.empty()) break;
        const auto done = co_await kill_sessions(link, std::move(ids), record, until, nullptr);
        if (!done) co_return done;
        // Where nobody is left one look at the list says so at once; the dying take a moment.
        const bool go_on = co_await pause(rt::deadline::after(5ms).sooner(until));
        if (!go_on) co_return rt::error{rt::errc::cancelled, 0, "was told to stop"};
    }
    co_return rt::result<void>();
}

}  // namespace primacy::fencing
