#include "fencing/loss.hpp"

#include <doctest/doctest.h>

using namespace primacy::fencing;
using primacy::checks::flavor;
using primacy::checks::history_comparison;
using primacy::checks::mysql_gtid_set;

namespace {

history_comparison of_mariadb() {
    history_comparison extra;
    extra.transactions = 4;
    extra.text = "0-3-6 to 0-3-9";
    extra.ranges = {{0, 3, 6, 9}};
    return extra;
}

binlog_home home() {
    binlog_home made;
    made.version = {10, 11, 19};
    made.folder = "/var/lib/mysql/";
    made.files = {"binlog.000001", "binlog.000002", "binlog.000003"};
    made.end = {"binlog.000003", 614};
    return made;
}

binlog_findings found_all() {
    binlog_findings found;
    found.first = binlog_place{"binlog.000002", 1530};
    found.range_begins = {found.first};
    found.seen = 4;
    found.complete = true;
    return found;
}

}  // namespace

TEST_CASE("a loss is told with its place and the command line that shows it") {
    loss made = loss_from("db3", of_mariadb());
    CHECK(text_of(made, "db1") ==
          "  db3 holds at most 4 transactions that db1 lacks: 0-3-6 to 0-3-9");
    add_place(made, of_mariadb(), found_all(), home());
    CHECK(text_of(made, "db1") ==
          "  db3 holds 4 transactions that db1 lacks: 0-3-6 to 0-3-9\n"
          "    in its binary log from binlog.000002:1530 to binlog.000003:614; on its host:\n"
          "    mariadb-binlog --verbose --start-position=1530 --stop-position=614 "
          "--do-domain-ids=0 --server-id=3 /var/lib/mysql/binlog.000002 "
          "/var/lib/mysql/binlog.000003");
}

TEST_CASE("an older server's tool does not know domains") {
    loss made = loss_from("db3", of_mariadb());
    auto old = home();
    old.version = {10, 6, 12};
    add_place(made, of_mariadb(), found_all(), old);
    CHECK(made.extract.at(0).find("--do-domain-ids") == std::string::npos);
    CHECK(made.extract.at(0).find(" --server-id=3 ") != std::string::npos);
}

TEST_CASE("each writer of a loss has a command line with its own beginning") {
    auto extra = of_mariadb();
    extra.ranges.push_back({1, 4, 2, 2});
    auto found = found_all();
    found.range_begins.push_back(binlog_place{"binlog.000003", 400});
    loss made = loss_from("db3", extra);
    add_place(made, extra, found, home());
    REQUIRE(made.extract.size() == 2);
    CHECK(made.extract[1] ==
          "mariadb-binlog --verbose --start-position=400 --stop-position=614 --do-domain-ids=1 "
          "--server-id=4 /var/lib/mysql/binlog.000003");
}

TEST_CASE("MySQL is extracted by its set, and what a shell would take apart is quoted") {
    history_comparison extra;
    extra.gtids = *mysql_gtid_set::parse("da7e34b3-e8ae-11f1-9f4c-02fc00000001:1-3:red:5");
    extra.transactions = extra.gtids.count();
    extra.text = extra.gtids.to_string();
    auto at = home();
    at.kind = flavor::mysql;
    at.folder = "/srv/it's a disk/$(reboot)/";
    auto found = found_all();
    found.range_begins.clear();
    found.seen = 1;
    loss made = loss_from("db3", extra);
    CHECK(made.counted);
    add_place(made, extra, found, at);
    CHECK(made.transactions == 4);
    REQUIRE(made.extract.size() == 1);
    CHECK(made.extract[0] ==
          "mysqlbinlog --verbose --start-position=1530 --stop-position=614 "
          "--include-gtids=da7e34b3-e8ae-11f1-9f4c-02fc00000001:1-3,"
          "da7e34b3-e8ae-11f1-9f4c-02fc00000001:red:5 "
          "'/srv/it'\\''s a disk/$(reboot)/binlog.000002' "
          "'/srv/it'\\''s a disk/$(reboot)/binlog.000003'");
}

TEST_CASE("encrypted files are read by way of the server") {
    auto found = found_all();
    found.encrypted = true;
    loss made = loss_from("db3", of_mariadb());
    add_place(made, of_mariadb(), found, home());
    CHECK(made.extract.at(0).find("--read-from-remote-server") != std::string::npos);
    CHECK(made.extract.at(0).ends_with(" binlog.000002 binlog.000003"));
    CHECK(made.remark.find("encrypted") != std::string::npos);
}

TEST_CASE("what is not known is said, and nothing is claimed in its place") {
    loss made = loss_from("db3", of_mariadb());
    binlog_findings none;
    none.range_begins.resize(1);
    none.trouble = "time ran out in binlog.000002";
    add_place(made, of_mariadb(), none, home());
    CHECK(text_of(made, "db1") ==
          "  db3 holds at most 4 transactions that db1 lacks: 0-3-6 to 0-3-9\n"
          "    where in its binary log is not known: time ran out in binlog.000002");
    CHECK(made.extract.empty());

    auto part = found_all();
    part.complete = false;
    part.seen = 2;
    part.trouble = "time ran out in binlog.000003";
    made = loss_from("db3", of_mariadb());
    add_place(made, of_mariadb(), part, home());
    CHECK(!made.counted);
    CHECK(made.transactions == 4);
    CHECK(made.remark ==
          "the binary log was not looked through to its end: time ran out in binlog.000003");

    history_comparison hidden;
    hidden.cannot_say = "a GTID set was not readable";
    CHECK(text_of(loss_from("db3", hidden), "db1") ==
          "  db3: what it holds beyond db1 is not known: a GTID set was not readable");
    hidden = {};
    hidden.perhaps_more = true;
    CHECK(text_of(loss_from("db3", hidden), "db1") ==
          "  db3 holds nothing that db1 lacks, as far as its history tells");
}

TEST_CASE("the journal keeps it all, and says when it was read") {
    loss made = loss_from("db3", of_mariadb());
    add_place(made, of_mariadb(), found_all(), home());
    made.after_stop = true;
    const auto facts = facts_of(made);
    using fact = std::pair<std::string, std::string>;
    REQUIRE(facts.size() == 6);
    CHECK(facts[0] == fact{"db3 read", "after it was stopped"});
    CHECK(facts[1] == fact{"db3 lost", "4 transactions"});
    CHECK(facts[2] == fact{"db3 gtids", "0-3-6 to 0-3-9"});
    CHECK(facts[3] == fact{"db3 first", "binlog.000002:1530"});
    CHECK(facts[4] == fact{"db3 end", "binlog.000003:614"});
    CHECK(facts[5] == fact{"db3 extract", made.extract.at(0)});

    made.gtids.assign(100'000, '1');
    CHECK(facts_of(made)[2].second == "too long for the journal; ask again");
    made.cannot_say = "it cannot be read";
    CHECK(facts_of(made)[1] == fact{"db3 lost", "not known: it cannot be read"});
}
