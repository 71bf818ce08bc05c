#include "fencing/sql_evidence.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

using namespace primacy::fencing;
using namespace primacy;

namespace {

const std::string uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string other_uuid = "aaaaaaaa-71ca-11e1-9e33-c80aa9429562";

sql_reading mariadb(const char* read_only, const char* gtid = "0-1-105") {
    sql_reading made;
    made.facts.kind = checks::flavor::mariadb;
    made.facts.server_id = 1;
    made.facts.read_only = checks::parse_read_only(read_only);
    made.facts.binlog_state = checks::mariadb_gtid_state::parse(gtid);
    made.binlog = "binlog.000007:4711";
    return made;
}

sql_reading mysql(const char* read_only, const char* super, std::string executed = uuid + ":1-9") {
    sql_reading made;
    made.facts.kind = checks::flavor::mysql;
    made.facts.uuid = uuid;
    made.facts.read_only = checks::parse_read_only(read_only);
    made.facts.super_read_only = checks::parse_switch(super);
    made.facts.executed = checks::mysql_gtid_set::parse(executed);
    made.binlog = "binlog.000007:4711";
    return made;
}

sql_evidence twice(const sql_reading& reading) {
    sql_evidence seen;
    seen.first = seen.second = reading;
    seen.bypass_accounts = {"'root'@'localhost'", "'primacy'@'%'"};
    seen.sessions = {{5, "primacy", "10.0.0.9:1", "Query", ""}};
    seen.own_user = "primacy";
    seen.server_hostname = "db1";
    return seen;
}

void check(const sql_conclusion& got, rung_outcome outcome, rung_failure reason, bool again) {
    CAPTURE(got.report.sentence);
    CHECK(got.report.outcome == outcome);
    CHECK(got.report.reason == reason);
    CHECK(got.another_round_may_help == again);
}

constexpr auto confirmed = rung_outcome::confirmed;
constexpr auto partial = rung_outcome::partial;
constexpr auto bypass = rung_failure::bypass;

}  // namespace

TEST_CASE("read-only twice, at rest, and only local accounts without a session: confirmed") {
    check(conclude("db1", twice(mariadb("ON"))), confirmed, rung_failure::none, false);
    check(conclude("db1", twice(mariadb("1"))), confirmed, rung_failure::none, false);
}

TEST_CASE("one writable reading is enough to say that it is not stopped") {
    auto seen = twice(mariadb("ON"));
    seen.second = mariadb("OFF");
    check(conclude("db1", seen), rung_outcome::failed, rung_failure::still_alive, true);
    std::swap(seen.first, seen.second);
    check(conclude("db1", seen), rung_outcome::failed, rung_failure::still_alive, true);
    check(conclude("db1", twice(mysql("OFF", "OFF"))), rung_outcome::failed,
          rung_failure::still_alive, true);
}

TEST_CASE("a read_only that nobody understands proves nothing") {
    check(conclude("db1", twice(mariadb("MAYBE"))), rung_outcome::unknown, rung_failure::protocol,
          false);
    check(conclude("db1", twice(mysql("ON", "PERHAPS"))), rung_outcome::unknown,
          rung_failure::protocol, false);
}

TEST_CASE("an account that passes read_only and can come over the network makes it partial") {
    auto seen = twice(mariadb("ON"));
    for (const char* account : {"'boss'@'%'", "'boss'@'10.0.0.7'", "'boss'@''", "PUBLIC"}) {
        seen.bypass_accounts = {"'root'@'localhost'", account};
        seen.sessions->clear();
        const auto got = conclude("db1", seen);
        check(got, partial, bypass, false);
        CHECK(got.report.sentence.find(account) != std::string::npos);
        CHECK(got.report.sentence.find("localhost") == std::string::npos);
    }
}

TEST_CASE("a local account makes it partial while it has a session") {
    auto seen = twice(mariadb("ON"));
    seen.sessions->push_back({9, "root", "localhost", "Sleep", ""});
    const auto got = conclude("db1", seen);
    check(got, partial, bypass, true);
    CHECK(got.report.sentence.find("'root' from localhost") != std::string::npos);
    seen.sessions->back().command = "Killed";
    check(conclude("db1", seen), confirmed, rung_failure::none, false);
}

TEST_CASE("an ordinary account's session does not matter") {
    auto seen = twice(mariadb("ON"));
    seen.sessions->push_back({9, "app", "10.0.0.7:1", "Query", ""});
    check(conclude("db1", seen), confirmed, rung_failure::none, false);
}

TEST_CASE("what we may not read is never evidence") {
    auto seen = twice(mariadb("ON"));
    seen.bypass_accounts.reset();
    check(conclude("db1", seen), partial, bypass, false);
    seen = twice(mariadb("ON"));
    seen.sessions.reset();
    check(conclude("db1", seen), partial, bypass, false);
}

// Seen on 9.7: SET GLOBAL super_read_only = ON waits for a running statement, ON is shown at once,
// and OFF again when it gives up.
TEST_CASE("super_read_only without read_only is just being set") {
    auto seen = twice(mysql("0", "1"));
    check(conclude("db1", seen), rung_outcome::unknown, rung_failure::timeout, true);
    seen.second = mysql("1", "1");
    check(conclude("db1", seen), rung_outcome::unknown, rung_failure::timeout, true);
    seen.first = mysql("1", "1");
    check(conclude("db1", seen), confirmed, rung_failure::none, false);
    seen.second = mysql("0", "1");
    check(conclude("db1", seen), rung_outcome::unknown, rung_failure::timeout, true);
}

TEST_CASE("super_read_only and NO_LOCK_NO_ADMIN stop every account") {
    for (const auto& reading : {mysql("ON", "ON"), mariadb("NO_LOCK_NO_ADMIN")}) {
        auto seen = twice(reading);
        seen.bypass_accounts = {"'boss'@'%'"};
        seen.sessions->push_back({9, "boss", "10.0.0.7:1", "Query", ""});
        check(conclude("db1", seen), confirmed, rung_failure::none, false);
        seen.bypass_accounts.reset();
        seen.sessions.reset();
        check(conclude("db1", seen), confirmed, rung_failure::none, false);
    }
    auto seen = twice(mysql("ON", "OFF"));
    seen.bypass_accounts = {"'boss'@'%'"};
    check(conclude("db1", seen), partial, bypass, false);
    seen = twice(mariadb("NO_LOCK"));
    seen.bypass_accounts = {"'boss'@'%'"};
    check(conclude("db1", seen), partial, bypass, false);
}

TEST_CASE("a history that moves is no fence, whatever the switches say") {
    auto seen = twice(mariadb("ON"));
    seen.second = mariadb("ON", "0-1-106");
    check(conclude("db1", seen), partial, bypass, true);
    seen = twice(mysql("ON", "ON"));
    seen.second = mysql("ON", "ON", uuid + ":1-10");
    check(conclude("db1", seen), partial, bypass, true);
}

TEST_CASE("what a server receives from another one is not its own writing") {
    CHECK_FALSE(
        own_writes_between(mariadb("ON", "0-1-105,0-2-200"), mariadb("ON", "0-1-105,0-2-201")));
    CHECK(own_writes_between(mariadb("ON", "0-2-200"), mariadb("ON", "0-1-201,0-2-200")));
    CHECK(own_writes_between(mariadb("ON", "0-1-5,7-1-5"), mariadb("ON", "0-1-5,7-1-6")));
    CHECK_FALSE(own_writes_between(mysql("ON", "ON", uuid + ":1-9"),
                                   mysql("ON", "ON", uuid + ":1-9," + other_uuid + ":1-3")));
    CHECK(own_writes_between(mysql("ON", "ON", other_uuid + ":1-3"),
                             mysql("ON", "ON", uuid + ":1," + other_uuid + ":1-3")));
    auto tagged = mysql("ON", "ON", uuid + ":1-9:red:1");
    CHECK(own_writes_between(mysql("ON", "ON", uuid + ":1-9"), tagged));
}

TEST_CASE("without GTIDs the binary log's position decides") {
    auto earlier = mysql("ON", "ON", "");
    auto later = earlier;
    CHECK_FALSE(own_writes_between(earlier, later));
    later.binlog = "binlog.000007:4712";
    CHECK(own_writes_between(earlier, later));
}

TEST_CASE("the facts of the last reading are kept") {
    auto seen = twice(mariadb("ON"));
    seen.bypass_accounts = {"'root'@'localhost'", "'boss'@'%'", "'primacy'@'%'"};
    const auto facts = conclude("db1", seen).report.facts;
    const auto has = [&](const char* name, const char* value) {
        return std::find(facts.begin(), facts.end(),
                         std::pair<std::string, std::string>(name, value)) != facts.end();
    };
    CHECK(has("read_only", "ON"));
    CHECK(has("gtid_after", "0-1-105"));
    CHECK(has("binlog_after", "binlog.000007:4711"));
    CHECK(has("bypass_accounts", "'root'@'localhost', 'boss'@'%'"));
}
