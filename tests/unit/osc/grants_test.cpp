#include "osc/grants.hpp"

#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::osc;
using checks::flavor;
using checks::held_grants;
using lines = std::vector<std::string>;

namespace {

constexpr const char* copying =
    "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, ALTER, LOCK TABLES, TRIGGER ON "
    "`shop`.* TO `p`@`%`";

grant_question about(flavor kind, checks::server_version version) {
    grant_question made;
    made.kind = kind;
    made.version = version;
    made.account = "`p`@`%`";
    made.database = "shop";
    made.log_bin = true;
    return made;
}

}  // namespace

TEST_CASE("lines of SHOW GRANTS, quotes and patterns and all") {
    const auto line = checks::parse_grant(
        "GRANT SELECT (`a, b`), INSERT ON `we``i ON rd`.`t TO u` TO `p`@`%` IDENTIFIED BY "
        "PASSWORD '*AA' WITH GRANT OPTION");
    CHECK(line.privileges == std::set<std::string>{"SELECT (`A, B`)", "INSERT"});
    CHECK(line.database == "we`i ON rd");
    CHECK(line.table == "t TO u");
    CHECK(line.grantee == "`p`@`%`");
    CHECK(checks::parse_grant("GRANT `role` TO `p`@`%`").privileges.empty());
    CHECK(checks::parse_grant("nonsense").grantee.empty());
    CHECK(checks::parse_grant("").grantee.empty());

    const held_grants held({"GRANT SELECT ON `shop\\_eu`.* TO `p`@`%`",
                            "GRANT ALTER ON `sh%`.* TO `p`@`%`",
                            "GRANT DROP ON `shop`.`or_ers` TO `p`@`%`"});
    CHECK(held.on_database("SELECT", "shop_eu"));
    CHECK_FALSE(held.on_database("SELECT", "shopXeu"));
    CHECK(held.on_database("ALTER", "shop"));
    CHECK_FALSE(held.on_database("ALTER", "s"));
    CHECK(held.on_table("DROP", "shop", "or_ers"));
    CHECK_FALSE(held.on_table("DROP", "shop", "orders"));
    CHECK_FALSE(held.on_database("DROP", "shop"));
    CHECK_FALSE(held.any({"ALTER"}));
    CHECK(held.databases_with({"SELECT"}) == lines{"shop_eu"});
}

TEST_CASE("what planning does not see is told as the grant that shows it") {
    const auto asked = about(flavor::mariadb, {10, 11, 19});
    CHECK(missing_to_plan(held_grants({"GRANT PROCESS ON *.* TO `p`@`%`"}), asked) ==
          lines{"GRANT SELECT, TRIGGER ON `shop`.* TO `p`@`%`;"});
    CHECK(missing_to_plan(held_grants({copying}), asked) ==
          lines{"GRANT PROCESS ON *.* TO `p`@`%`;"});
    CHECK(missing_to_plan(held_grants({"GRANT ALL PRIVILEGES ON *.* TO `p`@`%`"}), asked).empty());
    auto other = asked;
    other.database = "my_db";
    CHECK(missing_to_plan(held_grants({"GRANT PROCESS ON *.* TO `p`@`%`"}), other) ==
          lines{"GRANT SELECT, TRIGGER ON `my\\_db`.* TO `p`@`%`;"});
}

// By runs of gh-ost 1.1.10 on MySQL 9.7.4 and MariaDB 11.8.6 with accounts that held just this.
TEST_CASE("gh-ost needs other words on each server") {
    const auto mysql = about(flavor::mysql, {9, 7, 4});
    lines held = {copying, "GRANT REPLICATION SLAVE ON *.* TO `p`@`%`"};
    CHECK(missing_for(tool::gh_ost, held_grants(held), mysql) ==
          lines{"GRANT REPLICATION CLIENT ON *.* TO `p`@`%`;"});
    held[1] = "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `p`@`%`";
    CHECK(missing_for(tool::gh_ost, held_grants(held), mysql).empty());

    auto maria = about(flavor::mariadb, {11, 8, 6});
    held[1] = "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `p`@`%`";
    CHECK(missing_for(tool::gh_ost, held_grants(held), maria) ==
          lines{"GRANT SUPER ON *.* TO `p`@`%`;", "GRANT SLAVE MONITOR ON *.* TO `p`@`%`;"});
    held[1] = "GRANT REPLICATION SLAVE, SUPER, BINLOG MONITOR, SLAVE MONITOR ON *.* TO `p`@`%`";
    CHECK(missing_for(tool::gh_ost, held_grants(held), maria).empty());
    held[1] = "GRANT REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR ON *.* TO `p`@`%`";
    maria.gh_ost_knows_mariadb = true;
    CHECK(missing_for(tool::gh_ost, held_grants(held), maria).empty());
    held[0] = "GRANT SELECT ON `shop`.* TO `p`@`%`";
    CHECK(missing_for(tool::gh_ost, held_grants(held), maria) ==
          lines{"GRANT ALTER, CREATE, DELETE, DROP, INDEX, INSERT, LOCK TABLES, TRIGGER, UPDATE ON "
                "`shop`.* TO `p`@`%`;"});
}

TEST_CASE("triggers need SUPER where there is a binary log, unless the server trusts others") {
    auto asked = about(flavor::mysql, {9, 7, 4});
    const held_grants held({copying, "GRANT PROCESS ON *.* TO `p`@`%`"});
    CHECK(missing_for(tool::pt_osc, held, asked) == lines{"GRANT SUPER ON *.* TO `p`@`%`;"});
    asked.trusts_trigger_creators = true;
    CHECK(missing_for(tool::pt_osc, held, asked).empty());
    asked.trusts_trigger_creators = false;
    asked.log_bin = std::nullopt;
    CHECK(missing_for(tool::pt_osc, held, asked).size() == 1);
    asked.log_bin = false;
    CHECK(missing_for(tool::pt_osc, held, asked).empty());
}

TEST_CASE("a native ALTER needs ALTER alone") {
    const auto asked = about(flavor::mysql, {9, 7, 4});
    CHECK(missing_for(tool::native, held_grants({"GRANT ALTER ON `shop`.* TO `p`@`%`"}), asked)
              .empty());
    CHECK(missing_for(tool::native, held_grants(), asked) ==
          lines{"GRANT ALTER ON `shop`.* TO `p`@`%`;"});
}
