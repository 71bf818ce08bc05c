#include "fencing/sql_plan.hpp"

#include <doctest/doctest.h>

using namespace primacy::fencing;
using primacy::checks::flavor;

namespace {

sql_session client(std::uint64_t id, const char* user, const char* host = "10.0.0.7:51234",
                   const char* command = "Query", const char* state = "") {
    return {id, user, host, command, state};
}

std::string closing(flavor kind, primacy::checks::server_version version) {
    std::string all;
    for (const auto word : sql_statements_for(kind, version).close)
        all += std::string(word) + ";";
    return all;
}

}  // namespace

TEST_CASE("the strictest closing statement that a server may know comes first") {
    CHECK(closing(flavor::mariadb, {10, 4, 0}) == "SET GLOBAL read_only = ON;");
    CHECK(closing(flavor::mariadb, {11, 8, 6}) == "SET GLOBAL read_only = ON;");
    CHECK(closing(flavor::mariadb, {12, 0, 1}) ==
          "SET GLOBAL read_only = NO_LOCK_NO_ADMIN;SET GLOBAL read_only = ON;");
    CHECK(closing(flavor::mysql, {9, 7, 4}) ==
          "SET GLOBAL super_read_only = ON;SET GLOBAL read_only = ON;");
}

TEST_CASE("opening undoes both switches of MySQL, the stricter one first") {
    const auto words = sql_statements_for(flavor::mysql, {8, 4, 0}).open;
    REQUIRE(words.size() == 2);
    CHECK(words[0] == "SET GLOBAL super_read_only = OFF");
    CHECK(words[1] == "SET GLOBAL read_only = OFF");
    CHECK(sql_statements_for(flavor::mariadb, {12, 1, 0}).open.size() == 1);
}

TEST_CASE("the binary log's position has another statement on newer MySQL") {
    CHECK(sql_statements_for(flavor::mysql, {8, 0, 40}).binlog_position == "SHOW MASTER STATUS");
    CHECK(sql_statements_for(flavor::mysql, {8, 4, 0}).binlog_position == "SHOW BINARY LOG STATUS");
    CHECK(sql_statements_for(flavor::mariadb, {12, 0, 1}).binlog_position == "SHOW MASTER STATUS");
}

TEST_CASE("our own session is bounded in the words of its server") {
    CHECK(bound_own_session(flavor::mariadb, 1) ==
          "SET SESSION lock_wait_timeout = 1, SESSION max_statement_time = 3, "
          "SESSION wait_timeout = 30");
    CHECK(bound_own_session(flavor::mysql, 2) ==
          "SET SESSION lock_wait_timeout = 2, SESSION max_execution_time = 4000, "
          "SESSION wait_timeout = 30");
}

TEST_CASE("replication, the server's threads and our own account are no clients") {
    const auto role = [](const char* user, const char* command) {
        return role_of(client(1, user, "h:1", command), "primacy");
    };
    CHECK(role("repl", "Binlog Dump") == session_role::replication);
    CHECK(role("repl", "Binlog Dump GTID") == session_role::replication);
    CHECK(role("repl", "Register Slave") == session_role::replication);
    CHECK(role("repl", "Register Replica") == session_role::replication);
    CHECK(role("repl", "Query") == session_role::client);
    CHECK(role("system user", "Slave_IO") == session_role::server);
    CHECK(role("system user", "Slave_SQL") == session_role::server);
    CHECK(role("system user", "Slave_worker") == session_role::server);
    CHECK(role("system user", "Connect") == session_role::server);
    CHECK(role("system user", "Query") == session_role::server);
    CHECK(role("event_scheduler", "Daemon") == session_role::server);
    CHECK(role("unauthenticated user", "Connect") == session_role::server);
    CHECK(role("primacy", "Sleep") == session_role::own);
    CHECK(role("primacy", "Query") == session_role::own);
    CHECK(role("Primacy", "Query") == session_role::client);
    CHECK(role("root", "Query") == session_role::client);
    CHECK(role("app", "Sleep") == session_role::client);
}

TEST_CASE("what executes goes first, then everybody; who is ending is left alone") {
    const std::vector<sql_session> sessions = {
        client(10, "app", "h:1", "Query"),         client(11, "app", "h:1", "Sleep"),
        client(12, "app", "h:1", "Execute"),       client(13, "primacy", "h:1", "Query"),
        client(14, "repl", "h:1", "Binlog Dump"),  client(15, "app", "h:1", "Killed"),
        client(16, "system user", "", "Slave_SQL")};
    CHECK(blockers(sessions, "primacy", 0) == std::vector<std::uint64_t>{10, 12});
    CHECK(blockers(sessions, "primacy", 1) == std::vector<std::uint64_t>{10, 11, 12});
}

TEST_CASE("a semi-sync wait is known in both flavours' words") {
    CHECK(waits_for_acknowledgement(
        client(1, "app", "h:1", "Query", "Waiting for semi-sync ACK from slave")));
    CHECK(waits_for_acknowledgement(
        client(1, "app", "h:1", "Query", "Waiting for semi-sync ACK from replica")));
    CHECK_FALSE(waits_for_acknowledgement(client(1, "app", "h:1", "Query", "Sending data")));
}

TEST_CASE("accounts are read as they are listed, and written back the same") {
    for (const std::string text : {"'root'@'localhost'", "'o''brien'@'%'", "''@''", "PUBLIC",
                                   "'a@b'@'10.0.0.0/255.0.0.0'"}) {
        const auto account = parse_account(text);
        REQUIRE_MESSAGE(account, text);
        CHECK(account->text() == text);
    }
    CHECK(parse_account("'o''brien'@'%'")->user == "o'brien");
    for (const char* text : {"", "'root'", "'root'@", "'root'@'h", "'root'@'h'x", "'root'h'"})
        CHECK_FALSE_MESSAGE(parse_account(text), text);
}

TEST_CASE("only loopback, the socket and the server's own name are local") {
    const auto local = [](const char* host) {
        return parse_account(std::string("'root'@'") + host + "'")->is_local("db1");
    };
    CHECK(local("localhost"));
    CHECK(local("LOCALHOST"));
    CHECK(local("127.0.0.1"));
    CHECK(local("::1"));
    CHECK(local("db1"));
    CHECK_FALSE(local("%"));
    CHECK_FALSE(local(""));
    CHECK_FALSE(local("10.0.0.7"));
    CHECK_FALSE(local("local%"));
    CHECK_FALSE(parse_account("PUBLIC")->is_local("db1"));
    CHECK_FALSE(parse_account("'root'@'db1'")->is_local(""));
}

TEST_CASE("a session belongs to an account by user and host pattern") {
    const auto owns = [](const char* account, const char* user, const char* host) {
        return parse_account(account)->may_own(client(1, user, host));
    };
    CHECK(owns("'app'@'%'", "app", "10.0.0.7:5123"));
    CHECK(owns("'app'@'10.0.0._'", "app", "10.0.0.7:5123"));
    CHECK(owns("'app'@'10.%.7'", "app", "10.0.0.7:5123"));
    CHECK(owns("'app'@''", "app", "10.0.0.7:5123"));
    CHECK(owns("'app'@'10.0.0.0/255.0.0.0'", "app", "10.0.0.7:5123"));
    CHECK(owns("'root'@'localhost'", "root", "localhost"));
    CHECK(owns("'root'@'localhost'", "root", "127.0.0.1:5123"));
    CHECK(owns("PUBLIC", "anybody", "10.0.0.7:5123"));
    CHECK_FALSE(owns("'app'@'%'", "App", "10.0.0.7:5123"));
    CHECK_FALSE(owns("'app'@'10.0.0._'", "app", "10.0.0.77:5123"));
    CHECK_FALSE(owns("'root'@'localhost'", "root", "10.0.0.7:5123"));
}

TEST_CASE("sessions of accounts that pass: ours, replication and the ending are not among them") {
    const auto passing =
        foreign_accounts({"'root'@'localhost'", "'boss'@'%'", "'primacy'@'%'"}, "primacy");
    REQUIRE(passing.size() == 2);
    const std::vector<sql_session> sessions = {
        client(1, "root", "localhost", "Sleep"),     client(2, "boss", "10.0.0.7:1", "Query"),
        client(3, "boss", "10.0.0.7:2", "Killed"),   client(4, "boss", "10.0.0.7:3", "Binlog Dump"),
        client(5, "primacy", "10.0.0.7:4", "Query"), client(6, "app", "10.0.0.7:5", "Query")};
    std::vector<std::uint64_t> ids;
    for (const auto& session : sessions_of(passing, sessions, "primacy"))
        ids.push_back(session.id);
    CHECK(ids == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("an account that cannot be read may be anybody") {
    const auto passing = foreign_accounts({"'broken"}, "primacy");
    REQUIRE(passing.size() == 1);
    CHECK(passing[0].everybody);
}
