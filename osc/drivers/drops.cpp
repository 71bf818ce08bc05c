#include "osc/drivers/drops.hpp"

#include "agent/rt/sql/connection.hpp"
#include "agent/rt/sql/network.hpp"
#include "checks/server_facts.hpp"

namespace primacy::osc {

namespace asio = boost::asio;

namespace {

// Nobody's writes wait for longer behind a drop that waits for its lock.
constexpr std::string_view bounded = "SET SESSION lock_wait_timeout = 3";
constexpr std::string_view unlogged = "SET SESSION sql_log_bin = 0";
constexpr std::string_view who_writes = "SHOW GLOBAL VARIABLES LIKE 'read_only'";

asio::awaitable<rt::result<void>> prepare(rt::sql::connection& session, const drop_order& order,
                                          rt::deadline until) {
    auto done = co_await session.open(order.where, until);
    rt::sql::rows answer;
    if (done) done = co_await session.query(bounded, answer, until);
    if (!done) co_return done;
    if (!order.on_writer) co_return co_await session.query(unlogged, answer, until);
    done = co_await session.query(who_writes, answer, until);
    if (!done) co_return done;
    const bool writes =
        answer.row_count() == 1 && checks::parse_read_only(answer.cell(0, 1).value_or("")).is_off();
    if (writes) co_return done;
    co_return rt::error{rt::errc::query, 0, order.server + " is not writable any more"};
}

}  // namespace

asio::awaitable<std::vector<drop_outcome>> run_drops(asio::any_io_executor executor,
                                                     rt::sql::network& network, drop_order order,
                                                     rt::deadline until) {
    std::vector<drop_outcome> made;
    if (order.statements.empty()) co_return made;
    rt::sql::connection session(executor, network);
    auto done = co_await prepare(session, order, until);
    for (const auto& statement : order.statements) {
        rt::sql::rows answer;
        if (done) done = co_await session.query(statement, answer, until);
        made.push_back({order.server, statement, done ? "" : done.error().message});
        if (!done) break;
    }
    session.close();
    co_return made;
}

}  // namespace primacy::osc
