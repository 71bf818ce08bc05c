#include "agent/app/config/address.hpp"
#include "agent/app/config/duration.hpp"
#include "agent/app/config/nearest_name.hpp"
#include "tests/support/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace primacy;
using namespace primacy::app;
using std::chrono::milliseconds;

TEST_CASE("the edit distance counts letters inserted, removed, replaced and swapped") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("mode", "mode") == 0);
    CHECK(edit_distance("", "mode") == 4);
    CHECK(edit_distance("mode", "") == 4);
    CHECK(edit_distance("pol", "poll") == 1);
    CHECK(edit_distance("polll", "poll") == 1);
    CHECK(edit_distance("pork", "port") == 1);
    CHECK(edit_distance("prot", "port") == 1);
    CHECK(edit_distance("abcd", "badc") == 2);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the edit distance is symmetric, and no longer than the longer name") {
    auto random = tests::seeded_random();
    auto word = [&random] {
        std::string made(random() % 8, 'a');
        for (char& letter : made)
            letter = static_cast<char>('a' + random() % 3);
        return made;
    };
    for (int i = 0; i < 2000; ++i) {
        const std::string one = word();
        const std::string other = word();
        const std::size_t distance = edit_distance(one, other);
        CAPTURE(one);
        CAPTURE(other);
        REQUIRE(distance == edit_distance(other, one));
        REQUIRE(distance <= std::max(one.size(), other.size()));
        REQUIRE((distance == 0) == (one == other));
    }
}

TEST_CASE("the nearest name is the one that was probably meant") {
    const std::vector<std::string_view> keys = {
        "mode", "poll_interval", "probe_timeout", "port", "tls", "ca", "warning"};
    CHECK(nearest_name("pol_interval", keys) == "poll_interval");
    CHECK(nearest_name("poll-interval", keys) == "poll_interval");
    CHECK(nearest_name("pollintervall", keys) == "poll_interval");
    CHECK(nearest_name("MODE", keys) == "mode");
    CHECK(nearest_name("prot", keys) == "port");
    // Four edits of thirteen letters are within a third of them, five are not.
    CHECK(nearest_name("probe_teimuot", keys) == "probe_timeout");
    CHECK(nearest_name("xxxxx_timeout", keys).empty());
    // In a name of three letters only one may be wrong, else everything would be near everything.
    CHECK(nearest_name("tsl", keys) == "tls");
    CHECK(nearest_name("xyz", keys).empty());
    CHECK(nearest_name("xy", keys).empty());
    CHECK(nearest_name("warn", keys) == "warning");
    CHECK(nearest_name("port_number", keys) == "port");
    CHECK(nearest_name("", keys).empty());
    CHECK(nearest_name("mode", {}).empty());
    CHECK(nearest_name(std::string(5000, 'm'), keys).empty());
    CHECK(did_you_mean("mod", keys) == "; did you mean \"mode\"?");
    CHECK(did_you_mean("wholly_different", keys).empty());
}

TEST_CASE("of equally near names the first is taken, of unequal ones the nearest") {
    CHECK(nearest_name("db4", {"db1", "db2"}) == "db1");
    CHECK(nearest_name("lab1", {"tab2", "tab1"}) == "tab1");
}

TEST_CASE("durations are a whole number and a unit") {
    CHECK(parse_duration("250ms") == milliseconds(250));
    CHECK(parse_duration("2s") == milliseconds(2000));
    CHECK(parse_duration("10m") == milliseconds(600000));
    CHECK(parse_duration("1h") == milliseconds(3600000));
    CHECK(parse_duration("0s") == milliseconds(0));
    CHECK(parse_duration("8760h") == milliseconds(8760LL * 3600000));
    for (const char* bad :
         {"", "5", "s", "-1s", "+1s", "1 s", " 1s", "1s ", "1.5s", "1S", "1d", "1m30s", "0x10s",
          "8761h", "99999999999999999999s", "9223372036854775807h", "ms", "1sec", "-0s"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_duration(bad));
    }
}

TEST_CASE("a duration is written in the largest unit that holds it, and reads back the same") {
    CHECK(to_text(milliseconds(0)) == "0s");
    CHECK(to_text(milliseconds(250)) == "250ms");
    CHECK(to_text(milliseconds(1500)) == "1500ms");
    CHECK(to_text(milliseconds(90000)) == "90s");
    CHECK(to_text(milliseconds(600000)) == "10m");
    CHECK(to_text(milliseconds(7200000)) == "2h");
    auto random = tests::seeded_random();
    for (int i = 0; i < 1000; ++i) {
        const milliseconds length(static_cast<std::int64_t>(random() % (8760ULL * 3600000)));
        REQUIRE(parse_duration(to_text(length)) == length);
    }
}

TEST_CASE("hosts are names or addresses, without a port and without tricks") {
    for (const char* good : {"db1", "db1.example.com", "db_1", "10.0.0.1", "::1", "fe80::1%eth0",
                             "2001:db8::5", "localhost", "db1.", "1db"}) {
        CAPTURE(good);
        CHECK(check_host(good).has_value());
    }
    for (const char* bad : {"", "10.0.0.256", "10.0.0", "db1:3306", "[::1]", ":::", "1:2:3", "a b",
                            "-db1", "db..example", ".db", "db1/x", "ü"}) {
        CAPTURE(bad);
        CHECK(check_host(bad).has_error());
    }
    CHECK(check_host(std::string(254, 'a')).has_error());
}

TEST_CASE("host and port are read together") {
    CHECK(parse_host_port("10.0.0.9:3306")->host == "10.0.0.9");
    CHECK(parse_host_port("10.0.0.9:3306")->port == 3306);
    CHECK(parse_host_port("[::1]:65535")->host == "::1");
    CHECK(parse_host_port("db9.example:1")->port == 1);
    for (const char* bad :
         {"", "db9", "db9:", "db9:0", "db9:65536", "db9:-1", "db9:+1", "db9:1x", ":3306",
          "::1:3306", "[::1]", "[]:3306", "[db9]:3306", "[::1:3306", "db9 :3306"}) {
        CAPTURE(bad);
        CHECK(parse_host_port(bad).has_error());
    }
}

TEST_CASE("a listener takes an address of this machine or none") {
    CHECK(parse_listen(":9963")->host.empty());
    CHECK(parse_listen("[::1]:9963")->host == "::1");
    CHECK(parse_listen("127.0.0.1:9963")->port == 9963);
    CHECK(parse_listen("localhost:9963").has_value());
    for (const char* bad : {"", ":", ":0", "9963", "db1:9963", "::1:9963", "[fe80::1%eth0]:9963"}) {
        CAPTURE(bad);
        CHECK(parse_listen(bad).has_error());
    }
}

TEST_CASE("the same address has one canonical form") {
    CHECK(canonical_address("DB1.Example.", 3306) == "db1.example:3306");
    CHECK(canonical_address("localhost", 3306) == canonical_address("127.0.0.1", 3306));
    CHECK(canonical_address("0:0:0:0:0:0:0:1", 3306) == canonical_address("::1", 3306));
    CHECK(canonical_address("::ffff:10.0.0.1", 3306) == canonical_address("10.0.0.1", 3306));
    CHECK(canonical_address("10.0.0.1", 3306) != canonical_address("10.0.0.1", 3307));
    CHECK(address_text("::1", 3306) == "[::1]:3306");
    CHECK(address_text("10.0.0.1", 3306) == "10.0.0.1:3306");
    CHECK(is_loopback("127.0.0.9"));
    CHECK(is_loopback("::1"));
    CHECK_FALSE(is_loopback("10.0.0.1"));
    CHECK_FALSE(is_loopback(""));
}
