#include "fencing/drivers/isolating.hpp"

#include "fencing/drivers/detach.hpp"
#include "fencing/drivers/haproxy_text.hpp"
#include "fencing/drivers/proxysql_text.hpp"
#include "tests/support/random.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace primacy;
using namespace primacy::fencing;

namespace {

// As HAProxy 2.6.12 sent it, with db1 taken out by hand and db2 out because of its check.
const std::string states =
    "1\n"
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state "
    "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl "
    "srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
    "2 mysql 1 db1 127.0.0.1 0 1 1 1 0 1 0 0 0 0 0 0 - 19307 - 0 0 - - 0\n"
    "2 mysql 2 db2 127.0.0.1 0 32 1 1 1 1 0 2 0 0 0 0 - 19308 - 0 0 - - 0\n"
    "\n";

// The same, with most of the columns left out.
const std::string counts =
    "# pxname,svname,qcur,qmax,scur,smax,last_chk,\n"
    "mysql,db1,0,0,3,5,\"a, \"\"b\"\", c\",\n"
    "mysql,db2,1,0,0,5,,\n"
    "\n";

rt::errc state_error(const std::string& answer, const std::string& server = "db1") {
    const auto read = read_servers_state(answer, "mysql", server);
    REQUIRE_FALSE(read.has_value());
    return read.error().code;
}

rt::errc count_error(const std::string& answer) {
    const auto read = read_current_sessions(answer, "mysql", "db1");
    REQUIRE_FALSE(read.has_value());
    return read.error().code;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const std::size_t place = text.find(what);
    REQUIRE(place != std::string::npos);
    return text.replace(place, what.size(), by);
}

}  // namespace

TEST_CASE("only forced maintenance of that server counts") {
    const auto db1 = read_servers_state(states, "mysql", "db1");
    REQUIRE(db1.has_value());
    CHECK(db1->in_maintenance);
    CHECK(db1->address == "127.0.0.1:19307");
    const auto db2 = read_servers_state(states, "mysql", "db2");
    REQUIRE(db2.has_value());
    CHECK_FALSE(db2->in_maintenance);
    // Inherited (2), by configuration (4), and both drains (8, 16) can end by themselves or let
    // sessions live.
    for (const char* other : {"0", "2", "4", "8", "16", "62"}) {
        const auto read = read_servers_state(
            replaced(states, "127.0.0.1 0 1 1", "127.0.0.1 0 " + std::string(other) + " 1"),
            "mysql", "db1");
        REQUIRE(read.has_value());
        CHECK_FALSE(read->in_maintenance);
    }
    const auto both =
        read_servers_state(replaced(states, "127.0.0.1 0 1 1", "127.0.0.1 0 33 1"), "mysql", "db1");
    REQUIRE(both.has_value());
    CHECK(both->in_maintenance);
}

TEST_CASE("columns are found by name, whatever stands before them") {
    const auto read = read_servers_state(
        "1\n# new srv_admin_state be_name srv_name srv_port srv_addr\nx 1 mysql db1 1 h\n\n",
        "mysql", "db1");
    REQUIRE(read.has_value());
    CHECK(read->in_maintenance);
    CHECK(read->address == "h:1");
}

TEST_CASE("states that are not understood are no states") {
    CHECK(state_error("") == rt::errc::protocol);
    CHECK(state_error("\n") == rt::errc::protocol);
    CHECK(state_error("2" + states.substr(1)) == rt::errc::protocol);
    CHECK(state_error(states.substr(2)) == rt::errc::protocol);
    CHECK(state_error("1\n\n") == rt::errc::protocol);
    CHECK(state_error(replaced(states, "127.0.0.1 0 1 1", "127.0.0.1 0 -1 1")) ==
          rt::errc::protocol);
    CHECK(state_error(replaced(states, "srv_admin_state", "srv_admin")) == rt::errc::protocol);
    CHECK(state_error(replaced(states, " - - 0\n2", " - -\n2")) == rt::errc::protocol);
    CHECK(state_error(states, "db3") == rt::errc::config);
    CHECK(state_error("Can't find backend.\n\n") == rt::errc::config);
    CHECK(state_error("Permission denied\n\n") == rt::errc::denied);
    CHECK(state_error("Unknown command, but maybe\n\n") == rt::errc::protocol);
}

TEST_CASE("an answer that was cut off anywhere is no answer") {
    for (std::size_t length = 0; length < states.size(); ++length)
        CHECK_FALSE(read_servers_state(states.substr(0, length), "mysql", "db1").has_value());
    for (std::size_t length = 0; length < counts.size(); ++length)
        CHECK_FALSE(read_current_sessions(counts.substr(0, length), "mysql", "db1").has_value());
}

TEST_CASE("any bytes are read without a fault") {
    auto random = tests::seeded_random();
    const auto below = [&random](std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
    };
    for (std::size_t round = 0; round < 2000; ++round) {
        std::string text = round % 2 == 0 ? states : counts;
        for (std::size_t change = below(6) + 1; change > 0; --change)
            text[below(text.size())] = static_cast<char>(below(256));
        static_cast<void>(read_servers_state(text, "mysql", "db1"));
        static_cast<void>(read_current_sessions(text, "mysql", "db1"));
        static_cast<void>(read_acknowledgement(text));
    }
}

TEST_CASE("sessions are counted by name, also behind quoted commas") {
    CHECK(read_current_sessions(counts, "mysql", "db1").value() == 3);
    CHECK(read_current_sessions(counts, "mysql", "db2").value() == 0);
    CHECK(count_error(replaced(counts, "mysql,db1", "other,db1")) == rt::errc::config);
    CHECK(count_error(replaced(counts, "0,0,3,5", "0,0,,5")) == rt::errc::protocol);
    CHECK(count_error(replaced(counts, "scur", "scurr")) == rt::errc::protocol);
    CHECK(count_error(replaced(counts, "mysql,db1,0,0,3", "mysql,db1,0,3")) == rt::errc::protocol);
    CHECK(count_error("No such proxy.\n\n") == rt::errc::config);
    CHECK(count_error("") == rt::errc::protocol);
}

TEST_CASE("an act is acknowledged by nothing at all") {
    CHECK(read_acknowledgement("\n").has_value());
    CHECK(read_acknowledgement("\n\n").has_value());
    auto error = [](const char* answer) { return read_acknowledgement(answer).error().code; };
    CHECK(error("") == rt::errc::protocol);
    CHECK(error("No such server.\n\n") == rt::errc::config);
    CHECK(error("No such backend.\n\n") == rt::errc::config);
    CHECK(error("Permission denied\n\n") == rt::errc::denied);
    CHECK(error("Unknown command\n\n") == rt::errc::protocol);
}

TEST_CASE("each channel is stopped in its flavour's words") {
    using checks::flavor;
    CHECK(stop_statement(flavor::mariadb, {10, 11, 0}, "") == "STOP SLAVE ''");
    CHECK(stop_statement(flavor::mariadb, {11, 8, 0}, "from db2") == "STOP SLAVE 'from db2'");
    CHECK(stop_statement(flavor::mysql, {8, 0, 21}, "c") == "STOP SLAVE FOR CHANNEL 'c'");
    CHECK(stop_statement(flavor::mysql, {8, 0, 22}, "c") == "STOP REPLICA FOR CHANNEL 'c'");
    CHECK(stop_statement(flavor::mysql, {9, 7, 0}, "") == "STOP REPLICA FOR CHANNEL ''");
    for (const char* name : {"a'b", "a\\", "a\nb", "a\"b", "a`b"})
        CHECK(stop_statement(flavor::mysql, {8, 4, 0}, name).empty());
}

TEST_CASE("only plain names go into commands and statements") {
    for (const char* good : {"db1", "10.0.0.1", "fd00::1", "my-write_1"})
        CHECK(is_plain_name(good));
    for (const char* bad : {"", "a b", "a/b", "a;b", "a'b", "a\nb", "ä"})
        CHECK_FALSE(is_plain_name(bad));
}

TEST_CASE("ProxySQL is told about one server, and no statement has an end mark") {
    const proxysql_server all{"10.0.0.1", 3306, std::nullopt};
    const proxysql_server one{"10.0.0.1", 3306, 0};
    CHECK(proxysql_statements::take_out(all) ==
          "UPDATE mysql_servers SET status='OFFLINE_HARD' WHERE hostname='10.0.0.1' AND port=3306");
    CHECK(proxysql_statements::take_out(one) ==
          proxysql_statements::take_out(all) + " AND hostgroup_id=0");
    CHECK(proxysql_statements::connections(one) ==
          "SELECT ConnUsed FROM stats_mysql_connection_pool WHERE srv_host='10.0.0.1' AND "
          "srv_port=3306 AND hostgroup=0");
    const std::string edits =
        proxysql_statements::only_in("mysql_servers", "runtime_mysql_servers");
    CHECK(edits.find("FROM mysql_servers WHERE") < edits.find(" EXCEPT "));
    CHECK(edits.find("FROM runtime_mysql_servers WHERE") > edits.find(" EXCEPT "));
}

TEST_CASE("what is not OFFLINE_HARD is open") {
    const auto read = read_states(rt::sql::rows::from(
        {"status"}, {{"ONLINE"}, {"offline_hard"}, {"OFFLINE_SOFT"}, {"SHUNNED"}, {std::nullopt}}));
    REQUIRE(read.has_value());
    CHECK(read->known == 5);
    CHECK(read->open == 4);
    CHECK(read_states(rt::sql::rows::from({"x"}, {})).error().code == rt::errc::protocol);
    CHECK(read_numbers(rt::sql::rows::from({"ConnUsed"}, {{"0"}, {"12"}})).value() ==
          std::vector<std::uint64_t>{0, 12});
    for (const char* bad : {"", "-1", "1x", "99999999999999999999999"})
        CHECK(read_numbers(rt::sql::rows::from({"n"}, {{bad}})).error().code == rt::errc::protocol);
    CHECK(read_numbers(rt::sql::rows::from({"n"}, {{std::nullopt}})).has_error());
    CHECK(read_numbers(rt::sql::rows::from({"a", "b"}, {})).has_error());
}

TEST_CASE("an error before the act is a failure, and one after it or a silence is not known") {
    const fence_target target{"shop", "db1", "h", 3306, ""};
    CHECK(isolated_report(target, "done").outcome == rung_outcome::partial);
    CHECK(isolated_report(target, "done").reason == rung_failure::bypass);
    auto outcome = [](rt::errc code, bool acted) {
        return error_report({code, 0, "x"}, acted).outcome;
    };
    for (const auto code : {rt::errc::refused, rt::errc::denied, rt::errc::config, rt::errc::dns}) {
        CHECK(outcome(code, false) == rung_outcome::failed);
        CHECK(outcome(code, true) == rung_outcome::unknown);
    }
    for (const auto code : {rt::errc::timeout, rt::errc::lost, rt::errc::cancelled})
        CHECK(outcome(code, false) == rung_outcome::unknown);
    // A look that failed proves nothing; one that saw the server open does.
    CHECK(as_look(error_report({rt::errc::refused, 0, "x"}, false)).outcome ==
          rung_outcome::unknown);
    rung_report alive{rung_outcome::failed, rung_failure::still_alive, "x", {}};
    CHECK(as_look(alive).outcome == rung_outcome::failed);
}
