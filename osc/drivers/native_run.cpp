#include "osc/drivers/native_run.hpp"

#include "agent/rt/event.hpp"
#include "agent/rt/sql/connection.hpp"
#include "agent/rt/sql/network.hpp"
#include "agent/rt/task_group.hpp"

#include <charconv>
#include <memory>

namespace primacy::osc {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using rt::sql::connection;
using what = native_line::what;

namespace {

constexpr auto patience = 10s;  // for a login or a look
constexpr auto look_every = 1s;
constexpr auto longest_statement = std::chrono::hours(24 * 7);

// The session that alters, and the one that looks at it.
struct running {
    asio::any_io_executor executor;
    rt::sql::network& network;
    native_order order;
    std::function<void(const native_line&)> told;
    std::function<bool()> stop;
    connection alters;
    connection looks;
    bool ended = false;
    rt::event change;

    running(asio::any_io_executor where, rt::sql::network& shared, native_order asked)
        : executor(where),
          network(shared),
          order(std::move(asked)),
          alters(where, shared),
          looks(where, shared),
          change(where) {}

    void tell(what kind, std::uint64_t number, double ratio, std::string text) const {
        told(native_line{kind, number, ratio, std::move(text)});
    }
};

double number_in(const rt::sql::rows& answer, std::size_t column) {
    double value = 0;
    auto cell = answer.cell(0, column);
    if (cell) std::from_chars(cell->data(), cell->data() + cell->size(), value);
    return value;
}

std::string progress_statement(const running& in) {
    const std::string id = std::to_string(in.alters.session_id());
    if (!in.order.mysql)
        return "SELECT STAGE, MAX_STAGE, PROGRESS, STATE FROM information_schema.PROCESSLIST "
               "WHERE ID = " +
               id;
    return "SELECT WORK_COMPLETED, WORK_ESTIMATED, EVENT_NAME FROM "
           "performance_schema.events_stages_current s JOIN performance_schema.threads t "
           "USING (THREAD_ID) WHERE t.PROCESSLIST_ID = " +
           id;
}

// What the server says of its own progress; nothing where it says nothing.
void tell_progress(const running& in, const rt::sql::rows& answer) {
    if (answer.row_count() == 0) return;
    if (in.order.mysql) {
        double done = number_in(answer, 0), all = number_in(answer, 1);
        if (all > 0)
            in.tell(what::progress, 0, std::min(1.0, done / all),
                    std::string(answer.cell(0, 2).value_or("")));
        return;
    }
    double stage = number_in(answer, 0), stages = number_in(answer, 1);
    double ratio = stages > 0 ? (stage - 1 + number_in(answer, 2) / 100) / stages : 0;
    in.tell(what::progress, 0, std::max(0.0, ratio), std::string(answer.cell(0, 3).value_or("")));
}

asio::awaitable<void> look(running& in) {
    if (!in.looks.usable()) {
        auto opened = co_await in.looks.open(in.order.where, rt::deadline::after(patience));
        if (!opened) co_return;
    }
    rt::sql::rows answer;
    auto asked =
        co_await in.looks.query(progress_statement(in), answer, rt::deadline::after(patience));
    if (asked) tell_progress(in, answer);
}

asio::awaitable<void> kill_statement(running& in) {
    if (!in.looks.usable()) {
        auto opened = co_await in.looks.open(in.order.where, rt::deadline::after(patience));
        if (!opened) co_return;
    }
    rt::sql::rows answer;
    std::ignore = co_await in.looks.query("KILL QUERY " + std::to_string(in.alters.session_id()),
                                          answer, rt::deadline::after(patience));
}

// Beside the statement: looks at it until it ends, and kills it when it is told to stop.
asio::awaitable<void> accompany(running& in) {
    auto next_look = rt::deadline::after(look_every);
    while (!in.ended) {
        co_await in.change.wait(rt::deadline::after(100ms));
        if (in.ended) break;
        const bool stopping = in.stop();
        if (!stopping && !next_look.passed()) continue;
        next_look = rt::deadline::after(look_every);
        if (stopping)
            co_await kill_statement(in);
        else
            co_await look(in);
    }
}

asio::awaitable<rt::result<void>> alter(running& in) {
    rt::sql::rows answer;
    auto set = co_await in.alters.query(
        "SET SESSION lock_wait_timeout = " + std::to_string(in.order.lock_wait.count()), answer,
        rt::deadline::after(patience));
    if (!set) co_return set.error();
    in.tell(what::session, in.alters.session_id(), 0, "");
    co_return co_await in.alters.query(in.order.statement, answer,
                                       rt::deadline::after(longest_statement));
}

}  // namespace

asio::awaitable<bool> run_native(asio::any_io_executor executor, rt::sql::network& network,
                                 native_order order, std::function<void(const native_line&)> told,
                                 std::function<bool()> stop) {
    running in(executor, network, std::move(order));
    in.told = std::move(told);
    in.stop = std::move(stop);
    auto opened = co_await in.alters.open(in.order.where, rt::deadline::after(patience));
    if (!opened) {
        in.tell(what::failed, static_cast<std::uint64_t>(opened.error().native), 0,
                opened.error().message);
        co_return false;
    }
    rt::task_group beside(executor);
    beside.spawn("look", accompany(in));
    auto altered = co_await alter(in);
    in.ended = true;
    in.change.notify();
    std::ignore = co_await beside.join(rt::deadline::after(2 * patience));
    if (altered) {
        in.tell(what::done, 0, 1, "");
        co_return true;
    }
    // A connection that was lost says nothing about the statement: it may still succeed.
    in.tell(what::failed, static_cast<std::uint64_t>(std::max(0, altered.error().native)), 0,
            altered.error().message);
    co_return false;
}

}  // namespace primacy::osc
