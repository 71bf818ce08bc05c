// Clients that are slow, silent or too many: each costs only its own share.
#include "tests/support/poll_until.hpp"
#include "tests/unit/app/http_support.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

using namespace primacy;
using namespace primacy::tests;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

running_server::options with(void (*change)(app::http::limits&)) {
    running_server::options chosen;
    change(chosen.bounds);
    return chosen;
}

// No descriptor can be opened while it lives, beyond those that are open already.
class no_more_descriptors {
public:
    no_more_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &former_);
        const rt::descriptor lowest_free(::dup(0));
        const rlimit none{static_cast<rlim_t>(lowest_free.get()), former_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    no_more_descriptors(const no_more_descriptors&) = delete;
    ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &former_); }

private:
    rlimit former_{};
};

}  // namespace

TEST_CASE("a byte now and then does not extend the deadline of a request") {
    running_server server(with([](app::http::limits& bounds) { bounds.read = 500ms; }));
    client slow(server.port());
    const auto begun = clock_type::now();
    const std::string request = get_request("/", "X: " + std::string(2000, 'x') + "\r\n");
    std::string answer;
    std::size_t sent = 0;
    while (answer.empty() && sent < request.size() && slow.send(request.substr(sent, 1))) {
        ++sent;
        answer = slow.read_some(4096, 10ms);
    }
    const auto took = clock_type::now() - begun;
    CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    CHECK(sent > 2);
    CHECK(took >= 500ms);
    CHECK(slow.is_closed());
}

TEST_CASE("a slow body ends like a slow header") {
    running_server server(with([](app::http::limits& bounds) { bounds.read = 50ms; }));
    client slow(server.port());
    REQUIRE(slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"));
    CHECK(slow.read_reply().status == 408);
    CHECK(slow.is_closed());
}

TEST_CASE("a client that connects and says nothing is closed without a word") {
    running_server server(with([](app::http::limits& bounds) { bounds.read = 30ms; }));
    client silent(server.port());
    CHECK(silent.is_closed());
}

TEST_CASE("between requests the idle bound holds, and empty lines do not extend it") {
    running_server server(with([](app::http::limits& bounds) {
        bounds.read = 15s;
        bounds.idle = 300ms;
    }));
    client idle(server.port());
    CHECK(idle.get("/").status == 200);
    CHECK(idle.is_closed());
    client chatty(server.port());
    CHECK(chatty.get("/").status == 200);
    const auto limit = rt::deadline::after(10s);
    while (chatty.send("\r\n") && !limit.passed()) {
        if (!chatty.read_some(1, 5ms).empty()) FAIL("an answer to nothing");
    }
    CHECK_FALSE(limit.passed());
}

TEST_CASE("who does not read a big answer is closed after the write bound") {
    running_server server(with([](app::http::limits& bounds) { bounds.write = 100ms; }));
    client deaf(server.port());
    REQUIRE(deaf.send(get_request("/big")));
    poll_until([&] { return server.counts().accepted == 1 && server.counts().open == 0; });
}

TEST_CASE("who does not read a big answer delays nobody meanwhile") {
    running_server server(with([](app::http::limits& bounds) { bounds.write = 1h; }));
    client deaf(server.port());
    REQUIRE(deaf.send(get_request("/big")));
    CHECK_FALSE(deaf.read_some(1, 15s).empty());
    client good(server.port());
    CHECK(good.get("/").status == 200);
    CHECK(server.counts().open == 2);  // the deaf one is still being served
}

TEST_CASE("too many clients in all: the next hears 503, a good one goes on") {
    running_server server(with([](app::http::limits& bounds) {
        bounds.connections = 4;
        bounds.read = 1h;
    }));
    client good(server.port(), "127.0.0.2");
    CHECK(good.get("/").status == 200);
    std::vector<client> hogs;
    for (int i = 0; i < 3; ++i)
        hogs.emplace_back(server.port());
    poll_until([&] { return server.counts().open == 4; });
    std::vector<client> more;
    for (int i = 0; i < 4; ++i)
        more.emplace_back(server.port());
    for (auto& late : more) {
        late.send(get_request("/"));
        const reply got = late.read_reply();
        CHECK(got.status == 503);
        CHECK(got.head.find("Retry-After: 1\r\n") != std::string::npos);
        CHECK(late.ends_cleanly());
        CHECK(good.get("/").status == 200);
    }
    CHECK(server.counts().open == 4);  // the hogs were still there
    CHECK(server.counts().turned_away == 4);
    hogs.clear();
    poll_until([&] { return server.counts().open == 1; });
    client again(server.port());
    CHECK(again.get("/").status == 200);
}

TEST_CASE("too many clients from one address: 429 for them, room for the others") {
    running_server server(with([](app::http::limits& bounds) {
        bounds.connections_per_peer = 2;
        bounds.read = 1h;
    }));
    std::vector<client> hogs;
    for (int i = 0; i < 2; ++i)
        hogs.emplace_back(server.port());
    poll_until([&] { return server.counts().open == 2; });
    client third(server.port());
    CHECK(third.read_reply().status == 429);
    client good(server.port(), "127.0.0.2");
    CHECK(good.get("/").status == 200);
    hogs.pop_back();
    poll_until([&] { return server.counts().open == 2; });
    client again(server.port());
    CHECK(again.get("/").status == 200);
}

TEST_CASE("only so many are told why they are turned away") {
    running_server server(with([](app::http::limits& bounds) {
        bounds.connections = 2;
        bounds.read = 1h;
        bounds.linger = 1h;
    }));
    std::vector<client> hogs;
    for (int i = 0; i < 2; ++i)
        hogs.emplace_back(server.port());
    poll_until([&] { return server.counts().open == 2; });
    std::vector<client> refused;
    for (int i = 0; i < 10; ++i)
        refused.emplace_back(server.port());
    poll_until([&] { return server.counts().turned_away == 10; });
    int told = 0;
    for (auto& one : refused) {
        if (one.read_reply().status == 503) ++told;
        CHECK(one.is_closed());
    }
    CHECK(told == 2);
}

TEST_CASE("who is turned away and does not go is cut off") {
    running_server server(with([](app::http::limits& bounds) {
        bounds.connections = 1;
        bounds.read = 1h;
        bounds.linger = 50ms;
    }));
    const client hog(server.port());
    poll_until([&] { return server.counts().open == 1; });
    client rude(server.port());
    CHECK(rude.read_reply().status == 503);
    poll_until([&] { return !rude.send("x"); });
}

TEST_CASE("with no descriptor left the acceptor pauses, and recovers") {
    running_server server;
    client good(server.port());
    CHECK(good.get("/").status == 200);
    rt::descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    std::uint64_t failures = 0;
    std::optional<client> late;
    const auto begun = clock_type::now();
    {
        const no_more_descriptors hold;
        late.emplace(std::move(made), server.port());
        poll_until([&] { return server.counts().accept_failures >= 3; });
        failures = server.counts().accept_failures;
        CHECK(good.get("/").status == 200);
    }
    // Two pauses of 100 ms lie between three failures: the acceptor does not spin.
    CHECK(clock_type::now() - begun >= 200ms);
    CHECK(failures < 50);
    CHECK(late->get("/").status == 200);
}

TEST_CASE("a storm of clients of every bad kind leaves a good one served and nothing open") {
    running_server server(with([](app::http::limits& bounds) {
        bounds.read = 300ms;
        bounds.write = 300ms;
        bounds.linger = 100ms;
    }));
    client good(server.port(), "127.0.0.2");
    std::vector<client> bad;
    for (int i = 0; i < 60; ++i) {
        const std::string from = "127.0.0." + std::to_string(3 + i % 5);
        bad.emplace_back(server.port(), from.c_str());
        switch (i % 5) {
            case 0: break;
            case 1: bad.back().send("GET / HT"); break;
            case 2: bad.back().send(get_request("/big")); break;
            case 3: bad.back().send(std::string(3000, '\xff')); break;
            case 4: bad.back().send(get_request("/big") + get_request("/big")); break;
        }
        REQUIRE(good.get("/").status == 200);
    }
    poll_until([&] { return server.counts().open == 1; });
    CHECK(server.counts().accepted == 61);
}
