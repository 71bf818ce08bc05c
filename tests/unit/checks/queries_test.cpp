#include "checks/queries/queries.hpp"

#include "tests/unit/checks/captured_rows.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>

using namespace primacy;
using namespace primacy::checks;
using namespace primacy::checks::queries;
using captured::rows_of;

namespace {

server_facts facts_of(flavor kind) {
    server_facts facts;
    facts.kind = kind;
    return facts;
}

// A captured print with one piece of it replaced.
std::string altered(std::string_view print, std::string_view from, std::string_view to) {
    std::string text(print);
    const auto at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from);
    return text.replace(at, from.size(), to);
}

bool asks_for(std::string_view sql, std::string_view what) {
    return sql.find(what) != std::string_view::npos;
}

}  // namespace

TEST_CASE("MariaDB is never asked for what it answers with an error") {
    for (const auto version : {server_version{10, 4, 0}, {10, 11, 19}, {11, 8, 6}, {12, 1, 0}}) {
        const auto sent = statements_for(flavor::mariadb, version);
        CHECK_FALSE(asks_for(sent.fast, "super_read_only"));
        CHECK_FALSE(asks_for(sent.fast, "offline_mode"));
        CHECK(asks_for(sent.fast, "@@global.gtid_binlog_state"));
        CHECK(sent.replication == "SHOW ALL SLAVES STATUS");
        CHECK(sent.details.size() == 4);
    }
}

TEST_CASE("SUPER passes read_only on MariaDB up to 10.10 only") {
    const auto accounts = [](server_version version) {
        for (const auto& detail : statements_for(flavor::mariadb, version).details) {
            if (detail.what == detail::bypass_accounts) return detail.sql;
        }
        return std::string_view();
    };
    CHECK(accounts({10, 4, 0}) == accounts({10, 10, 7}));
    CHECK(accounts({10, 11, 0}) == accounts({12, 0, 2}));
    CHECK(accounts({10, 10, 7}) != accounts({10, 11, 0}));
    CHECK(asks_for(accounts({10, 11, 0}), "version_id"));
}

TEST_CASE("MySQL: words and tables change with the version") {
    const auto sent = [](int major, int minor, int patch) {
        return statements_for(flavor::mysql, {major, minor, patch});
    };
    CHECK(sent(5, 7, 44).replication == "SHOW SLAVE STATUS");
    CHECK(sent(8, 0, 21).replication == "SHOW SLAVE STATUS");
    CHECK(sent(8, 0, 22).replication == "SHOW REPLICA STATUS");
    CHECK(sent(9, 7, 4).replication == "SHOW REPLICA STATUS");

    CHECK(asks_for(sent(8, 0, 25).fast, "@@global.log_slave_updates"));
    CHECK(asks_for(sent(8, 0, 26).fast, "@@global.log_replica_updates"));
    CHECK_FALSE(asks_for(sent(9, 0, 0).fast, "@@global.log_slave_updates"));
    for (const auto& version : {sent(5, 7, 44), sent(8, 4, 0)}) {
        CHECK(asks_for(version.fast, "@@global.super_read_only"));
        CHECK(asks_for(version.fast, "@@global.gtid_executed"));
    }

    // 5.7 has no roles, no dynamic privileges and no variables_info.
    CHECK(sent(5, 7, 44).details.size() == 3);
    CHECK(sent(8, 0, 0).details.size() == 4);
    for (const auto& detail : sent(5, 7, 44).details) {
        CHECK_FALSE(asks_for(detail.sql, "RECURSIVE"));
        CHECK_FALSE(asks_for(detail.sql, "variables_info"));
    }
}

TEST_CASE("identity: flavour and version of real servers") {
    const auto mariadb = parse_identity(rows_of(captured::identity_10_11));
    REQUIRE(mariadb);
    CHECK(mariadb->kind == flavor::mariadb);
    CHECK(mariadb->version == server_version{10, 11, 19});
    CHECK(mariadb->version_text == "10.11.19-MariaDB-0+deb12u1-log");
    CHECK(mariadb->server_id == 1);

    const auto mysql = parse_identity(rows_of(captured::identity_9_7));
    REQUIRE(mysql);
    CHECK(mysql->kind == flavor::mysql);
    CHECK(mysql->version == server_version{9, 7, 4});
    CHECK(mysql->server_id == 12);

    // A version that an administrator replaced; the comment still tells.
    const auto disguised = parse_identity(
        rows_of("version: 10.6.1\nversion_comment: mariadb.org binary distribution\nserver_id: 5"));
    REQUIRE(disguised);
    CHECK(disguised->kind == flavor::mariadb);
}

TEST_CASE("identity: what is no answer is absent") {
    CHECK_FALSE(parse_identity(rt::sql::rows{}));
    CHECK_FALSE(parse_identity(rows_of("server_id: 1")));
    CHECK_FALSE(parse_identity(rows_of("version: 8.0.1\nversion_comment: x\nserver_id: NULL")));
    CHECK_FALSE(parse_identity(rows_of("version: 8.0.1\nversion_comment: x\nserver_id: -1")));
    CHECK_FALSE(parse_identity(rows_of("version: hello\nversion_comment: x\nserver_id: 1")));
    CHECK_FALSE(parse_identity(rows_of("version: NULL\nversion_comment: x\nserver_id: 1")));
    CHECK(parse_identity(rows_of("version: 8.0.1\nversion_comment: NULL\nserver_id: 1")));
}

TEST_CASE("fast: a MariaDB replica") {
    auto facts = facts_of(flavor::mariadb);
    REQUIRE(read_fast(rows_of(captured::fast_10_11), facts).has_value());
    CHECK(facts.read_only.is_on());
    CHECK(facts.read_only.text == "1");
    CHECK(facts.server_id == 2);
    CHECK(facts.binlog_state == mariadb_gtid_state::parse("0-1-30,0-2-31"));
    CHECK(facts.slave_pos == mariadb_gtid_state::parse("0-1-30"));
    CHECK(facts.log_slave_updates == true);
    CHECK(facts.log_bin == true);
    CHECK(facts.server_clock == wall_time(std::chrono::nanoseconds(1795300229'246950000)));
    CHECK_FALSE(facts.super_read_only);
    CHECK_FALSE(facts.offline_mode);
    CHECK_FALSE(facts.executed);
    CHECK(facts.writable() == false);
}

TEST_CASE("fast: a MySQL server that may be written to") {
    auto facts = facts_of(flavor::mysql);
    REQUIRE(read_fast(rows_of(captured::fast_9_7), facts).has_value());
    CHECK(facts.writable() == true);
    CHECK(facts.server_id == 12);
    CHECK(facts.uuid == "f147fd2b-e5f9-11f1-8ab8-02fc00000001");
    REQUIRE(facts.executed);
    CHECK(facts.executed->count() == 12);
    CHECK_FALSE(facts.binlog_state);
    CHECK(facts.super_read_only->is_off());
    CHECK(facts.offline_mode->is_off());

    const auto waits = altered(captured::fast_9_7, "super_read_only: 0", "super_read_only: 1");
    REQUIRE(read_fast(rows_of(waits), facts).has_value());
    CHECK_FALSE(facts.writable().has_value());
    const auto closed = altered(waits, "read_only: 0", "read_only: 1");
    REQUIRE(read_fast(rows_of(closed), facts).has_value());
    CHECK(facts.writable() == false);
}

TEST_CASE("fast: another flavour at the same address leaves nothing of the first") {
    auto facts = facts_of(flavor::mariadb);
    REQUIRE(read_fast(rows_of(captured::fast_10_11), facts).has_value());
    facts.kind = flavor::mysql;
    REQUIRE(read_fast(rows_of(captured::fast_9_7), facts).has_value());
    CHECK_FALSE(facts.binlog_state);
    CHECK_FALSE(facts.slave_pos);
    facts.kind = flavor::mariadb;
    REQUIRE(read_fast(rows_of(captured::fast_10_11), facts).has_value());
    CHECK_FALSE(facts.executed);
    CHECK_FALSE(facts.super_read_only);
    CHECK_FALSE(facts.offline_mode);
    CHECK(facts.uuid.empty());
}

TEST_CASE("fast: MariaDB 12 answers read_only with words") {
    auto facts = facts_of(flavor::mariadb);
    const auto with = [&](std::string_view word) {
        const auto line = "read_only: " + std::string(word);
        REQUIRE(read_fast(rows_of(altered(captured::fast_10_11, "read_only: 1", line)), facts)
                    .has_value());
        return facts.writable();
    };
    CHECK(with("OFF") == true);
    CHECK(with("NO_LOCK_NO_ADMIN") == false);
    CHECK_FALSE(with("LATER").has_value());
    CHECK_FALSE(with("NULL").has_value());
}

TEST_CASE("fast: what cannot be understood is absent, and the rest is kept") {
    auto facts = facts_of(flavor::mariadb);
    const auto print = altered(
        altered(altered(altered(captured::fast_10_11, "state: 0-1-30,0-2-31", "state: banana"),
                        "slave_pos: 0-1-30", "slave_pos: NULL"),
                "log_bin: 1", "log_bin: maybe"),
        "clock: 1795300229.246950", "clock: noon");
    REQUIRE(read_fast(rows_of(print), facts).has_value());
    CHECK(facts.read_only.is_on());
    CHECK_FALSE(facts.binlog_state);
    CHECK_FALSE(facts.slave_pos);
    CHECK_FALSE(facts.log_bin);
    CHECK_FALSE(facts.server_clock);
    CHECK(facts.log_slave_updates == true);
}

TEST_CASE("fast: clocks of every length, and none that would overflow") {
    auto facts = facts_of(flavor::mariadb);
    const auto clock = [&](std::string_view text) {
        const auto line = "clock: " + std::string(text);
        const auto print = altered(captured::fast_10_11, "clock: 1795300229.246950", line);
        REQUIRE(read_fast(rows_of(print), facts).has_value());
        return facts.server_clock;
    };
    const auto at = [](std::int64_t ns) { return wall_time(std::chrono::nanoseconds(ns)); };
    CHECK(clock("7") == at(7'000'000'000));
    CHECK(clock("7.") == at(7'000'000'000));
    CHECK(clock("7.5") == at(7'500'000'000));
    CHECK(clock("7.000000001") == at(7'000'000'001));
    CHECK(clock("7.1234567891") == at(7'123'456'789));
    for (const auto* text : {"-7.5", ".5", "7.5e9", "7.-5", "99999999999", "1e9", "7.5.5"}) {
        CHECK_MESSAGE(!clock(text), text);
    }
}

TEST_CASE("fast: an answer to another question is an error that names what is missing") {
    auto facts = facts_of(flavor::mysql);
    const auto wrong_flavor = read_fast(rows_of(captured::fast_10_11), facts);
    REQUIRE(wrong_flavor.has_error());
    CHECK(wrong_flavor.error().code == rt::errc::protocol);
    CHECK(wrong_flavor.error().message.find("super_read_only") != std::string::npos);

    facts.kind = flavor::mariadb;
    CHECK(read_fast(rt::sql::rows{}, facts).has_error());
    const auto twice = std::string("*** 1. row ***") + std::string(captured::fast_10_11) +
                       "*** 2. row ***" + std::string(captured::fast_10_11);
    CHECK(read_fast(rows_of(twice), facts).has_error());
    for (const auto* id : {"server_id: x", "server_id: NULL", "server_id: 4294967296"}) {
        const auto print = altered(captured::fast_10_11, "server_id: 2", id);
        const auto failure = read_fast(rows_of(print), facts);
        REQUIRE(failure.has_error());
        CHECK(failure.error().code == rt::errc::protocol);
    }
}

TEST_CASE("replication: a MariaDB replica that runs") {
    auto facts = facts_of(flavor::mariadb);
    REQUIRE(read_replication(rows_of(captured::mariadb_replica), facts).has_value());
    REQUIRE(facts.channels.size() == 1);
    const auto& channel = facts.channels[0];
    CHECK(channel.name.empty());
    CHECK(channel.source_host == "127.0.0.1");
    CHECK(channel.source_port == 33901);
    CHECK(channel.source_server_id == 1);
    CHECK(channel.source_uuid.empty());
    CHECK(channel.replicating());
    CHECK(channel.lag_seconds == 0);
    CHECK(channel.delay_seconds == 0);
    CHECK(channel.io_errno == 0);
    CHECK(channel.sql_error.empty());
    CHECK(channel.uses_gtid);
}

TEST_CASE("replication: a stopped channel and one that cannot connect") {
    auto facts = facts_of(flavor::mariadb);
    REQUIRE(read_replication(rows_of(captured::mariadb_two_channels), facts).has_value());
    REQUIRE(facts.channels.size() == 2);
    const auto& stopped = facts.channels[0];
    CHECK(stopped.io == io_thread::running);
    CHECK(stopped.sql == sql_thread::stopped);
    CHECK_FALSE(stopped.lag_seconds);
    CHECK(stopped.sql_errno == 1950);
    CHECK(stopped.sql_error.starts_with("An attempt was made to binlog GTID 0-1-31"));

    const auto& connecting = facts.channels[1];
    CHECK(connecting.name == "from-11-8");
    CHECK(connecting.source_host == "127.0.0.9");
    CHECK(connecting.source_port == 33999);
    CHECK(connecting.source_server_id == 0);
    CHECK(connecting.io == io_thread::connecting);
    CHECK(connecting.sql == sql_thread::running);
    CHECK(connecting.io_errno == 2003);
    CHECK(connecting.io_error.find("Connection refused") != std::string::npos);
    CHECK(connecting.delay_seconds == 3600);
    CHECK(connecting.uses_gtid);

    // The next answer leaves nothing of this one behind.
    REQUIRE(read_replication(rows_of(captured::mariadb_replica), facts).has_value());
    REQUIRE(facts.channels.size() == 1);
    CHECK(facts.channels[0].sql_error.empty());
    CHECK(facts.channels[0].lag_seconds == 0);
    REQUIRE(read_replication(rt::sql::rows{}, facts).has_value());
    CHECK(facts.channels.empty());
}

TEST_CASE("replication: MySQL in new words and in old ones") {
    auto facts = facts_of(flavor::mysql);
    REQUIRE(read_replication(rows_of(captured::mysql_9_7_replica), facts).has_value());
    REQUIRE(facts.channels.size() == 1);
    CHECK(facts.channels[0].replicating());
    CHECK(facts.channels[0].source_port == 33911);
    CHECK(facts.channels[0].source_server_id == 11);
    CHECK(facts.channels[0].source_uuid == "edb53ee4-e5f9-11f1-8b48-02fc00000001");
    CHECK(facts.channels[0].lag_seconds == 0);
    CHECK(facts.channels[0].uses_gtid);

    REQUIRE(read_replication(rows_of(captured::mysql_5_7_replica), facts).has_value());
    REQUIRE(facts.channels.size() == 1);
    CHECK(facts.channels[0].replicating());
    CHECK(facts.channels[0].name == "east");
    CHECK(facts.channels[0].source_host == "10.0.0.1");
    CHECK(facts.channels[0].source_port == 3306);
    CHECK(facts.channels[0].source_server_id == 7);
    CHECK(facts.channels[0].source_uuid == "3e11fa47-71ca-11e1-9e33-c80aa9429562");
    CHECK(facts.channels[0].lag_seconds == 12);
    CHECK(facts.channels[0].delay_seconds == 10);
    CHECK_FALSE(facts.channels[0].uses_gtid);
}

TEST_CASE("replication: the words of the threads") {
    auto facts = facts_of(flavor::mariadb);
    const auto threads = [&](std::string_view io, std::string_view sql) {
        const auto print = altered(
            altered(captured::mariadb_replica, "IO_Running: Yes", "IO_Running: " + std::string(io)),
            "SQL_Running: Yes", "SQL_Running: " + std::string(sql));
        REQUIRE(read_replication(rows_of(print), facts).has_value());
        return std::pair(facts.channels.at(0).io, facts.channels.at(0).sql);
    };
    CHECK(threads("No", "No") == std::pair(io_thread::stopped, sql_thread::stopped));
    CHECK(threads("Preparing", "Yes") == std::pair(io_thread::connecting, sql_thread::running));
    CHECK(threads("NULL", "NULL") == std::pair(io_thread::unknown, sql_thread::unknown));
    CHECK(threads("Sleeping", "Maybe") == std::pair(io_thread::unknown, sql_thread::unknown));
}

TEST_CASE("replication: the queues of Group Replication are no channels") {
    auto facts = facts_of(flavor::mysql);
    const auto print = std::string("*** 1. row ***\n") +
                       altered(captured::mysql_5_7_replica, "east", "group_replication_applier") +
                       "*** 2. row ***\n" + std::string(captured::mysql_5_7_replica);
    REQUIRE(read_replication(rows_of(print), facts).has_value());
    REQUIRE(facts.channels.size() == 1);
    CHECK(facts.channels[0].name == "east");
}

TEST_CASE("replication: rubbish in a number is that fact's absence, a missing column an error") {
    auto facts = facts_of(flavor::mariadb);
    auto print = altered(captured::mariadb_replica, "Master_Port: 33901", "Master_Port: 70000");
    print = altered(print, "Seconds_Behind_Master: 0", "Seconds_Behind_Master: -3");
    print = altered(print, "SQL_Delay: 0", "SQL_Delay: NULL");
    REQUIRE(read_replication(rows_of(print), facts).has_value());
    CHECK(facts.channels.at(0).source_port == 0);
    CHECK_FALSE(facts.channels.at(0).lag_seconds);
    CHECK(facts.channels.at(0).delay_seconds == 0);

    for (const auto* name : {"Master_Host", "Slave_IO_Running", "Slave_SQL_Running"}) {
        const auto renamed = altered(captured::mariadb_replica, name, "Something");
        const auto failure = read_replication(rows_of(renamed), facts);
        REQUIRE(failure.has_error());
        CHECK(failure.error().code == rt::errc::protocol);
    }
}
