#include "checks/gtid.hpp"

#include "tests/support/random.hpp"
#include "tests/unit/checks/gtid_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace primacy::checks;
using namespace gtid_support;

namespace {

const std::string uuid_a = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string uuid_b = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

}  // namespace

TEST_CASE("MariaDB positions: what the server prints is read, sorted by domain and server") {
    CHECK(state("").empty());
    CHECK(state("0-1-100").entries() == std::vector<mariadb_gtid>{{0, 1, 100}});
    CHECK(state("1-7-3, 0-2-90,\n0-1-100").to_string() == "0-1-100,0-2-90,1-7-3");
    CHECK(state("4294967295-4294967295-18446744073709551615").to_string() ==
          "4294967295-4294967295-18446744073709551615");
    CHECK(state("0-1-100,0-2-90").sequence_of(0, 2) == 90);
    CHECK_FALSE(state("0-1-100,0-2-90").sequence_of(0, 3));
    CHECK_FALSE(state("0-1-100,0-2-90").sequence_of(1, 1));
}

TEST_CASE("MariaDB positions: rubbish is refused") {
    for (const auto* text :
         {"0", "0-1", "0-1-", "-1-1", "0--1", "0-1-2-3", "0-1-x", "0-1-2,", ",0-1-2",
          "0-1-2,,0-2-3", "0 -1-2", "+0-1-2", "4294967296-1-1", "0-4294967296-1",
          "0-1-18446744073709551616", "0-1-5,0-1-6", "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"}) {
        CHECK_MESSAGE(!mariadb_gtid_state::parse(text), text);
    }
}

TEST_CASE("MySQL sets: what the server prints is read, joined and sorted") {
    CHECK(gtid_set("").empty());
    CHECK(gtid_set(uuid_a + ":1-5").to_string() == uuid_a + ":1-5");
    CHECK(gtid_set(uuid_a + ":7").to_string() == uuid_a + ":7");
    CHECK(gtid_set(uuid_a + ":6-9:1-5:20:8-12").to_string() == uuid_a + ":1-12:20");
    CHECK(gtid_set(uuid_b + ":1,\n" + uuid_a + ":1-3").to_string() ==
          uuid_a + ":1-3," + uuid_b + ":1");
    CHECK(gtid_set("3E11FA47-71CA-11E1-9E33-C80AA9429562:1").to_string() == uuid_a + ":1");
    CHECK(gtid_set(uuid_a + ":1-5:red:1-3:9:blue:7").to_string() ==
          uuid_a + ":1-5," + uuid_a + ":blue:7," + uuid_a + ":red:1-3:9");
    CHECK(gtid_set(uuid_a + ":red:1") == gtid_set(uuid_a + ":Red:1"));
}

TEST_CASE("MySQL sets: rubbish is refused") {
    const std::string long_tag(33, 'x');
    for (const auto& text :
         {std::string("0-1-100"), uuid_a, uuid_a + ":", uuid_a + ":0", uuid_a + ":5-3",
          uuid_a + ":1-", uuid_a + ":-1", uuid_a + ":1-2-3", uuid_a + ":1,", "," + uuid_a + ":1",
          uuid_a + ":red", uuid_a + ":red:blue:1", uuid_a + ":1:red",
          uuid_a + ":" + long_tag + ":1", uuid_a + ":re-d:1", uuid_a + ":9223372036854775808",
          uuid_a.substr(1) + ":1", "g" + uuid_a.substr(1) + ":1"}) {
        CHECK_MESSAGE(!mysql_gtid_set::parse(text), text);
    }
}

TEST_CASE("MySQL sets: counting, also of more than can be counted") {
    CHECK(gtid_set("").count() == 0);
    CHECK(gtid_set(uuid_a + ":1-5:7," + uuid_b + ":red:3").count() == 7);
    const std::string all = ":1-9223372036854775807";
    CHECK(gtid_set(uuid_a + all).count() == 9223372036854775807ULL);
    CHECK(gtid_set(uuid_a + all + ":red" + all + ":blue" + all).count() == 18446744073709551615ULL);
}

TEST_CASE("MySQL sets: an errant transaction is what remains") {
    const auto replica = gtid_set(uuid_a + ":1-100," + uuid_b + ":1-2");
    const auto primary = gtid_set(uuid_a + ":1-120");
    CHECK(replica.minus(primary).to_string() == uuid_b + ":1-2");
    CHECK(primary.minus(replica).to_string() == uuid_a + ":101-120");
    CHECK_FALSE(primary.contains(replica));
    CHECK(primary.contains(gtid_set(uuid_a + ":1-100")));
    // Same uuid, other tag: other transactions.
    CHECK_FALSE(primary.contains(gtid_set(uuid_a + ":red:1")));
}

namespace {

// A set of transactions the slow and obvious way.
using naive_set = std::set<std::pair<std::string, std::uint64_t>>;

struct both {
    mysql_gtid_set fast;
    naive_set slow;
};

naive_set naive_of(const mysql_gtid_set& set) {
    // to_string writes "key:interval:interval,…", where the key may hold one colon itself.
    naive_set result;
    const auto text = set.to_string();
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        auto element = text.substr(begin, end - begin);
        begin = end + 1;
        auto key_end = element.find(':');
        if (element[key_end + 1] >= 'a') key_end = element.find(':', key_end + 1);
        const auto key = element.substr(0, key_end);
        element.erase(0, key_end + 1);
        for (std::size_t at = 0; at < element.size();) {
            const auto stop = std::min(element.find(':', at), element.size());
            const auto part = element.substr(at, stop - at);
            const auto dash = part.find('-');
            const auto first = std::stoull(part);
            const auto last =
                dash == std::string::npos ? first : std::stoull(part.substr(dash + 1));
            for (auto n = first; n <= last; ++n)
                result.emplace(key, n);
            at = stop + 1;
        }
    }
    return result;
}

both random_set(std::mt19937_64& random) {
    const std::vector<std::string> keys = {uuid_a, uuid_a + ":red", uuid_b, uuid_b + ":blue"};
    both made;
    std::string text;
    for (int elements = static_cast<int>(random() % 5); elements > 0; --elements) {
        const auto& key = keys[random() % keys.size()];
        if (!text.empty()) text += ", \n";
        text += key;
        for (int parts = 1 + static_cast<int>(random() % 4); parts > 0; --parts) {
            const std::uint64_t first = 1 + random() % 30;
            const std::uint64_t last = first + random() % 8;
            text += ':' + std::to_string(first);
            if (last != first) text += '-' + std::to_string(last);
            for (auto n = first; n <= last; ++n)
                made.slow.emplace(key, n);
        }
    }
    made.fast = gtid_set(text);
    return made;
}

}  // namespace

TEST_CASE("MySQL sets agree with sets of single transactions (random)") {
    auto random = primacy::tests::seeded_random();
    for (int round = 0; round < 2000; ++round) {
        CAPTURE(round);
        const auto a = random_set(random);
        const auto b = random_set(random);
        CAPTURE(a.fast.to_string());
        CAPTURE(b.fast.to_string());
        auto expected_union = a.slow;
        expected_union.insert(b.slow.begin(), b.slow.end());
        naive_set expected_difference;
        for (const auto& one : a.slow) {
            if (!b.slow.contains(one)) expected_difference.insert(one);
        }
        REQUIRE(naive_of(a.fast) == a.slow);
        REQUIRE(a.fast.count() == a.slow.size());
        REQUIRE(naive_of(a.fast.united(b.fast)) == expected_union);
        REQUIRE(naive_of(a.fast.minus(b.fast)) == expected_difference);
        REQUIRE(b.fast.contains(a.fast) == expected_difference.empty());

        // Laws that also need the results to be in normal form, so that == means equal.
        REQUIRE(gtid_set(a.fast.to_string()) == a.fast);
        REQUIRE(a.fast.united(b.fast) == b.fast.united(a.fast));
        REQUIRE(a.fast.minus(b.fast).united(b.fast) == a.fast.united(b.fast));
        REQUIRE(a.fast.minus(a.fast).empty());
        REQUIRE(a.fast.united(b.fast).contains(a.fast));
    }
}
