// open_for_writing(): the only statement of this project that makes a server writable.
#include "agent/rt/checkpoint.hpp"
#include "fencing/drivers/sql.hpp"
#include "fencing/drivers/sql_reader.hpp"

#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {
constexpr int lock_wait = 1;
}

asio::awaitable<rt::result<void>> open_for_writing(asio::any_io_executor executor,
                                                   rt::sql::network& network,
                                                   rt::sql::endpoint where, rt::deadline until) {
    sql_reader link(executor, network, where);
    auto done = co_await link.greet(lock_wait, until);
    if (!done) co_return done;
    const auto statements = sql_statements_for(link.kind(), link.version());
    for (const auto statement : statements.open) {
        rt::checkpoint("sql.open");
        done = co_await link.tell(statement, until);
        rt::checkpoint("sql.opened");
        if (!done) co_return done;
    }
    link.close();

    done = co_await link.greet(lock_wait, until);
    if (!done) co_return done;
    const auto reading = co_await link.read(until);
    if (!reading) co_return reading.error();
    rt::checkpoint("sql.opening_read_back");
    if (closure_of(reading->facts) != closure::open)
        co_return rt::error{rt::errc::query, 0,
                            where.address() + " was told to take writes and does not: " +
                                reading->read_only_text() +
                                "; somebody else may be setting it, look for who"};
    co_return rt::result<void>();
}

}  // namespace primacy::fencing
