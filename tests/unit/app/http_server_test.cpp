// The server as an ordinary client meets it, over real sockets on loopback.
#include "tests/support/poll_until.hpp"
#include "tests/unit/app/http_support.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <vector>

using namespace primacy;
using namespace primacy::tests;
using namespace std::chrono_literals;

namespace {

boost::asio::awaitable<app::http::response> wait_for_ever(app::http::request asked) {
    boost::asio::steady_timer never(co_await boost::asio::this_coro::executor,
                                    boost::asio::steady_timer::time_point::max());
    co_await never.async_wait(boost::asio::use_awaitable);
    co_return app::http::plain_text(200, asked.path);
}

std::string listen_refusal(const std::string& address) {
    boost::asio::io_context context;
    auto made = app::http::server::listen_tcp(context.get_executor(), address, {}, {});
    return made.has_error() ? made.error().message : "";
}

std::string address_listened_on(const std::string& address) {
    boost::asio::io_context context;
    auto made = app::http::server::listen_tcp(context.get_executor(), address, {}, {});
    return made.has_error() ? made.error().message : made->address();
}

}  // namespace

TEST_CASE("a request is answered") {
    running_server server;
    client ann(server.port());
    const reply got = ann.get("/");
    CHECK(got.status == 200);
    CHECK(got.body == "hello\n");
    CHECK(got.head.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(got.head.find("Content-Type: text/plain; charset=utf-8\r\n") != std::string::npos);
    CHECK(got.head.find("Date: ") != std::string::npos);
}

TEST_CASE("the handler sees the request decoded and who asks") {
    running_server server;
    client ann(server.port(), "127.0.0.7");
    CHECK(ann.get("/%65cho?a=%20b").body == "GET|/echo|a=%20b|127.0.0.7||\n");
}

TEST_CASE("a connection carries many requests, one after the other or all at once") {
    running_server server;
    client ann(server.port());
    for (int i = 0; i < 3; ++i) {
        CHECK(ann.get("/echo?" + std::to_string(i))
                  .body.starts_with("GET|/echo|" + std::to_string(i)));
    }
    std::string pipelined;
    for (int i = 0; i < 20; ++i)
        pipelined += get_request("/echo?p" + std::to_string(i));
    REQUIRE(ann.send(pipelined));
    for (int i = 0; i < 20; ++i) {
        CHECK(ann.read_reply().body.starts_with("GET|/echo|p" + std::to_string(i) + "|"));
    }
    CHECK(server.counts().accepted == 1);
}

TEST_CASE("pipelined requests behind a slow answer wait their turn") {
    running_server server;
    client ann(server.port());
    REQUIRE(ann.send(get_request("/wait") + get_request("/")));
    poll_until([&] { return server.waiting() == 1; });
    server.release();
    CHECK(ann.read_reply().body == "released\n");
    CHECK(ann.read_reply().body == "hello\n");
}

TEST_CASE("a slow answer delays nobody else") {
    running_server server;
    client ann(server.port());
    REQUIRE(ann.send(get_request("/wait")));
    poll_until([&] { return server.waiting() == 1; });
    client bob(server.port());
    CHECK(bob.get("/").status == 200);
    server.release();
    CHECK(ann.read_reply().status == 200);
}

TEST_CASE("HEAD gets the head of the GET") {
    running_server server;
    client ann(server.port());
    REQUIRE(ann.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get_request("/")));
    const reply head = ann.read_reply(false);
    CHECK(head.status == 200);
    CHECK(head.head.find("Content-Length: 6\r\n") != std::string::npos);
    CHECK(ann.read_reply().body == "hello\n");
}

TEST_CASE("other methods are refused and named; the connection lives on") {
    running_server server;
    client ann(server.port());
    REQUIRE(ann.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
    const reply got = ann.read_reply();
    CHECK(got.status == 405);
    CHECK(got.head.find("Allow: GET, HEAD\r\n") != std::string::npos);
    REQUIRE(ann.send("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK(ann.read_reply().status == 405);
    CHECK(ann.get("/").status == 200);
}

TEST_CASE("a listener that allows POST hands over its bounded body") {
    running_server::options chosen;
    chosen.allow_post = true;
    chosen.bounds.body_bytes = 100 * 1024;
    running_server server(chosen);
    client ann(server.port());
    const std::string body(100 * 1024, 'x');
    const std::string head =
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ";
    REQUIRE(ann.send(head + std::to_string(body.size()) + "\r\n\r\n" + body));
    CHECK(ann.read_reply().body == "POST|/echo||127.0.0.1||" + body + "\n");
    REQUIRE(ann.send(head + std::to_string(body.size() + 1) + "\r\n\r\n"));
    CHECK(ann.read_reply().status == 413);
    CHECK(ann.is_closed());
    client bob(server.port());
    REQUIRE(bob.send("PUT /echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK(bob.read_reply().head.find("Allow: GET, HEAD, POST\r\n") != std::string::npos);
}

TEST_CASE("HTTP/1.0 and Connection: close end the connection after the answer") {
    running_server server;
    for (const char* request :
         {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
        client ann(server.port());
        REQUIRE(ann.send(request));
        const reply got = ann.read_reply();
        CHECK(got.body == "hello\n");
        CHECK(got.head.find("Connection: close\r\n") != std::string::npos);
        CHECK(ann.is_closed());
    }
    client bob(server.port());
    REQUIRE(bob.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    CHECK(bob.read_reply().head.find("Connection: keep-alive\r\n") != std::string::npos);
    CHECK(bob.get("/").status == 200);
}

TEST_CASE("a client that has said all it will say still hears the answers") {
    running_server server;
    client ann(server.port());
    REQUIRE(ann.send(get_request("/") + get_request("/")));
    ann.finish_sending();
    CHECK(ann.read_reply().status == 200);
    CHECK(ann.read_reply().status == 200);
    CHECK(ann.is_closed());
}

TEST_CASE("what the handler does not know is 404; what it throws is 500 and stays secret") {
    running_server server;
    client ann(server.port());
    CHECK(ann.get("/nothing").status == 404);
    const reply got = ann.get("/throw");
    CHECK(got.status == 500);
    CHECK(got.body.find("42") == std::string::npos);
    CHECK(ann.get("/").status == 200);
}

TEST_CASE("malformed and oversized requests hear why and are closed") {
    running_server server;
    const std::vector<std::pair<std::string, unsigned>> cases = {
        {"\x16\x03\x01\x02\x03\xff\xfe", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n", 400},
        {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /" + std::string(4000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'a') + "\r\n\r\n", 431},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
    };
    for (const auto& [bytes, status] : cases) {
        CAPTURE(bytes.substr(0, 40));
        client ann(server.port());
        REQUIRE(ann.send(bytes));
        CHECK(ann.read_reply().status == status);
        CHECK(ann.is_closed());
    }
    // Far more than is read before the refusal: it must still arrive, and no reset after it.
    client flood(server.port());
    CHECK(flood.send("GET / HTTP/1.1\r\nX: " + std::string(200 * 1024, 'a')));
    CHECK(flood.read_reply().status == 431);
    CHECK(flood.ends_cleanly());
}

TEST_CASE("after so many requests the connection is given back") {
    running_server::options chosen;
    chosen.bounds.requests_per_connection = 3;
    running_server server(chosen);
    client ann(server.port());
    CHECK(ann.get("/").head.find("keep-alive") != std::string::npos);
    CHECK(ann.get("/").head.find("keep-alive") != std::string::npos);
    CHECK(ann.get("/").head.find("Connection: close\r\n") != std::string::npos);
    CHECK(ann.is_closed());
}

TEST_CASE("a client that goes away in the middle leaves nothing behind") {
    running_server server;
    { client gone(server.port()); }
    {
        client half(server.port());
        half.send("GET / HT");
    }
    {
        client reset(server.port());
        reset.send(get_request("/big"));
        CHECK_FALSE(reset.read_some(1, 15s).empty());
        const linger now{1, 0};
        ::setsockopt(reset.native(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    poll_until([&] { return server.counts().accepted == 3 && server.counts().open == 0; });
}

TEST_CASE("stop lets the answer that is under way finish and closes who only waits") {
    running_server::options chosen;
    chosen.bounds.linger = 50ms;
    running_server server(chosen);
    client busy(server.port());
    client idle(server.port());
    client half(server.port());
    CHECK(idle.get("/").status == 200);
    REQUIRE(half.send("GET / HTTP/1.1\r\n"));
    REQUIRE(busy.send(get_request("/wait") + get_request("/")));
    poll_until([&] { return server.waiting() == 1 && server.counts().open == 3; });
    server.stop(15s);
    CHECK(idle.is_closed());
    CHECK(half.is_closed());
    CHECK_THROWS(client(server.port()));  // nobody listens any more
    CHECK_FALSE(server.ended(0ms));
    server.release();
    const reply got = busy.read_reply();
    CHECK(got.body == "released\n");
    CHECK(got.head.find("Connection: close\r\n") != std::string::npos);
    CHECK(server.ended());
}

TEST_CASE("stop ends a handler that does not finish in time") {
    running_server server;
    client busy(server.port());
    REQUIRE(busy.send(get_request("/wait")));
    poll_until([&] { return server.waiting() == 1; });
    server.stop(20ms);
    CHECK(busy.is_closed());
    CHECK(server.ended());
}

TEST_CASE("the shorter patience counts, whichever stop asked for it") {
    for (const bool shorter_first : {true, false}) {
        running_server server;
        client busy(server.port());
        REQUIRE(busy.send(get_request("/wait")));
        poll_until([&] { return server.waiting() == 1; });
        server.stop(shorter_first ? 20ms : 1h);
        server.stop(shorter_first ? 1h : 20ms);
        CHECK(server.ended());
    }
}

TEST_CASE("run() after a stop returns at once") {
    boost::asio::io_context context;
    auto made =
        app::http::server::listen_tcp(context.get_executor(), "127.0.0.1:0", {}, wait_for_ever);
    REQUIRE(made.has_value());
    made->stop(rt::deadline::after(1h));
    std::exception_ptr thrown = std::make_exception_ptr(std::runtime_error("it did not return"));
    boost::asio::co_spawn(context, made->run(),
                          [&](std::exception_ptr failed) { thrown = failed; });
    poll_until(context, [&] { return thrown == nullptr; });
    CHECK(context.run_for(15s) == 0);  // and leaves no work behind
}

TEST_CASE("to cancel run() is to stop without patience") {
    running_server server;
    client busy(server.port());
    client idle(server.port());
    REQUIRE(busy.send(get_request("/wait")));
    poll_until([&] { return server.waiting() == 1 && server.counts().open == 2; });
    server.cancel();
    CHECK(busy.is_closed());
    CHECK(idle.is_closed());
    CHECK(server.ended());
}

TEST_CASE("a server that is destroyed while it serves ends its clients") {
    running_server server;
    client busy(server.port());
    REQUIRE(busy.send(get_request("/wait")));
    poll_until([&] { return server.waiting() == 1; });
    server.destroy();
    CHECK(busy.is_closed());
    CHECK(server.ended());
}

TEST_CASE("a loop that is thrown away in the middle leaks nothing") {
    boost::asio::io_context context;
    auto made =
        app::http::server::listen_tcp(context.get_executor(), "127.0.0.1:0", {}, wait_for_ever);
    REQUIRE(made.has_value());
    boost::asio::co_spawn(context, made->run(), boost::asio::detached);
    const std::string& address = made->address();
    client ann(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    REQUIRE(ann.send(get_request("/")));
    poll_until(context, [&] { return made->counts().open == 1; });
    context.poll();
    // What this test finds, the sanitizers report.
    CHECK(made->counts().open == 1);
}

TEST_CASE("addresses") {
    CHECK(address_listened_on("127.0.0.1:0").starts_with("127.0.0.1:"));
    CHECK(address_listened_on("localhost:0").starts_with("127.0.0.1:"));
    CHECK(address_listened_on("[::1]:0").starts_with("[::1]:"));
    CHECK(listen_refusal("127.0.0.1").find("the port is missing") != std::string::npos);
    CHECK(listen_refusal("127.0.0.1:").find("not a number") != std::string::npos);
    CHECK(listen_refusal("127.0.0.1:65536").find("not a number") != std::string::npos);
    CHECK(listen_refusal("127.0.0.1:1x").find("not a number") != std::string::npos);
    CHECK(listen_refusal("::1:0").find("needs brackets") != std::string::npos);
    CHECK(listen_refusal("[::g]:0").find("not an IPv6 address") != std::string::npos);
    CHECK(listen_refusal("db1:9963").find("\"db1\" is not an IP address") != std::string::npos);
    CHECK(listen_refusal("192.0.2.1:0").find("does not have that address") != std::string::npos);
    running_server server;
    CHECK(listen_refusal(server.address()) ==
          "cannot listen on " + server.address() + ": another process listens there already");
}
