#include "agent/rt/resolver.hpp"
#include "agent/rt/sql/connection.hpp"
#include "agent/rt/sql/errors.hpp"
#include "agent/rt/sql/row.hpp"
#include "tests/support/poll_until.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

using namespace primacy::rt;
using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("errors of servers and of the library are classed by number") {
    CHECK(sql::classify(1040) == errc::too_many_connections);
    CHECK(sql::classify(1203) == errc::too_many_connections);
    CHECK(sql::classify(1226) == errc::too_many_connections);
    CHECK(sql::classify(1045) == errc::denied);
    CHECK(sql::classify(1130) == errc::denied);
    CHECK(sql::classify(1227) == errc::denied);
    CHECK(sql::classify(2013) == errc::lost);
    CHECK(sql::classify(1053) == errc::lost);
    CHECK(sql::classify(2026) == errc::tls);
    CHECK(sql::classify(2027) == errc::protocol);
    CHECK(sql::classify(1064) == errc::query);
    CHECK(sql::classify(3888) == errc::query);
    CHECK(sql::classify(2099) == errc::protocol);
}

TEST_CASE("a failure to connect has the class of what really happened") {
    auto of = [](unsigned number, const char* text) {
        return sql::server_error(number, text, "connect to db1:3306");
    };
    CHECK(of(2003, "Can't connect to server on '10.0.0.1' (111)").code == errc::refused);
    CHECK(of(2003, "Can't connect to server on '10.0.0.1' (113)").code == errc::unreachable);
    CHECK(of(2002, "Can't connect to local server through socket '/x' (2)").code == errc::refused);
    auto full = of(2002,
                   "Received error packet before completion of TLS handshake. The "
                   "authenticity of the following error cannot be verified: 1040 - Too many "
                   "connections");
    CHECK(full.code == errc::too_many_connections);
    CHECK(full.native == 1040);
    CHECK(of(2002, "no number here").code == errc::unreachable);
    CHECK(of(1045, "Access denied \xFF").message ==
          "connect to db1:3306: Access denied \xEF\xBF\xBD (1045)");
}

TEST_CASE("an answer that is used again shows nothing of the one before") {
    auto answer = sql::rows::from({"a", "b", "c"}, {{"1", "2", "3"}});
    answer.restart();
    answer.add_column("a");
    answer.add_column("x");
    answer.end_columns();
    CHECK(answer.columns() == std::vector<std::string>{"a", "x"});
    CHECK(answer.row_count() == 0);
    answer.clear();
    CHECK(answer.columns().empty());
}

TEST_CASE("an answer keeps NULL apart from an empty text, and finds columns in any letter case") {
    auto answer = sql::rows::from({"Name", "lag"}, {{"db1", std::nullopt}, {"", "7"}, {"short"}});
    CHECK(answer.row_count() == 3);
    CHECK(answer.column("NAME") == 0);
    CHECK(answer.column("LAG") == 1);
    CHECK_FALSE(answer.column("la"));
    CHECK(answer.cell(0, 0) == "db1");
    CHECK_FALSE(answer.cell(0, 1));
    CHECK(answer.cell(1, 0) == "");
    CHECK(answer.cell(1, 1) == "7");
    CHECK_FALSE(answer.cell(2, 1));
    CHECK_FALSE(answer.cell(3, 0));
    CHECK_FALSE(answer.cell(0, 2));
}

TEST_CASE("bytes of a cell that are no text become text, and the next cell is not disturbed") {
    sql::rows answer;
    answer.add_column("a");
    answer.add_column("b");
    answer.end_columns();
    answer.add_cell("x\xFFy");
    answer.add_cell("z");
    CHECK(answer.cell(0, 0) == "x\xEF\xBF\xBDy");
    CHECK(answer.cell(0, 1) == "z");
}

namespace {

// A lookup that hangs until it is let go, as getaddrinfo() does behind a silent name server.
struct gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
    std::atomic<int> entered{0};

    void wait() {
        ++entered;
        std::unique_lock hold(mutex);
        opened.wait(hold, [this] { return open; });
    }
    void let_go() {
        std::lock_guard hold(mutex);
        open = true;
        opened.notify_all();
    }
};

using addresses = result<std::vector<std::string>>;

asio::awaitable<void> resolve_into(resolver& names, std::string name, deadline until,
                                   std::optional<addresses>& into) {
    into = co_await names.resolve(std::move(name), until);
}

asio::awaitable<void> open_into(sql::connection& link, sql::endpoint where, deadline until,
                                std::optional<result<void>>& into) {
    into = co_await link.open(where, until);
}

}  // namespace

TEST_CASE("a lookup that hangs delays neither its waiter beyond the deadline nor another name") {
    asio::io_context loop;
    auto shared_gate = std::make_shared<gate>();
    auto how = [shared_gate](const std::string& name) -> addresses {
        if (name == "hangs") shared_gate->wait();
        return std::vector<std::string>{"127.0.0.9"};
    };
    std::optional<addresses> hung, again, quick, numeric;
    {
        resolver names(loop.get_executor(), 2, how);
        auto soon = deadline::after(50ms);
        asio::co_spawn(loop, resolve_into(names, "hangs", soon, hung), asio::detached);
        asio::co_spawn(loop, resolve_into(names, "hangs", soon, again), asio::detached);
        asio::co_spawn(loop, resolve_into(names, "quick", deadline::after(10s), quick),
                       asio::detached);
        asio::co_spawn(loop, resolve_into(names, "::1", deadline::after(10s), numeric),
                       asio::detached);
        primacy::tests::poll_until(loop, [&] { return hung && again && quick && numeric; });
        REQUIRE(quick->has_value());
        CHECK(quick->value().front() == "127.0.0.9");
        REQUIRE(numeric->has_value());
        CHECK(numeric->value().front() == "::1");
        REQUIRE(hung->has_error());
        CHECK(hung->error().code == errc::dns);
        CHECK(again->has_error());
        CHECK(shared_gate->entered == 1);  // one thread for one name, however many wait for it
    }
    shared_gate->let_go();  // the thread ends after its resolver, and finds nobody listening
}

TEST_CASE("more hanging lookups than threads are refused at once, not queued") {
    asio::io_context loop;
    auto shared_gate = std::make_shared<gate>();
    resolver names(loop.get_executor(), 1, [shared_gate](const std::string&) -> addresses {
        shared_gate->wait();
        return std::vector<std::string>{"127.0.0.9"};
    });
    std::optional<addresses> first, second;
    asio::co_spawn(loop, resolve_into(names, "one", deadline::after(10s), first), asio::detached);
    asio::co_spawn(loop, resolve_into(names, "two", deadline::after(10s), second), asio::detached);
    primacy::tests::poll_until(loop, [&] { return second.has_value(); });
    REQUIRE(second->has_error());
    CHECK(second->error().code == errc::dns);
    CHECK_FALSE(first);
    shared_gate->let_go();
    primacy::tests::poll_until(loop, [&] { return first.has_value(); });
    CHECK(first->has_value());
}

TEST_CASE(
    "a server that accepts and never answers costs the deadline, then the connection is gone") {
    asio::io_context loop;
    asio::ip::tcp::acceptor silent(loop, {asio::ip::address_v4::loopback(), 0});
    resolver names(loop.get_executor());
    sql::connection link(loop.get_executor(), names);
    sql::endpoint where;
    where.host = "127.0.0.1";
    where.port = silent.local_endpoint().port();
    where.user = "primacy";
    std::optional<result<void>> opened;
    auto began = steady_clock::now();
    asio::co_spawn(loop, open_into(link, where, deadline::after(100ms), opened), asio::detached);
    primacy::tests::poll_until(loop, [&] { return opened.has_value(); });
    REQUIRE(opened->has_error());
    CHECK(opened->error().code == errc::timeout);
    CHECK(steady_clock::now() - began >= 100ms);
    CHECK_FALSE(link.usable());
    // The other end sees us leave: nothing of ours stays open.
    auto peer = silent.accept();
    char byte;
    boost::system::error_code ended;
    peer.read_some(asio::buffer(&byte, 1), ended);
    CHECK(ended == asio::error::eof);
}

TEST_CASE("a connection that is destroyed while it waits leaves nothing behind") {
    asio::io_context loop;
    asio::ip::tcp::acceptor silent(loop, {asio::ip::address_v4::loopback(), 0});
    resolver names(loop.get_executor());
    std::optional<result<void>> opened;
    {
        sql::connection link(loop.get_executor(), names);
        sql::endpoint where;
        where.host = "127.0.0.1";
        where.port = silent.local_endpoint().port();
        asio::co_spawn(loop, open_into(link, where, deadline::after(10s), opened), asio::detached);
        loop.run_for(20ms);  // the connect is under way
        CHECK_FALSE(opened);
        link.close();
        primacy::tests::poll_until(loop, [&] { return opened.has_value(); });
        CHECK(opened->has_error());
    }
}

TEST_CASE("a port where nobody listens is refused, by its errno") {
    asio::io_context loop;
    asio::ip::tcp::acceptor taken(loop, {asio::ip::address_v4::loopback(), 0});
    auto port = taken.local_endpoint().port();
    taken.close();
    resolver names(loop.get_executor());
    sql::connection link(loop.get_executor(), names);
    sql::endpoint where;
    where.host = "127.0.0.1";
    where.port = port;
    std::optional<result<void>> opened;
    asio::co_spawn(loop, open_into(link, where, deadline::after(5s), opened), asio::detached);
    primacy::tests::poll_until(loop, [&] { return opened.has_value(); });
    REQUIRE(opened->has_error());
    CHECK(opened->error().code == errc::refused);
    CHECK(opened->error().native == ECONNREFUSED);

    where.socket = "/nonexistent/mysqld.sock";
    opened.reset();
    asio::co_spawn(loop, open_into(link, where, deadline::after(5s), opened), asio::detached);
    primacy::tests::poll_until(loop, [&] { return opened.has_value(); });
    REQUIRE(opened->has_error());
    CHECK(opened->error().code == errc::refused);
}
