#include "fencing/sql_grants.hpp"

#include <doctest/doctest.h>

using namespace primacy::fencing;
using primacy::checks::flavor;
using lines = std::vector<std::string>;

namespace {

lines missing(flavor kind, primacy::checks::server_version version, const lines& grants) {
    return missing_fence_grants(kind, version, grants, "`p`@`%`");
}

}  // namespace

TEST_CASE("what a MariaDB account lacks is told as the statements that mend it") {
    const lines monitor = {
        "GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO `p`@`%` IDENTIFIED BY PASSWORD "
        "'*AAAA'",
        "GRANT SELECT ON `mysql`.`global_priv` TO `p`@`%`",
        "GRANT SELECT ON `mysql`.`roles_mapping` TO `p`@`%`"};
    CHECK(missing(flavor::mariadb, {10, 11, 19}, monitor) ==
          lines{"GRANT READ_ONLY ADMIN ON *.* TO `p`@`%`;",
                "GRANT CONNECTION ADMIN ON *.* TO `p`@`%`;"});
    lines fencer = monitor;
    fencer[0] = "GRANT PROCESS, CONNECTION ADMIN, READ_ONLY ADMIN ON *.* TO `p`@`%`";
    CHECK(missing(flavor::mariadb, {10, 11, 19}, fencer).empty());
    fencer.pop_back();
    CHECK(missing(flavor::mariadb, {10, 11, 19}, fencer) ==
          lines{"GRANT SELECT ON mysql.roles_mapping TO `p`@`%`;"});
}

TEST_CASE("SUPER holds less with every version of MariaDB") {
    const lines super = {"GRANT SUPER, PROCESS, SELECT ON *.* TO `p`@`%`"};
    CHECK(missing(flavor::mariadb, {10, 4, 0}, super).empty());
    CHECK(missing(flavor::mariadb, {10, 6, 0}, super).empty());
    CHECK(missing(flavor::mariadb, {10, 11, 0}, super) ==
          lines{"GRANT READ_ONLY ADMIN ON *.* TO `p`@`%`;"});
    CHECK(missing(flavor::mariadb, {11, 8, 6}, super).size() == 2);
}

TEST_CASE("all privileges are enough only on everything") {
    CHECK(missing(flavor::mariadb, {11, 8, 6},
                  {"GRANT ALL PRIVILEGES ON *.* TO `p`@`%` WITH GRANT OPTION"})
              .empty());
    CHECK(missing(flavor::mariadb, {11, 8, 6}, {"GRANT ALL PRIVILEGES ON `app`.* TO `p`@`%`"})
              .size() == 5);
    CHECK(missing(flavor::mariadb, {11, 8, 6}, {"GRANT ALL PRIVILEGES ON `mysql`.* TO `p`@`%`"})
              .size() == 3);
}

TEST_CASE("MySQL names its privileges with underscores") {
    const lines some = {"GRANT PROCESS ON *.* TO `p`@`%`",
                        "GRANT CONNECTION_ADMIN ON *.* TO `p`@`%`"};
    CHECK(missing(flavor::mysql, {9, 7, 4}, some) ==
          lines{"GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO `p`@`%`;"});
    CHECK(missing(flavor::mysql, {9, 7, 4},
                  {"GRANT PROCESS ON *.* TO `p`@`%`",
                   "GRANT CONNECTION_ADMIN,SYSTEM_VARIABLES_ADMIN ON *.* TO `p`@`%`"})
              .empty());
    CHECK(missing(flavor::mysql, {5, 7, 44}, {"GRANT PROCESS, SUPER ON *.* TO 'p'@'%'"}).empty());
    CHECK(missing(flavor::mysql, {8, 4, 0}, {"GRANT `boss`@`%` TO `p`@`%`"}).size() == 3);
    CHECK(missing(flavor::mysql, {8, 4, 0}, {"nonsense", ""}).size() == 3);
}

TEST_CASE("the account is named as it stands, without its secret") {
    CHECK(grantee_of({"GRANT `r` TO `p`@`%`",
                      "GRANT USAGE ON *.* TO `p`@`10.%` IDENTIFIED BY PASSWORD '*AAAA'"}) ==
          "`p`@`10.%`");
    CHECK(grantee_of({}) == "");
}
