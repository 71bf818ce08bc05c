// TLS and basic auth: who gets in, who does not, and what a reload changes.
#include "tests/support/poll_until.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/http_support.hpp"
#include "tests/unit/app/http_tls_support.hpp"

#include <doctest/doctest.h>

#include <crypt.h>
#include <fstream>
#include <memory>
#include <sys/stat.h>

using namespace primacy;
using namespace primacy::tests;
using namespace std::chrono_literals;

namespace {

void write_file(const std::string& path, const std::string& text, mode_t mode = 0600) {
    std::ofstream(path, std::ios::trunc) << text;
    ::chmod(path.c_str(), mode);
}

// Files of a server whose certificate `authority` signed.
struct tls_folder {
    temporary_directory directory;
    issued authority = issue("test authority", nullptr);
    issued server = issue("server", &authority);
    std::string cert = directory / "cert.pem";
    std::string key = directory / "key.pem";
    std::string clients = directory / "clients.pem";

    tls_folder() {
        write_file(cert, server.certificate);
        write_file(key, server.key);
        write_file(clients, authority.certificate);
    }
    running_server::options options(bool client_certificates = false) const {
        running_server::options chosen;
        chosen.tls = app::http::tls_files{cert, key, client_certificates ? clients : ""};
        return chosen;
    }
    std::string refusal(const app::http::tls_files& files) const {
        boost::asio::io_context context;
        running_server::options chosen;
        chosen.tls = files;
        auto made =
            app::http::server::listen_tcp(context.get_executor(), "127.0.0.1:0", chosen, {});
        return made.has_error() ? made.error().message : "";
    }
};

std::string bcrypt(const std::string& password) {
    const auto scratch = std::make_unique<crypt_data>();
    return ::crypt_r(password.c_str(), "$2b$04$abcdefghijklmnopqrstuu", scratch.get());
}

bool says(const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a client that trusts the certificate is served over TLS") {
    const tls_folder files;
    running_server server(files.options());
    tls_client ann(server.port(), files.authority.certificate);
    CHECK(ann.handshake_error() == "");
    CHECK(says(ann.exchange(get_request("/")), "hello\n"));
    CHECK(says(ann.exchange(get_request("/")), "hello\n"));  // keep-alive
    CHECK(ann.exchange(get_request("/large")).size() > 4 * 1024 * 1024);
    const issued other = issue("another authority", nullptr);
    tls_client wary(server.port(), other.certificate);
    CHECK(says(wary.handshake_error(), "certificate verify failed"));
    poll_until([&] { return server.counts().open == 1; });
}

TEST_CASE("nothing older than TLS 1.2") {
    const tls_folder files;
    running_server server(files.options());
    CHECK(tls_client(server.port(), files.authority.certificate, nullptr, TLS1_1_VERSION)
              .handshake_error() != "");
    CHECK(tls_client(server.port(), files.authority.certificate, nullptr, TLS1_2_VERSION)
              .handshake_error() == "");
}

TEST_CASE("with client_ca_file a client shows a certificate that it signed") {
    const tls_folder files;
    running_server server(files.options(true));
    const issued good = issue("prometheus", &files.authority);
    const issued stranger = issue("another authority", nullptr);
    const issued bad = issue("prometheus", &stranger);
    tls_client ann(server.port(), files.authority.certificate, &good);
    CHECK(says(ann.exchange(get_request("/")), "hello\n"));
    // In TLS 1.3 a client learns of its refusal only when it reads.
    tls_client without(server.port(), files.authority.certificate);
    CHECK(without.exchange(get_request("/")) == "");
    tls_client forged(server.port(), files.authority.certificate, &bad);
    CHECK(forged.exchange(get_request("/")) == "");
    poll_until([&] { return server.counts().open == 1; });
    CHECK(says(ann.exchange(get_request("/")), "hello\n"));
}

TEST_CASE("a client that is slow in its handshake, or speaks plain HTTP, is closed") {
    const tls_folder files;
    auto chosen = files.options();
    chosen.bounds.read = 50ms;
    running_server server(chosen);
    client silent(server.port());
    CHECK(silent.is_closed());
    client half(server.port());
    half.send(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    CHECK(half.is_closed());
    client plain(server.port());
    plain.send(get_request("/"));
    plain.read_some(4096, 15s);  // perhaps an alert
    CHECK(plain.is_closed());
    poll_until([&] { return server.counts().open == 0; });
}

TEST_CASE("a slow request over TLS hears 408 too") {
    const tls_folder files;
    auto chosen = files.options();
    chosen.bounds.read = 1s;
    running_server server(chosen);
    tls_client slow(server.port(), files.authority.certificate);
    CHECK(slow.exchange("GET / HTTP/1.1\r\n").starts_with("HTTP/1.1 408"));
}

TEST_CASE("stop ends TLS clients as well") {
    const tls_folder files;
    running_server server(files.options());
    tls_client idle(server.port(), files.authority.certificate);
    CHECK(says(idle.exchange(get_request("/")), "hello\n"));
    client in_handshake(server.port());
    poll_until([&] { return server.counts().open == 2; });
    server.stop(15s);
    CHECK(in_handshake.is_closed());
    CHECK(server.ended());
}

TEST_CASE("TLS files that do not fit are refused, each in one sentence") {
    const tls_folder files;
    const issued other = issue("other", nullptr);
    const std::string wrong = files.directory / "wrong.pem";
    write_file(wrong, other.key);
    CHECK(files.refusal({files.cert, wrong, ""}) ==
          "key_file " + wrong + " does not belong to the certificate in cert_file " + files.cert);
    CHECK(says(files.refusal({files.cert, "", ""}), "needs both cert_file and key_file"));
    const std::string missing = files.directory / "missing";
    CHECK(says(files.refusal({missing, files.key, ""}), missing));
    CHECK(says(files.refusal({missing, files.key, ""}), "No such file"));
    CHECK(says(files.refusal({files.cert, missing, ""}), "key_file"));
    CHECK(says(files.refusal({files.key, files.key, ""}), "holds no certificate"));
    CHECK(says(files.refusal({files.cert, files.cert, ""}), "holds no private key"));
    CHECK(says(files.refusal({files.cert, files.key, files.key}), "client_ca_file"));
    const std::string open = files.directory / "open.pem";
    write_file(open, files.server.key, 0644);
    CHECK(says(files.refusal({files.cert, open, ""}), "chmod 0640"));
    const std::string locked = files.directory / "locked.pem";
    write_file(locked, with_passphrase(files.server, "secret"));
    CHECK(says(files.refusal({files.cert, locked, ""}), "without a passphrase"));
    CHECK(files.refusal({files.cert, files.key, files.clients}) == "");
}

TEST_CASE("a reload takes new certificates, and keeps the old ones on an error") {
    const tls_folder files;
    running_server server(files.options());
    tls_client before(server.port(), files.authority.certificate);
    const issued newer = issue("newer authority", nullptr);
    const issued renewed = issue("server", &newer);

    write_file(files.key, renewed.key);  // half of a change: key and certificate do not fit
    std::string failure;
    server.on_loop([&](app::http::server& loop) {
        const auto done = loop.reload_tls();
        failure = done.has_error() ? done.error().message : "none";
    });
    CHECK(says(failure, "does not belong"));
    CHECK(tls_client(server.port(), files.authority.certificate).handshake_error() == "");

    write_file(files.cert, renewed.certificate);
    server.on_loop([&](app::http::server& loop) {
        const auto done = loop.reload_tls();
        failure = done.has_error() ? done.error().message : "none";
    });
    CHECK(failure == "none");
    CHECK(tls_client(server.port(), newer.certificate).handshake_error() == "");
    CHECK(tls_client(server.port(), files.authority.certificate).handshake_error() != "");
    CHECK(says(before.exchange(get_request("/")), "hello\n"));  // who is in stays in
}

TEST_CASE("basic auth: good, bad, missing, unreadable") {
    running_server::options chosen;
    chosen.users = {{"prometheus", bcrypt("secret")}};
    running_server server(chosen);
    client ann(server.port());
    const auto ask = [&](const std::string& field) {
        REQUIRE(ann.send(get_request("/echo", field)));
        return ann.read_reply();
    };
    const std::string good = "Authorization: Basic cHJvbWV0aGV1czpzZWNyZXQ=\r\n";
    const std::string wrong = "Authorization: Basic cHJvbWV0aGV1czp3cm9uZw==\r\n";
    CHECK(ask(good).body == "GET|/echo||127.0.0.1|prometheus|\n");
    for (const std::string& field :
         {std::string(), wrong, std::string("Authorization: Basic ???\r\n"),
          std::string("Authorization: Bearer x\r\n")}) {
        const reply got = ask(field);
        CHECK(got.status == 401);
        CHECK(says(got.head, "WWW-Authenticate: Basic realm="));
        CHECK(!says(got.body, "echo"));
    }
    REQUIRE(ann.send("PUT / HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK(ann.read_reply().status == 401);  // a stranger learns nothing, not even the methods
    CHECK(ask(good).status == 200);
}

TEST_CASE("users can be replaced while the server runs") {
    running_server::options chosen;
    chosen.users = {{"prometheus", bcrypt("secret")}};
    running_server server(chosen);
    client ann(server.port());
    const std::string field = "Authorization: Basic cHJvbWV0aGV1czpzZWNyZXQ=\r\n";
    const auto status = [&] {
        REQUIRE(ann.send(get_request("/", field)));
        return ann.read_reply().status;
    };
    CHECK(status() == 200);
    std::vector<bool> refused;
    server.on_loop([&](app::http::server& loop) {
        refused.push_back(loop.replace_users({{"prometheus", "not a hash"}}).has_error());
    });
    CHECK(status() == 200);
    server.on_loop([&](app::http::server& loop) {
        refused.push_back(loop.replace_users({{"prometheus", bcrypt("other")}}).has_error());
    });
    CHECK(status() == 401);
    CHECK(refused == std::vector<bool>{true, false});
}

TEST_CASE("stop does not wait for a queue of password checks") {
    running_server::options chosen;
    chosen.users = {{"ann", bcrypt("x").replace(4, 2, "10")}};
    running_server server(chosen);
    const std::string guess = get_request("/", "Authorization: Basic YW5uOng=\r\n");
    std::vector<client> guessers;
    for (int i = 0; i < 15; ++i)
        guessers.emplace_back(server.port());
    auto begun = std::chrono::steady_clock::now();
    REQUIRE(guessers[0].send(guess));
    CHECK(guessers[0].read_reply().status == 401);
    const auto one_check = std::chrono::steady_clock::now() - begun;
    for (auto& one : guessers)
        REQUIRE(one.send(guess));
    client good(server.port());
    CHECK(good.get("/").status == 401);  // without a password there is nothing to compute
    server.stop(0ms);
    begun = std::chrono::steady_clock::now();
    CHECK(server.ended());
    CHECK(std::chrono::steady_clock::now() - begun < 8 * one_check);
}
