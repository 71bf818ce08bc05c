// Who may ask: the Basic field, the hashes that are taken, and what a check costs.
#include "agent/app/http/basic_auth.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <doctest/doctest.h>

#include <crypt.h>
#include <memory>
#include <string>

using namespace primacy;
using namespace primacy::app::http;
using verdict = basic_auth::verdict;

namespace {

std::string bcrypt(const std::string& password,
                   const char* setting = "$2b$04$abcdefghijklmnopqrstuu") {
    const auto scratch = std::make_unique<crypt_data>();
    const char* hash = ::crypt_r(password.c_str(), setting, scratch.get());
    return hash == nullptr ? "" : hash;
}

struct guarded {
    explicit guarded(user_hashes users, std::size_t checks_at_once = 4) {
        auto made = basic_auth::make(std::move(users), pool, checks_at_once);
        REQUIRE(made.has_value());
        auth = *made;
    }
    ~guarded() { pool.join(); }

    verdict ask(const std::string& name, const std::string& password) {
        return tests::run_to_end(context, basic_auth::check(auth, credentials{name, password}));
    }

    boost::asio::io_context context;
    boost::asio::thread_pool pool{1};
    std::shared_ptr<basic_auth> auth;
};

std::string refusal_of(const std::string& name, const std::string& hash) {
    boost::asio::thread_pool pool(1);
    const auto made = basic_auth::make({{name, hash}}, pool, 4);
    pool.join();
    return made.has_error() ? made.error().message : "";
}

}  // namespace

TEST_CASE("the Basic field") {
    const auto given = parse_basic("Basic QWxhZGRpbjpvcGVuOnNlc2FtZQ==");
    REQUIRE(given.has_value());
    CHECK(given->name == "Aladdin");
    CHECK(given->password == "open:sesame");
    CHECK(parse_basic("basic   YTo=")->password.empty());
    CHECK(parse_basic("Basic Og==")->name.empty());
    for (const char* bad : {"", "Basic", "Basic ", "Bearer YTpi", "Basic YTpi=", "Basic YT!i",
                            "Basic YWI=", "Basic YTo=YTpi", "Basic YTpiAGM="}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_basic(bad).has_value());
    }
}

TEST_CASE("only the name's own password opens") {
    guarded door({{"ann", bcrypt("one")}, {"bob", bcrypt("two")}});
    CHECK(door.ask("ann", "one") == verdict::good);
    CHECK(door.ask("bob", "two") == verdict::good);
    CHECK(door.ask("ann", "two") == verdict::bad);
    CHECK(door.ask("ann", "") == verdict::bad);
    CHECK(door.ask("ann", "one ") == verdict::bad);
    CHECK(door.ask("", "one") == verdict::bad);
    // The hash that stands in for an unknown name's is a real one: its password must not open.
    CHECK(door.ask("carl", "one") == verdict::bad);
    CHECK(door.ask("carl", "one") == verdict::bad);
}

TEST_CASE("a published hash: a test vector of crypt_blowfish, under htpasswd's prefix") {
    const std::string hash = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    guarded door({{"ann", hash}});
    CHECK(door.ask("ann", "U*U") == verdict::good);
    CHECK(door.ask("ann", "U*V") == verdict::bad);
}

TEST_CASE("a proved password costs one hash, everything else one hash each time") {
    guarded door({{"ann", bcrypt("one")}});
    for (int i = 0; i < 5; ++i)
        CHECK(door.ask("ann", "one") == verdict::good);
    CHECK(door.auth->hashes_computed() == 1);
    for (int i = 0; i < 3; ++i)
        CHECK(door.ask("ann", "wrong") == verdict::bad);
    CHECK(door.auth->hashes_computed() == 4);
    for (int i = 0; i < 3; ++i)
        CHECK(door.ask("nobody", "one") == verdict::bad);
    CHECK(door.auth->hashes_computed() == 7);
    CHECK(door.ask("ann", "one") == verdict::good);
    CHECK(door.auth->hashes_computed() == 7);
}

TEST_CASE("no more checks at once than allowed, and none is counted for ever") {
    guarded door({{"ann", bcrypt("one")}}, 2);
    CHECK(door.ask("ann", "one") == verdict::good);
    tests::started<verdict> first(door.context, basic_auth::check(door.auth, {"ann", "x"}));
    tests::started<verdict> second(door.context, basic_auth::check(door.auth, {"ann", "y"}));
    tests::started<verdict> third(door.context, basic_auth::check(door.auth, {"ann", "z"}));
    tests::started<verdict> known(door.context, basic_auth::check(door.auth, {"ann", "one"}));
    CHECK(third.wait() == verdict::busy);
    CHECK(known.wait() == verdict::good);  // guessing does not lock out who is known
    CHECK(first.wait() == verdict::bad);
    CHECK(second.wait() == verdict::bad);
    CHECK(door.ask("ann", "z") == verdict::bad);
}

TEST_CASE("giving up ends the checks without a hash") {
    guarded door({{"ann", bcrypt("one")}});
    door.auth->give_up();
    CHECK(door.ask("ann", "one") == verdict::bad);
}

TEST_CASE("hashes that cannot be used are refused in a sentence without them") {
    const std::string good = bcrypt("one");
    CHECK(refusal_of("ann", good).empty());
    CHECK(refusal_of("ann", "plain").find("\"ann\" is not a bcrypt hash") != std::string::npos);
    CHECK(refusal_of("ann", "plain").find("plain") == std::string::npos);
    CHECK(refusal_of("ann", "$1$" + good.substr(3)).find("bcrypt") != std::string::npos);
    CHECK(refusal_of("ann", good.substr(0, 59)).find("bcrypt") != std::string::npos);
    CHECK(refusal_of("ann", good.substr(0, 59) + ":").find("bcrypt") != std::string::npos);
    CHECK(refusal_of("ann", "$2b$03" + good.substr(6)).find("bcrypt") != std::string::npos);
    CHECK(refusal_of("ann", "$2b$15" + good.substr(6)).find("cost 15") != std::string::npos);
    CHECK(refusal_of("a:b", good).find("cannot be a name") != std::string::npos);
    CHECK(refusal_of("", good).find("cannot be a name") != std::string::npos);
}
