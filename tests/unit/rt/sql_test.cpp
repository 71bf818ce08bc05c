#include "agent/rt/sql/connection.hpp"
#include "agent/rt/sql/errors.hpp"
#include "agent/rt/sql/network.hpp"
#include "agent/rt/sql/row.hpp"
#include "tests/support/poll_until.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
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
    sql::network network(loop.get_executor());
    sql::connection link(loop.get_executor(), network);
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
    sql::network network(loop.get_executor());
    std::optional<result<void>> opened;
    {
        sql::connection link(loop.get_executor(), network);
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

namespace {

// A server that greets, offers TLS, reads how the client begins it, and says no more.
struct tls_offer {
    asio::ip::tcp::acceptor listening;
    std::optional<asio::ip::tcp::socket> peer;
    bool begun = false;

    explicit tls_offer(asio::io_context& loop)
        : listening(loop, {asio::ip::address_v4::loopback(), 0}) {}

    asio::awaitable<void> serve() {
        using namespace std::string_literals;
        // Protocol 10, two halves of a salt, and everything common among the capabilities.
        const std::string body = "\x0A"s + "5.5.5-10.11.6-MariaDB\0"s + "\x67\x12\0\0"s +
                                 "12345678\0"s + "\xDF\xFF"s + "\x21\x02\0"s + "\x0F\0"s + "\x15"s +
                                 std::string(10, '\0') + "abcdefghijkl\0"s +
                                 "mysql_native_password\0"s;
        std::string packet{static_cast<char>(body.size()), '\0', '\0', '\0'};
        packet += body;
        peer.emplace(co_await listening.async_accept(asio::use_awaitable));
        co_await asio::async_write(*peer, asio::buffer(packet), asio::use_awaitable);
        char request[36];  // "and now TLS", in the clear
        co_await asio::async_read(*peer, asio::buffer(request), asio::use_awaitable);
        char hello;
        co_await asio::async_read(*peer, asio::buffer(&hello, 1), asio::use_awaitable);
        begun = true;
    }

    sql::endpoint where() {
        sql::endpoint made;
        made.host = "127.0.0.1";
        made.port = listening.local_endpoint().port();
        made.tls.mode = sql::tls_mode::required;
        return made;
    }
};

}  // namespace

TEST_CASE("a server that falls silent in the TLS handshake costs the deadline, and no loop") {
    asio::io_context loop;
    sql::network network(loop.get_executor());
    sql::connection link(loop.get_executor(), network);
    tls_offer server(loop);
    std::optional<result<void>> opened;
    asio::co_spawn(loop, server.serve(), asio::detached);
    asio::co_spawn(loop, open_into(link, server.where(), deadline::after(300ms), opened),
                   asio::detached);
    auto began = steady_clock::now();
    auto longest_turn = 0ns;
    while (!opened && steady_clock::now() - began < 10s) {
        auto turn = steady_clock::now();
        loop.run_one_for(5ms);
        longest_turn = std::max(longest_turn, steady_clock::now() - turn);
    }
    CHECK(server.begun);
    REQUIRE(opened);
    REQUIRE(opened->has_error());
    CHECK(opened->error().code == errc::timeout);
    CHECK(longest_turn < 250ms);
    CHECK_FALSE(link.usable());
}

TEST_CASE("a connection that is closed in the TLS handshake ends at once") {
    asio::io_context loop;
    sql::network network(loop.get_executor());
    tls_offer server(loop);
    std::optional<result<void>> opened;
    {
        sql::connection link(loop.get_executor(), network);
        asio::co_spawn(loop, server.serve(), asio::detached);
        asio::co_spawn(loop, open_into(link, server.where(), deadline::after(60s), opened),
                       asio::detached);
        primacy::tests::poll_until(loop, [&] { return server.begun; });
        link.close();
        primacy::tests::poll_until(loop, [&] { return opened.has_value(); });
    }
    REQUIRE(opened);
    REQUIRE(opened->has_error());
    CHECK(opened->error().code == errc::cancelled);
}

TEST_CASE("a port where nobody listens is refused, by its errno") {
    asio::io_context loop;
    asio::ip::tcp::acceptor taken(loop, {asio::ip::address_v4::loopback(), 0});
    auto port = taken.local_endpoint().port();
    taken.close();
    sql::network network(loop.get_executor());
    sql::connection link(loop.get_executor(), network);
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
