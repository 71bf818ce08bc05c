#include "fencing/drivers/proxysql.hpp"

#include "agent/rt/checkpoint.hpp"
#include "agent/rt/sql/connection.hpp"
#include "fencing/drivers/bounded_driver.hpp"
#include "fencing/drivers/isolating.hpp"
#include "fencing/drivers/program.hpp"
#include "fencing/drivers/proxysql_text.hpp"

#include <fmt/format.h>

#include <numeric>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;
namespace say = proxysql_statements;

namespace {

constexpr std::chrono::milliseconds between_row_readings{50};
constexpr const char* memory_table = "mysql_servers";
constexpr const char* runtime_table = "runtime_mysql_servers";

// How far one fence got, and what it found on the way.
struct progress {
    bool acted = false;
    std::uint64_t discarded = 0;  // rows of edits that nobody had loaded
};

// What ProxySQL says of the server.
struct found_server {
    proxysql_rows memory;
    proxysql_rows runtime;
    std::uint64_t connections = 0;  // in use

    bool known() const { return memory.known + runtime.known > 0; }
    bool taken_out() const { return memory.open == 0 && runtime.open == 0; }
    bool isolated() const { return taken_out() && connections == 0; }
};

// A connection to the admin interface. All errors there have one number, which is that of a refused
// login; here only open() is about the login.
class admin_session {
public:
    admin_session(asio::any_io_executor executor, rt::sql::network& network,
                  const rt::sql::endpoint& where, rt::deadline until, permission may_act = {})
        : link_(std::move(executor), network),
          where_(where),
          until_(until),
          may_act_(std::move(may_act)) {}

    asio::awaitable<rt::result<void>> open() {
        auto done = co_await link_.open(where_, until_);
        if (!done && done.error().code == rt::errc::denied)
            done = rt::error{rt::errc::denied, done.error().native,
                             fmt::format("ProxySQL at {} does not let {} in; see its "
                                         "admin-admin_credentials: {}",
                                         where_.address(), where_.user, done.error().message)};
        co_return done;
    }

    asio::awaitable<rt::result<void>> run(std::string statement) {
        auto done = co_await link_.query(statement, answer_, until_);
        if (!done && done.error().code == rt::errc::denied)
            done = rt::error{rt::errc::query, done.error().native, done.error().message};
        co_return done;
    }

    // A statement that changes something.
    asio::awaitable<rt::result<void>> tell(std::string statement) {
        if (!allowed(may_act_)) co_return not_allowed_error();
        co_return co_await run(std::move(statement));
    }

    asio::awaitable<rt::result<proxysql_rows>> states(const char* table,
                                                      const proxysql_server& server) {
        const auto asked = co_await run(say::states(table, server));
        if (!asked) co_return asked.error();
        co_return read_states(answer_);
    }

    // Rows of the answer.
    asio::awaitable<rt::result<std::size_t>> count(std::string statement) {
        const auto asked = co_await run(std::move(statement));
        if (!asked) co_return asked.error();
        co_return answer_.row_count();
    }

    asio::awaitable<rt::result<std::vector<std::uint64_t>>> numbers(std::string statement) {
        const auto asked = co_await run(std::move(statement));
        if (!asked) co_return asked.error();
        co_return read_numbers(answer_);
    }

private:
    rt::sql::connection link_;
    const rt::sql::endpoint& where_;
    rt::deadline until_;
    const permission may_act_;
    rt::sql::rows answer_;
};

std::uint64_t sum(const std::vector<std::uint64_t>& numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
}

class proxysql_driver final : public bounded_driver {
public:
    proxysql_driver(asio::any_io_executor executor, rt::sql::network& network, fence_target target,
                    proxysql_options options)
        : bounded_driver(options.timeout),
          executor_(std::move(executor)),
          network_(network),
          target_(std::move(target)),
          options_(std::move(options)) {
        const bool own_name = options_.server_host.empty();
        server_.host = own_name ? target_.host : options_.server_host;
        server_.port = own_name ? target_.port : options_.server_port;
        server_.hostgroup = options_.writer_hostgroup;
        if (!is_plain_name(server_.host))
            problem_ = fmt::format(
                "\"{}\" cannot be the host of a server in ProxySQL; write "
                "`server` as ProxySQL names it",
                server_.host);
    }

    std::string_view kind() const noexcept override { return "proxysql"; }

private:
    asio::awaitable<rung_report> act(fence_order order, rt::deadline until) override;
    asio::awaitable<rung_report> observe(fence_order order, rt::deadline until) override;
    asio::awaitable<rt::result<void>> ready(rt::deadline until) override;
    asio::awaitable<rt::result<void>> take_out(progress& made, permission may_act,
                                               rt::deadline until);
    asio::awaitable<rt::result<void>> settle_memory(admin_session& session, progress& made);
    asio::awaitable<rt::result<void>> end_sessions(permission may_act, rt::deadline until);
    asio::awaitable<rt::result<found_server>> look(rt::deadline until);
    rung_report report_isolated(const progress& made) const;
    rung_report report_not_isolated(const found_server& seen, rung_outcome outcome,
                                    rung_failure reason) const;
    rt::error unknown_server() const;
    std::string server_text() const { return fmt::format("{}:{}", server_.host, server_.port); }

    asio::any_io_executor executor_;
    rt::sql::network& network_;
    const fence_target target_;
    const proxysql_options options_;
    proxysql_server server_;
    std::string problem_;
};

rt::error proxysql_driver::unknown_server() const {
    const std::string group =
        server_.hostgroup ? fmt::format(" in hostgroup {}", *server_.hostgroup) : "";
    return {rt::errc::config, 0,
            fmt::format("ProxySQL at {} knows no server {}{}; write `server` as ProxySQL names it",
                        options_.admin.address(), server_text(), group)};
}

// So that LOAD brings nothing to the runtime but our own change.
asio::awaitable<rt::result<void>> proxysql_driver::settle_memory(admin_session& session,
                                                                 progress& made) {
    const auto edited = co_await session.count(say::only_in(memory_table, runtime_table));
    if (!edited) co_return edited.error();
    const auto missing = co_await session.count(say::only_in(runtime_table, memory_table));
    if (!missing) co_return missing.error();
    if (*edited + *missing == 0) co_return rt::result<void>();
    made.acted = true;
    made.discarded += *edited;
    rt::checkpoint("proxysql.settle_memory");
    co_return co_await session.tell(say::copy_runtime_to_memory);
}

asio::awaitable<rt::result<void>> proxysql_driver::take_out(progress& made, permission may_act,
                                                            rt::deadline until) {
    admin_session session(executor_, network_, options_.admin, until, std::move(may_act));
    auto done = co_await session.open();
    if (!done) co_return done;
    const auto memory = co_await session.states(memory_table, server_);
    if (!memory) co_return memory.error();
    const auto runtime = co_await session.states(runtime_table, server_);
    if (!runtime) co_return runtime.error();
    if (memory->known + runtime->known == 0) co_return unknown_server();
    done = co_await settle_memory(session, made);
    if (!done) co_return done;
    made.acted = true;
    rt::checkpoint("proxysql.take_out");
    done = co_await session.tell(say::take_out(server_));
    if (!done) co_return done;
    rt::checkpoint("proxysql.load");
    done = co_await session.tell(say::load_to_runtime);
    if (!done) co_return done;
    rt::checkpoint("proxysql.save");
    co_return co_await session.tell(say::save_to_disk);
}

// A session that is idle in a transaction holds its connection until its next statement.
asio::awaitable<rt::result<void>> proxysql_driver::end_sessions(permission may_act,
                                                                rt::deadline until) {
    admin_session session(executor_, network_, options_.admin, until, std::move(may_act));
    auto done = co_await session.open();
    if (!done) co_return done;
    const auto holders = co_await session.numbers(say::sessions(server_));
    if (!holders) co_return holders.error();
    for (const std::uint64_t holder : *holders) {
        rt::checkpoint("proxysql.kill_session");
        done = co_await session.tell(fmt::format("KILL CONNECTION {}", holder));
        // Whoever has gone meanwhile is unknown to it.
        if (!done && done.error().code != rt::errc::query) co_return done;
    }
    co_return rt::result<void>();
}

asio::awaitable<rt::result<found_server>> proxysql_driver::look(rt::deadline until) {
    admin_session session(executor_, network_, options_.admin, until);
    const auto opened = co_await session.open();
    if (!opened) co_return opened.error();
    const auto memory = co_await session.states(memory_table, server_);
    if (!memory) co_return memory.error();
    const auto runtime = co_await session.states(runtime_table, server_);
    if (!runtime) co_return runtime.error();
    const auto used = co_await session.numbers(say::connections(server_));
    if (!used) co_return used.error();
    co_return found_server{*memory, *runtime, sum(*used)};
}

rung_report proxysql_driver::report_isolated(const progress& made) const {
    std::string done = fmt::format(
        "ProxySQL at {} sends nothing to {} any more: it is OFFLINE_HARD "
        "and no connection is in use",
        options_.admin.address(), server_text());
    if (made.discarded > 0)
        done += fmt::format(
            " ({} rows of mysql_servers that differed from the runtime were set "
            "back to it)",
            made.discarded);
    rung_report report = isolated_report(target_, done);
    report.facts = {{"proxysql", server_text() + " OFFLINE_HARD"},
                    {"proxysql_rows_set_back", std::to_string(made.discarded)}};
    return report;
}

rung_report proxysql_driver::report_not_isolated(const found_server& seen, rung_outcome outcome,
                                                 rung_failure reason) const {
    std::string what = "it is not OFFLINE_HARD in its runtime and its memory";
    if (seen.taken_out())
        what = fmt::format("it is OFFLINE_HARD and {} connection{} still in use", seen.connections,
                           seen.connections == 1 ? " is" : "s are");
    rung_report report = report_of(outcome, reason,
                                   fmt::format("ProxySQL at {} is not done with {}: {}",
                                               options_.admin.address(), server_text(), what));
    report.facts = {{"proxysql_connections", std::to_string(seen.connections)}};
    return report;
}

// Taken out again when the monitor or a person has put it back meanwhile.
asio::awaitable<rung_report> proxysql_driver::act(fence_order order, rt::deadline until) {
    if (!problem_.empty())
        co_return report_of(rung_outcome::failed, rung_failure::not_found, problem_);
    progress made;
    bool out = false;
    for (;;) {
        if (!out) {
            const auto done = co_await take_out(made, order.may_act, until);
            if (!done) co_return error_report(done.error(), made.acted);
        }
        rt::checkpoint("proxysql.look");
        const auto seen = co_await look(until);
        if (!seen) co_return error_report(seen.error(), made.acted);
        if (seen->isolated()) co_return report_isolated(made);
        out = seen->taken_out();
        if (out) {
            const auto ended = co_await end_sessions(order.may_act, until);
            if (!ended) co_return error_report(ended.error(), made.acted);
        }
        co_await pause(between_row_readings, until);
        if (until.passed())
            co_return report_not_isolated(*seen, rung_outcome::unknown, rung_failure::timeout);
    }
}

asio::awaitable<rung_report> proxysql_driver::observe(fence_order, rt::deadline until) {
    if (!problem_.empty())
        co_return report_of(rung_outcome::unknown, rung_failure::not_found, problem_);
    const auto seen = co_await look(until);
    if (!seen) co_return as_look(error_report(seen.error(), false));
    if (!seen->known()) co_return as_look(error_report(unknown_server(), false));
    if (seen->isolated()) co_return report_isolated({});
    co_return report_not_isolated(*seen, rung_outcome::failed, rung_failure::still_alive);
}

asio::awaitable<rt::result<void>> proxysql_driver::ready(rt::deadline until) {
    if (!problem_.empty()) co_return rt::error{rt::errc::config, 0, problem_};
    const auto seen = co_await look(until);
    if (!seen) co_return seen.error();
    if (!seen->known()) co_return unknown_server();
    co_return rt::result<void>();
}

}  // namespace

std::unique_ptr<driver> make_proxysql_driver(asio::any_io_executor executor,
                                             rt::sql::network& network, fence_target target,
                                             proxysql_options options) {
    return std::make_unique<proxysql_driver>(std::move(executor), network, std::move(target),
                                             std::move(options));
}

}  // namespace primacy::fencing
