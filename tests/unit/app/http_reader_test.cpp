// Bytes to requests without a socket: what is taken, what is refused and with which status.
#include "agent/app/http/request_reader.hpp"
#include "agent/app/http/response_text.hpp"
#include "tests/support/random.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace primacy;
using namespace primacy::app::http;

namespace {

read_step read_whole(std::string_view bytes, const limits& bounds = {}) {
    request_reader reader(bounds);
    reader.append(bytes);
    return reader.next();
}

unsigned status_of(std::string_view bytes, const limits& bounds = {}) {
    const read_step step = read_whole(bytes, bounds);
    if (const auto* refused = std::get_if<refusal>(&step)) return refused->status;
    return std::holds_alternative<parsed_request>(step) ? 200 : 0;
}

parsed_request request_of(std::string_view bytes) {
    read_step step = read_whole(bytes);
    REQUIRE(std::holds_alternative<parsed_request>(step));
    return std::get<parsed_request>(std::move(step));
}

std::string get(std::string_view target) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

// Every step of a byte stream as text, so that two streams can be compared.
std::string steps_of(std::string_view bytes, std::size_t piece) {
    request_reader reader{limits{}};
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.append(bytes.substr(at, piece));
        for (;;) {
            const read_step step = reader.next();
            if (std::holds_alternative<need_more>(step)) break;
            if (const auto* refused = std::get_if<refusal>(&step)) {
                return text + "refused " + std::to_string(refused->status);
            }
            const auto& whole = std::get<parsed_request>(step);
            text += whole.what.method + " " + whole.what.path + " [" + whole.what.body + "]\n";
        }
    }
    return text;
}

}  // namespace

TEST_CASE("a plain request is read") {
    const parsed_request got = request_of(
        "GET /check/job%201?app=x&p=%20 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic eA==\r\n\r\n");
    CHECK(got.what.method == "GET");
    CHECK(got.what.path == "/check/job 1");
    CHECK(got.what.query == "app=x&p=%20");
    CHECK(got.what.body.empty());
    CHECK(got.authorization == "Basic eA==");
    CHECK(got.keep_alive);
    CHECK_FALSE(got.head_only);
}

TEST_CASE("HEAD is a GET whose body stays at home") {
    const parsed_request got = request_of("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(got.what.method == "GET");
    CHECK(got.head_only);
}

TEST_CASE("who wants to be left alone after the answer is") {
    CHECK_FALSE(request_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").keep_alive);
    CHECK_FALSE(request_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
    CHECK(request_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST_CASE("a body is read by its length and the next request begins behind it") {
    request_reader reader{limits{}};
    reader.append("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    CHECK(std::holds_alternative<need_more>(reader.next()));
    CHECK_FALSE(reader.empty());
    reader.append("loGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    read_step step = reader.next();
    REQUIRE(std::holds_alternative<parsed_request>(step));
    CHECK(std::get<parsed_request>(step).what.body == "hello");
    step = reader.next();
    REQUIRE(std::holds_alternative<parsed_request>(step));
    CHECK(std::get<parsed_request>(step).what.method == "GET");
    CHECK(std::get<parsed_request>(step).what.path == "/b");
    CHECK(std::get<parsed_request>(step).what.body.empty());
    CHECK(reader.empty());
    CHECK(std::holds_alternative<need_more>(reader.next()));
}

TEST_CASE("empty lines before a request are skipped") {
    CHECK(status_of("\r\n\r\n" + get("/")) == 200);
    CHECK(status_of("\r") == 0);
}

TEST_CASE("targets") {
    std::string path;
    std::string query;
    const auto accepted = [&](std::string_view target) {
        return split_target(target, path, query);
    };
    CHECK(accepted("/a%2Fb"));
    CHECK(path == "/a/b");
    CHECK(accepted("http://host:1/x?y"));
    CHECK(path == "/x");
    CHECK(query == "y");
    CHECK(accepted("http://host?y=/"));
    CHECK(path == "/");
    CHECK(accepted("/?"));
    CHECK(query.empty());
    for (const char* bad :
         {"", "*", "a", "?", "/%", "/%4", "/%zz", "/%00", "/%0a", "/a\x01", "/\x7f"}) {
        CAPTURE(bad);
        CHECK_FALSE(accepted(bad));
    }
}

TEST_CASE("noise is refused before a deadline would end it") {
    CHECK(status_of("\x16\x03\x01\x02") == 400);  // a TLS hello
    CHECK(status_of(std::string_view("\0", 1)) == 400);
    CHECK(status_of(" GET / HTTP/1.1") == 400);
    CHECK(status_of("SSH-2.0-OpenSSH_9.2\r\n") == 400);
    CHECK(status_of("AMUCHTOOLONGMETHODNAME") == 400);
    CHECK(status_of("GET /\r\n") == 400);         // HTTP/0.9
    CHECK(status_of("GET / HTTP/1.1\n") == 400);  // bare line feed
    CHECK(status_of("GET / HTTP/2.0\r\n") == 400);
    CHECK(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\n") == 400);
    CHECK(status_of("G") == 0);
    CHECK(status_of("GET /long/but/fine") == 0);
}

TEST_CASE("malformed requests are 400") {
    CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 400);  // no Host
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost : a\r\n\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n") == 400);
    CHECK(status_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(status_of("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(status_of(get("/%zz")) == 400);
    CHECK(status_of(get("/\xff")) == 200);  // not our business what a path means
    const std::string two = "Authorization: Basic eA==\r\nAuthorization: Basic eQ==\r\n\r\n";
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\n" + two) == 400);
}

TEST_CASE("a body's length must be one number") {
    const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
    CHECK(status_of(start + "Content-Length: -1\r\n\r\n") == 400);
    CHECK(status_of(start + "Content-Length: 99999999999999999999\r\n\r\n") == 400);
    CHECK(status_of(start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab") == 400);
    CHECK(status_of(start + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na") == 400);
    CHECK(status_of(start + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 411);
    CHECK(status_of(start + "Transfer-Encoding: gzip\r\n\r\n") == 411);
}

TEST_CASE("oversized requests, at the bound and one beyond it") {
    limits bounds;
    bounds.target_bytes = 100;
    bounds.header_bytes = 300;
    bounds.body_bytes = 10;
    CHECK(status_of(get("/" + std::string(99, 'a')), bounds) == 200);
    CHECK(status_of(get("/" + std::string(100, 'a')), bounds) == 414);
    CHECK(status_of("GET /" + std::string(200, 'a'), bounds) == 414);  // its end need not come

    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const std::size_t room = bounds.header_bytes - start.size() - 4;
    CHECK(status_of(start + std::string(room, 'x') + "\r\n\r\n", bounds) == 200);
    CHECK(status_of(start + std::string(room + 1, 'x') + "\r\n\r\n", bounds) == 431);
    CHECK(status_of(start + std::string(room + 5, 'x'), bounds) == 431);

    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
    CHECK(status_of(post + "10\r\n\r\n0123456789", bounds) == 200);
    CHECK(status_of(post + "11\r\n\r\n", bounds) == 413);
}

TEST_CASE("the default bounds take an ordinary browser's header") {
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nCookie: " + std::string(7000, 'c') +
                    "\r\n\r\n") == 200);
}

TEST_CASE("how bytes arrive does not change what they mean") {
    auto random = tests::seeded_random();
    const std::vector<std::string> parts = {
        get("/a"),
        get("/b?c"),
        "\r\n",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
        "HEAD / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        "\x16\x03",
        "GET ",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "x"};
    for (int round = 0; round < 300; ++round) {
        std::string stream;
        for (int i = 0; i < 6; ++i)
            stream += parts[random() % parts.size()];
        const std::string at_once = steps_of(stream, stream.size());
        CAPTURE(stream);
        CHECK(steps_of(stream, 1) == at_once);
        CHECK(steps_of(stream, 1 + random() % 40) == at_once);
    }
}

TEST_CASE("a response's head is one head, whatever its fields hold") {
    response answer = plain_text(200, "hi");
    answer.headers.emplace_back("X-Bad\r\nInjected", "a\r\n\r\nb");
    const std::string head =
        head_of(answer, true, std::chrono::system_clock::from_time_t(784111777));
    CHECK(head ==
          "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
          "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n"
          "Connection: keep-alive\r\nX-Bad--Injected: a    b\r\n\r\n");
    CHECK(head_of(response{}, false, {}).find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("a response is read back") {
    response answer = plain_text(404, "nothing here");
    answer.headers.emplace_back("Allow", "GET");
    const auto got = parse_response(head_of(answer, false, {}) + *answer.body);
    REQUIRE(got.has_value());
    CHECK(got->status == 404);
    CHECK(got->content_type == "text/plain; charset=utf-8");
    CHECK(*got->body == "nothing here\n");
    const auto until_close = parse_response("HTTP/1.1 200 OK\r\n\r\nrest");
    REQUIRE(until_close.has_value());
    CHECK(*until_close->body == "rest");
}

TEST_CASE("a response that is none, or only half of one") {
    const auto class_of = [](std::string_view bytes) {
        const auto got = parse_response(bytes);
        return got.has_error() ? rt::to_string(got.error().code) : "fine";
    };
    CHECK(class_of("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") == "lost");
    CHECK(class_of("HTTP/1.1 200 OK\r\nContent-Le") == "lost");
    CHECK(class_of("HTTP/1.1 20") == "lost");
    CHECK(class_of("") == "lost");
    CHECK(class_of("220 mail.example ESMTP\r\n\r\n") == "protocol");
    CHECK(class_of("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n") == "protocol");
}
