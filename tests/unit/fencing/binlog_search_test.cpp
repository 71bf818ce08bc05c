#include "fencing/binlog_search.hpp"

#include "tests/support/random.hpp"
#include "tests/unit/fencing/made_up_binlog.hpp"

#include <doctest/doctest.h>

using namespace primacy::fencing;
using namespace primacy::tests;
using primacy::checks::flavor;
using primacy::checks::history_comparison;
using primacy::checks::mysql_gtid_set;

namespace {

history_comparison ranges(std::vector<primacy::checks::mariadb_excess::range> all) {
    history_comparison made;
    for (const auto& range : all)
        made.transactions += range.last - range.first + 1;
    made.ranges = std::move(all);
    return made;
}

history_comparison set(const std::string& text) {
    history_comparison made;
    made.gtids = *mysql_gtid_set::parse(text);
    made.transactions = made.gtids.count();
    return made;
}

struct search_run {
    binlog_findings found;
    int questions = 0;
};

search_run search(const made_up_binlog& log, const history_comparison& wanted,
                  std::size_t rows = 7) {
    binlog_search at_work(wanted, log.names(), log.end(), rows);
    search_run made;
    for (auto asked = at_work.next(); asked.what != binlog_step::done; asked = at_work.next()) {
        ++made.questions;
        REQUIRE(made.questions < 10'000);
        at_work.answer(log.rows(asked));
    }
    made.found = at_work.found();
    return made;
}

}  // namespace

TEST_CASE("the place of the first transaction is found in the file that holds it") {
    made_up_binlog log(flavor::mariadb);
    for (std::uint64_t i = 1; i <= 20; ++i)
        log.write(1, i);
    const auto first = log.write(3, 21);
    log.write(3, 22, 9);
    log.rotate();
    log.write(3, 23);
    const auto found = search(log, ranges({{0, 3, 21, 23}})).found;
    REQUIRE(found.first);
    CHECK(found.first->text() == first.text());
    CHECK(found.first->text() == "binlog.000001:2825");
    CHECK(found.seen == 3);
    CHECK(found.complete);
    CHECK(found.trouble == "");
}

TEST_CASE("a new file that holds only later ones is not where they begin") {
    made_up_binlog log(flavor::mariadb);
    const auto first = log.write(3, 1);
    log.rotate();
    log.rotate();
    log.write(3, 2);
    CHECK(search(log, ranges({{0, 3, 1, 2}})).found.first == first);
    CHECK(search(log, ranges({{0, 3, 2, 2}})).found.first->file == "binlog.000003");
}

TEST_CASE("numbers of other writers inside a range are not counted") {
    made_up_binlog log(flavor::mariadb);
    log.write(3, 10);
    log.write(1, 11);
    log.write(3, 12);
    const auto found = search(log, ranges({{0, 3, 10, 12}})).found;
    CHECK(found.seen == 2);
    CHECK(found.complete);
    // Nor what a running server wrote between telling its GTIDs and telling its position.
    log.write(3, 13);
    CHECK(search(log, ranges({{0, 3, 10, 12}})).found.seen == 2);
}

TEST_CASE("each range has its own beginning") {
    made_up_binlog log(flavor::mariadb);
    log.write(4, 1);
    const auto of_3 = log.write(3, 2);
    const auto of_4 = log.write(4, 3);
    const auto found = search(log, ranges({{0, 3, 2, 2}, {0, 4, 3, 3}})).found;
    CHECK(found.range_begins[0] == of_3);
    CHECK(found.range_begins[1] == of_4);
    CHECK(found.first == of_3);
    CHECK(found.complete);
}

TEST_CASE("what was purged is said to be, and no place is made up") {
    made_up_binlog log(flavor::mariadb);
    log.write(3, 1);
    log.rotate();
    log.write(3, 2);
    log.purge_oldest();
    const auto found = search(log, ranges({{0, 3, 1, 2}})).found;
    CHECK(!found.first);
    CHECK(found.trouble ==
          "what came first has been purged with the binary logs before binlog.000002");
}

TEST_CASE("MySQL's transactions are found by their set, with gaps and tags") {
    made_up_binlog log(flavor::mysql);
    log.write(1, 1);
    log.rotate();
    const auto first = log.write(3, 2);
    log.write(3, 3);
    log.rotate();
    log.write(3, 7);
    const std::string uuid = made_up_binlog::uuid_of(3);
    const auto found = search(log, set(uuid + ":2-3:7")).found;
    CHECK(found.first == first);
    CHECK(found.complete);
    log.purge_oldest();
    CHECK(search(log, set(uuid + ":2-3:7")).found.first == first);
    log.purge_oldest();
    CHECK(!search(log, set(uuid + ":2-3:7")).found.first);

    CHECK(gtid_of({4, "Gtid_tagged_log_event", "SET @@SESSION.GTID_NEXT= 'u:red:5'"}) == "u:red:5");
    CHECK(gtid_of({4, "Anonymous_Gtid", "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'"}) == "");
}

TEST_CASE("MariaDB words its GTIDs in several ways") {
    CHECK(gtid_of({4, "Gtid", "GTID 0-1-1"}) == "0-1-1");
    CHECK(gtid_of({4, "Gtid", "BEGIN GTID 0-1-5"}) == "0-1-5");
    CHECK(gtid_of({4, "Gtid", "BEGIN GTID 0-1-5 cid=77"}) == "0-1-5");
    CHECK(gtid_of({4, "Gtid", "XA START X'78',X'',1 GTID 0-1-6"}) == "0-1-6");
    CHECK(gtid_of({4, "Gtid", "GTID 0-1-7 START ALTER"}) == "0-1-7");
    CHECK(gtid_of({4, "Gtid_list", "[0-1-7]"}) == "");
    // A statement's text is somebody's data.
    CHECK(gtid_of({4, "Annotate_rows", "INSERT INTO t VALUES ('GTID 0-3-5')"}) == "");
}

TEST_CASE("what a server answers may be anything, and is never a place that was not there") {
    made_up_binlog log(flavor::mariadb);
    log.write(3, 1);
    binlog_search without_rows(ranges({{0, 3, 1, 1}}), log.names(), log.end(), 7);
    without_rows.answer({});
    CHECK(without_rows.next().what == binlog_step::done);
    CHECK(without_rows.found().trouble ==
          "binlog.000001 does not begin with the GTIDs of what was written before it");

    binlog_search rubbish(ranges({{0, 3, 1, 1}}), log.names(), log.end(), 7);
    rubbish.answer({{4, "Gtid_list", "[what?]"}});
    CHECK(!rubbish.found().first);
    CHECK(rubbish.next().what == binlog_step::done);

    binlog_search other_file(ranges({{0, 3, 1, 1}}), log.names(), {"binlog.000009", 4}, 7);
    CHECK(other_file.next().what == binlog_step::done);
    CHECK(other_file.found().trouble ==
          "its list of binary logs does not hold binlog.000009, which it writes");

    // The transaction is not there although the heads say so.
    CHECK(search(log, ranges({{0, 5, 1, 1}})).found.trouble == "they were not found in it");
}

TEST_CASE("when time runs out, what was found stays and the rest is not claimed") {
    made_up_binlog log(flavor::mariadb);
    const auto first = log.write(3, 1);
    for (std::uint64_t i = 2; i <= 50; ++i)
        log.write(3, i);
    binlog_search at_work(ranges({{0, 3, 1, 50}}), log.names(), log.end(), 10);
    for (int i = 0; i < 3; ++i)
        at_work.answer(log.rows(at_work.next()));
    at_work.give_up("time ran out");
    CHECK(at_work.next().what == binlog_step::done);
    CHECK(at_work.found().first == first);
    CHECK(!at_work.found().complete);
    CHECK(at_work.found().trouble == "time ran out");
}

TEST_CASE("what a running server wrote after it was compared does not count") {
    made_up_binlog log(flavor::mariadb);
    log.write(3, 1);
    const auto end = log.end();
    log.write(3, 3);
    binlog_search at_work(ranges({{0, 3, 1, 3}}), log.names(), end, 100);
    while (at_work.next().what != binlog_step::done)
        at_work.answer(log.rows(at_work.next()));
    CHECK(at_work.found().seen == 1);
    CHECK(at_work.found().complete);
}

// Random histories of three writers over many files, looked through in random portions, against a
// plain count.
TEST_CASE("random binary logs: the first place and the count are those of a plain look") {
    auto random = seeded_random();
    auto below = [&random](std::uint64_t limit) {
        return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random);
    };
    for (int round = 0; round < 300; ++round) {
        const bool mysql = below(2) == 1;
        made_up_binlog log(mysql ? flavor::mysql : flavor::mariadb);
        const std::uint64_t diverges = 1 + below(60);
        std::uint64_t last_lost = 0, count = 0, of_mysql = 0;
        std::optional<binlog_place> first;
        for (std::uint64_t sequence = 1; sequence <= diverges + below(60); ++sequence) {
            while (below(8) == 0)
                log.rotate();
            const bool lost = sequence >= diverges && below(3) != 0;
            const auto number = mysql && lost ? ++of_mysql : sequence;
            const auto at = log.write(lost ? 3 : 1, number, static_cast<int>(below(5)));
            if (!lost) continue;
            if (!first) first = at;
            last_lost = number;
            ++count;
        }
        if (!first) continue;
        history_comparison wanted;
        if (mysql)
            wanted = set(made_up_binlog::uuid_of(3) + ":1-" + std::to_string(last_lost));
        else
            wanted = ranges({{0, 3, diverges, last_lost}});
        const auto made = search(log, wanted, 2 + below(20));
        CAPTURE(round);
        REQUIRE(made.found.first == first);
        CHECK(made.found.complete);
        if (!mysql) CHECK(made.found.seen == count);
    }
}
