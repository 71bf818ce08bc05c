// Rows as servers sent them (MariaDB 10.11.19 and 11.8.6, MySQL 9.7.4), and what is made of them.
#include "osc/drivers/table_rows.hpp"

#include "osc/drivers/table_statements.hpp"

#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::osc;
using rt::sql::rows;
using std::nullopt;

namespace {

const std::vector<std::string> object_columns = {
    "TABLE_NAME",  "TABLE_TYPE",   "ENGINE",         "ROW_FORMAT",    "TABLE_ROWS",
    "DATA_LENGTH", "INDEX_LENGTH", "CREATE_OPTIONS", "TABLE_COMMENT", "CREATED"};

table_facts table_in(const rows& answer, const std::string& name) {
    table_facts made;
    made.name = {"shop", name};
    read_table(answer, made);
    return made;
}

rows variables(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::vector<std::vector<std::optional<std::string>>> data;
    for (const auto& [name, value] : pairs)
        data.push_back({name, value});
    return rows::from({"Variable_name", "Value"}, data);
}

}  // namespace

TEST_CASE("a table, its kinds, and what the server estimates of it") {
    const rows answer = rows::from(
        object_columns,
        {{"v", "VIEW", nullopt, nullopt, nullopt, nullopt, nullopt, nullopt, "VIEW", nullopt},
         {"part", "BASE TABLE", "InnoDB", "Dynamic", "3", "49152", "0", "partitioned", "",
          "1795598117"},
         {"parent", "BASE TABLE", "InnoDB", "Dynamic", "0", "16384", "16384", "", "", "1795598117"},
         {"ver", "SYSTEM VERSIONED", "InnoDB", "Dynamic", "0", "16384", "0", "", "",
          "1795598117"}});
    const auto parent = table_in(answer, "parent");
    CHECK(parent.exists);
    CHECK_FALSE(parent.is_view);
    CHECK_FALSE(parent.system_versioned);
    CHECK_FALSE(parent.partitioned);
    CHECK(parent.engine == "InnoDB");
    CHECK(parent.rows == 0);
    CHECK(parent.data_bytes == 16384);
    CHECK(parent.index_bytes == 16384);
    CHECK(parent.created_at == checks::wall_time(std::chrono::seconds(1795598117)));
    CHECK(parent.unread.empty());
    CHECK(table_in(answer, "part").partitioned);
    CHECK(table_in(answer, "ver").system_versioned);
    CHECK(table_in(answer, "v").is_view);
    CHECK_FALSE(table_in(answer, "v").rows.has_value());
    CHECK_FALSE(table_in(answer, "PARENT").exists);
    CHECK_FALSE(table_in(rows::from(object_columns, {}), "parent").exists);

    const auto objects = read_objects(answer, "db1", "shop");
    REQUIRE(objects.size() == 4);
    CHECK(objects[2].name == "parent");
    CHECK(objects[2].server == "db1");
    CHECK(objects[2].database == "shop");
}

TEST_CASE("a table that is locked by an ALTER is there, and nothing is known of it") {
    const rows answer =
        rows::from(object_columns, {{"orders", "BASE TABLE", nullopt, nullopt, nullopt, nullopt,
                                     nullopt, nullopt, "Lock wait timeout exceeded", nullopt}});
    const auto orders = table_in(answer, "orders");
    CHECK(orders.exists);
    REQUIRE(orders.unread.size() == 1);
    CHECK(orders.unread[0].find("Lock wait timeout exceeded") != std::string::npos);
}

TEST_CASE("columns and keys") {
    table_facts made;
    read_columns(rows::from({"COLUMN_NAME", "COLUMN_TYPE", "IS_NULLABLE", "GENERATION_EXPRESSION"},
                            {{"id", "int(11)", "NO", nullopt},
                             {"note", "varchar(20)", "YES", ""},
                             {"twice", "int(11)", "YES", "`id` * 2"}}),
                 made);
    REQUIRE(made.columns.size() == 3);
    CHECK(made.columns[1].nullable);
    CHECK_FALSE(made.columns[0].nullable);
    CHECK_FALSE(made.columns[1].generated);
    CHECK(made.columns[2].generated);
    CHECK(made.columns[1].type == "varchar(20)");

    read_keys(rows::from({"INDEX_NAME", "NON_UNIQUE", "COLUMN_NAME", "NULLABLE", "INDEX_TYPE"},
                         {{"PRIMARY", "0", "id", "", "BTREE"},
                          {"both", "0", "id", "", "BTREE"},
                          {"both", "0", "note", "YES", "BTREE"},
                          {"by_expression", "0", nullopt, "", "BTREE"},
                          {"words", "1", "note", "YES", "FULLTEXT"}}),
              made);
    REQUIRE(made.keys.size() == 4);
    CHECK(made.keys[1].columns == std::vector<std::string>{"id", "note"});
    CHECK(made.keys[1].nullable);
    CHECK(made.keys[2].nullable);
    CHECK_FALSE(made.keys[3].unique);
    CHECK(made.keys[3].fulltext);
    REQUIRE(made.row_identity() != nullptr);
    CHECK(made.row_identity()->name == "PRIMARY");
    made.keys.erase(made.keys.begin());
    CHECK(made.row_identity() == nullptr);
}

TEST_CASE("foreign keys both ways, with names as InnoDB writes them") {
    const std::vector<std::string> columns = {"ID", "FOR_NAME", "OWN", "REFERS"};
    table_facts made;
    read_foreign_keys(rows::from(columns, {{"shop/fk_p", "shop/child", "0", "1"},
                                           {"we@0020ird/f k", "we@0020ird/kind@0020@0p", "1", "0"},
                                           {"shop/itself", "shop/tree", "1", "1"}}),
                      made);
    CHECK(made.foreign_keys == std::vector<std::string>{"f k", "itself"});
    CHECK(made.referenced_by ==
          std::vector<std::string>{"fk_p of shop.child", "itself of shop.tree"});
    CHECK(readable_file_name("we@0020ird/ta@0060b@0027le@0020@0p@0022") == "we ird.ta`b'le @0p\"");
    CHECK(readable_file_name("a@") == "a@");
    CHECK(readable_file_name("a@00") == "a@00");
    CHECK(readable_file_name("a@zzzz/b/c") == "a@zzzz.b/c");
}

TEST_CASE("variables of a MariaDB and of a MySQL") {
    server_side side;
    auto settings = read_variables(variables({{"binlog_expire_logs_seconds", "0"},
                                              {"binlog_format", "ROW"},
                                              {"binlog_row_image", "FULL"},
                                              {"datadir", "/var/lib/mysql/"},
                                              {"expire_logs_days", "0.000000"},
                                              {"gtid_strict_mode", "ON"},
                                              {"hostname", "vm"},
                                              {"log_bin", "ON"},
                                              {"log_bin_compress", "OFF"},
                                              {"log_bin_trust_function_creators", "OFF"},
                                              {"log_slave_updates", "ON"},
                                              {"performance_schema", "OFF"},
                                              {"wsrep_on", "OFF"}}),
                                   side);
    CHECK(side.log_bin == true);
    CHECK(side.log_bin_compress == false);
    CHECK(side.gtid_strict_mode == true);
    CHECK(side.performance_schema == false);
    CHECK(side.galera == false);
    CHECK(side.binlog_format == "ROW");
    CHECK(side.binlog_kept_for_ever);
    CHECK_FALSE(side.binlog_kept.has_value());
    CHECK(settings.datadir == "/var/lib/mysql/");
    CHECK(settings.hostname == "vm");
    CHECK_FALSE(settings.trusts_trigger_creators);

    server_side mysql;
    read_variables(variables({{"binlog_expire_logs_auto_purge", "ON"},
                              {"binlog_expire_logs_seconds", "2592000"},
                              {"log_replica_updates", "ON"}}),
                   mysql);
    CHECK(mysql.binlog_kept == std::chrono::seconds(2592000));
    CHECK_FALSE(mysql.binlog_kept_for_ever);
    CHECK(mysql.log_slave_updates == true);
    CHECK(mysql.gtid_strict_mode == false);
    CHECK_FALSE(mysql.log_bin.has_value());
}

TEST_CASE("how long binary logs are kept: by days, never, by size, or nobody knows") {
    auto kept = [](const std::vector<std::pair<std::string, std::string>>& pairs) {
        server_side side;
        read_variables(variables(pairs), side);
        return std::pair(side.binlog_kept, side.binlog_kept_for_ever);
    };
    using std::chrono::seconds;
    CHECK(kept({{"expire_logs_days", "1.500000"}}) ==
          std::pair(std::optional(seconds(129600)), false));
    CHECK(kept({{"binlog_expire_logs_seconds", "60"}, {"expire_logs_days", "7"}}) ==
          std::pair(std::optional(seconds(60)), false));
    CHECK(kept({{"binlog_expire_logs_seconds", "60"}, {"binlog_expire_logs_auto_purge", "OFF"}}) ==
          std::pair(std::optional<seconds>(), true));
    CHECK(kept({{"max_binlog_total_size", "1000000"}, {"expire_logs_days", "0"}}) ==
          std::pair(std::optional<seconds>(), false));
    CHECK(kept({}) == std::pair(std::optional<seconds>(), false));
    CHECK(kept({{"expire_logs_days", "soon"}}) == std::pair(std::optional<seconds>(), false));
}

TEST_CASE("nothing is off when nothing was read") {
    server_side side;
    read_variables(variables({}), side);
    CHECK_FALSE(side.log_bin_compress.has_value());
    CHECK_FALSE(side.galera.has_value());
}

TEST_CASE("sessions count when they name this table of this database") {
    const std::vector<std::string> columns = {"USER", "HOST", "DB", "INFO"};
    const rows answer = rows::from(
        columns,
        {{"g", "h:1", "shop",
          "insert /* gh-ost `shop`.`orders` */ ignore into `shop`.`_orders_gho`"},
         {"g", "h:2", nullopt, "select /* gh-ost */ * from `shop`.`_orders_ghc`"},
         {"p", "h:3", "shop", "INSERT INTO `_orders_new` /*pt-online-schema-change 7 copy*/"},
         {"g", "h:4", "shop", "select /* gh-ost */ 1 from `shop`.`customers`"},
         {"g", "h:5", "other", "select /* gh-ost */ 1 from `orders`"},
         {"g", "h:6", "shop", nullopt}});
    CHECK(read_sessions(answer, {"shop", "orders"}) ==
          std::vector<std::string>{"gh-ost (g from h:1)", "gh-ost (g from h:2)",
                                   "pt-online-schema-change (p from h:3)"});
}

TEST_CASE("the disk of a directory is the one that is mounted nearest above it") {
    const rows answer = rows::from(
        {"Path", "Available"},
        {{"/", "100"}, {"/var/lib/mysql", "7"}, {"/var/lib/mysql2", "9"}, {"/var", "x"}});
    CHECK(read_disks(answer, "/var/lib/mysql/") == 7 * 1024);
    CHECK(read_disks(answer, "/var/lib/other") == 100 * 1024);
    CHECK_FALSE(read_disks(rows::from({"Path", "Available"}, {}), "/var/lib/mysql").has_value());
}

TEST_CASE("statements hold names as they are, whatever is in them") {
    const table_name name{"sh'op", "o`r_d%"};
    CHECK(triggers_statement(name).find("EVENT_OBJECT_SCHEMA = 'sh''op' AND EVENT_OBJECT_TABLE = "
                                        "'o`r_d%'") != std::string::npos);
    CHECK(create_statement(name) == "SHOW CREATE TABLE `sh'op`.`o``r_d%`");
    CHECK(keep_alter_statement(name, "ADD COLUMN a TEXT DEFAULT 'x'") ==
          "SET @primacy_alter = 'ALTER TABLE `sh''op`.`o``r_d%` ADD COLUMN a TEXT DEFAULT ''x'''");
    const std::string keys = foreign_keys_statement(name, checks::flavor::mariadb);
    CHECK(keys.find("LIKE 'sh%op/o%r|_d%' ESCAPE '|'") != std::string::npos);
    CHECK(keys.find("INNODB_SYS_FOREIGN") != std::string::npos);
    CHECK(foreign_keys_statement(name, checks::flavor::mysql).find("INNODB_FOREIGN") !=
          std::string::npos);
    const std::string objects = objects_statement({"shop", "a_b"});
    CHECK(objects.find("LIKE '|_a|_b|_______________|_del' ESCAPE '|'") != std::string::npos);
    CHECK(objects.find("'_a_b_gho'") != std::string::npos);
    CHECK(gh_ost_lock_statement({"shop", "orders"}) ==
          "SELECT IS_USED_LOCK('gh-ost::shop.orders') AS SESSION");
    CHECK(gh_ost_lock_statement({"shop", std::string(60, 'x')}).empty());
}

TEST_CASE("a session is bounded and only reads, in the words of each server") {
    using std::chrono::milliseconds;
    const auto maria = session_statements(checks::flavor::mariadb, {10, 11, 0}, milliseconds(2500));
    CHECK(maria == std::vector<std::string>{"SET NAMES utf8mb4",
                                            "SET SESSION max_statement_time = 2, SESSION "
                                            "lock_wait_timeout = 2",
                                            "SET SESSION TRANSACTION READ ONLY"});
    const auto mysql = session_statements(checks::flavor::mysql, {9, 7, 0}, milliseconds(2500));
    CHECK(mysql.size() == 4);
    CHECK(mysql[1] == "SET SESSION max_execution_time = 2500, SESSION lock_wait_timeout = 2");
    CHECK(session_statements(checks::flavor::mysql, {5, 7, 0}, milliseconds(2500)).size() == 3);
}
