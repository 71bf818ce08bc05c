// What is said of native ALTERs against what real servers did: native_rows.txt.
#include "osc/native.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace primacy::osc;
using primacy::checks::flavor;
using primacy::checks::server_version;

namespace {

struct server {
    const char* name;
    flavor kind;
    server_version version;
};

// In the order of the columns of native_rows.txt.
const std::vector<server> servers = {{"MariaDB 10.11", flavor::mariadb, {10, 11, 19}},
                                     {"MariaDB 11.8", flavor::mariadb, {11, 8, 9}},
                                     {"MySQL 9.7", flavor::mysql, {9, 7, 4}}};

void add_key(table_facts& table, const char* name, const char* column, bool unique = false,
             bool fulltext = false) {
    const bool nullable = table.column(column) && table.column(column)->nullable;
    table.keys.push_back({name, unique, nullable, fulltext, {column}});
}

// The tables of the runs: id, a to e, and what the name says.
table_facts table_called(const std::string& name) {
    table_facts made;
    made.exists = true;
    made.engine = "InnoDB";
    made.row_format = name == "compressed"  ? "Compressed"
                      : name == "redundant" ? "Redundant"
                                            : "Dynamic";
    const bool keys = name != "nokey";
    made.columns = {{"id", "bigint(20)", !keys, false},  {"a", "int(11)", false, false},
                    {"b", "varchar(50)", true, false},   {"c", "int(11)", true, false},
                    {"d", "decimal(10,2)", true, false}, {"e", "varchar(20)", !keys, false}};
    if (keys) {
        add_key(made, "PRIMARY", "id", true);
        add_key(made, "ia", "a");
    }
    made.partitioned = name == "partitioned";
    if (keys && !made.partitioned) add_key(made, "uc", "c", true);
    if (name == "fulltext") add_key(made, "fb", "b", false, true);
    if (name == "virtual" || name == "virtindex" || name == "stored")
        made.columns.push_back({"v", "int(11)", true, true});
    if (name == "virtindex") add_key(made, "iv", "v");
    if (name == "child" || name == "cascade") {
        made.columns.push_back({"pid", "int(11)", true, false});
        made.foreign_keys = {"fp"};
        add_key(made, "fp", "pid");
    }
    made.system_versioned = name == "versioned";
    if (name == "trigger") made.triggers = {"tr"};
    return made;
}

// Accepted algorithms of each server by table and clauses.
using answers = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

answers recorded() {
    std::ifstream file(std::string(OSC_TEST_DIRECTORY) + "/native_rows.txt");
    answers made;
    std::string line;
    while (std::getline(file, line)) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        std::string table, clauses;
        std::vector<std::string> accepted(servers.size());
        words >> table;
        for (auto& each : accepted)
            words >> each;
        std::getline(words >> std::ws, clauses);
        made[{table, clauses}] = accepted;
    }
    return made;
}

char letter_of(native_algorithm which) {
    return "INPC-"[static_cast<int>(which)];
}

// What was said where the server would do it gently after all; not wrong, and counted.
struct tally {
    int rows = 0, promised = 0, wrong = 0, best = 0;
};

void compare(const std::string& table, const std::string& clauses,
             const std::vector<std::string>& accepted, tally& counts) {
    alter_request alter = parse_alter(clauses);
    if (!alter.problem.empty()) return;
    for (std::size_t i = 0; i < servers.size(); ++i) {
        if (accepted[i] == ".") continue;  // refused altogether, whatever the algorithm
        native_ability said =
            native_ability_of(alter, table_called(table), servers[i].kind, servers[i].version);
        ++counts.rows;
        const char letter = letter_of(said.algorithm);
        counts.best += letter == accepted[i][0];
        if (letter == '-') continue;
        ++counts.promised;
        bool kept = accepted[i].find(letter) != std::string::npos;
        counts.wrong += !kept;
        CHECK_MESSAGE(kept, servers[i].name << " on " << table << ": " << clauses << ": said "
                                            << to_string(said.algorithm) << " (" << said.reason
                                            << "), the server took " << accepted[i]);
    }
}

const std::vector<std::string> all_tables = {
    "plain",     "nokey",  "compressed", "redundant", "partitioned", "fulltext", "virtual",
    "virtindex", "stored", "child",      "cascade",   "check",       "trigger",  "versioned"};

native_ability ask(const std::string& clauses, flavor kind, server_version version,
                   const std::string& table = "plain") {
    alter_request alter = parse_alter(clauses);
    CAPTURE(clauses);
    CHECK(alter.problem == "");
    return native_ability_of(alter, table_called(table), kind, version);
}

}  // namespace

TEST_CASE("no server refused what was promised of it") {
    const answers all = recorded();
    REQUIRE(all.size() > 500);
    tally counts;
    for (const auto& [asked, accepted] : all) {
        const auto& [table, clauses] = asked;
        if (table == "several") {  // several clauses, run on fewer tables
            compare("plain", clauses, accepted, counts);
        } else if (table == "plain") {
            for (const auto& each : all_tables) {
                auto own = all.find({each, clauses});
                compare(each, clauses, own == all.end() ? accepted : own->second, counts);
            }
        } else if (!all.contains({"plain", clauses})) {
            compare(table, clauses, accepted, counts);
        }
    }
    CHECK(counts.rows > 3000);
    // Careful, and not useless: it mostly says the gentlest way there is.
    CHECK(counts.promised > counts.rows * 2 / 3);
    CHECK(counts.best > counts.rows * 3 / 4);
}

TEST_CASE("what people alter most is done the gentlest way") {
    for (const auto& each : servers) {
        CAPTURE(std::string(each.name));
        for (const char* clauses :
             {"ADD COLUMN n INT", "ADD n VARCHAR(20) NOT NULL DEFAULT 'x' AFTER a", "DROP COLUMN b",
              "RENAME COLUMN b TO bb", "ALTER COLUMN e SET DEFAULT 'q'",
              "ADD COLUMN n INT, DROP COLUMN b", "ADD COLUMN (n INT, m INT)"}) {
            native_ability said = ask(clauses, each.kind, each.version);
            CHECK(said.algorithm == native_algorithm::instant);
            CHECK(!said.touches_rows);
            CHECK(!said.replicas_lag);
        }
        CHECK(ask("ADD INDEX ib (b)", each.kind, each.version).replicas_lag);
        CHECK(!ask("DROP INDEX ia", each.kind, each.version).replicas_lag);
    }
    CHECK(ask("MODIFY b VARCHAR(60)", flavor::mariadb, {10, 11, 19}).algorithm ==
          native_algorithm::instant);
    CHECK(ask("MODIFY b VARCHAR(60)", flavor::mysql, {9, 7, 4}).algorithm ==
          native_algorithm::inplace);
}

TEST_CASE("older versions are promised less") {
    using enum native_algorithm;
    CHECK(ask("ADD COLUMN n INT", flavor::mariadb, {10, 2, 44}).algorithm == inplace);
    CHECK(ask("ADD COLUMN n INT", flavor::mariadb, {10, 3, 39}).algorithm == instant);
    CHECK(ask("ADD COLUMN n INT FIRST", flavor::mariadb, {10, 3, 39}).algorithm == inplace);
    CHECK(ask("DROP COLUMN b", flavor::mariadb, {10, 3, 39}).algorithm == inplace);
    CHECK(ask("ADD COLUMN n INT", flavor::mysql, {5, 7, 44}).algorithm == inplace);
    CHECK(ask("ADD COLUMN n INT", flavor::mysql, {8, 0, 12}).algorithm == instant);
    CHECK(ask("ADD COLUMN n INT FIRST", flavor::mysql, {8, 0, 28}).algorithm == inplace);
    CHECK(ask("ADD COLUMN n INT FIRST", flavor::mysql, {8, 0, 29}).algorithm == instant);
    CHECK(ask("MODIFY a BIGINT NOT NULL", flavor::mariadb, {11, 1, 6}).algorithm == none);
    CHECK(ask("MODIFY a BIGINT NOT NULL", flavor::mariadb, {11, 2, 6}).algorithm == online_copy);
    CHECK(ask("MODIFY a BIGINT NOT NULL", flavor::mysql, {9, 7, 4}).algorithm == none);
}

TEST_CASE("online COPY is not promised where the server does not do it") {
    using enum native_algorithm;
    const server_version newest{11, 8, 9};
    CHECK(ask("ADD n INT NOT NULL AUTO_INCREMENT UNIQUE", flavor::mariadb, newest, "nokey")
              .algorithm == none);
    CHECK(ask("ORDER BY a", flavor::mariadb, newest).algorithm == none);
    CHECK(ask("MODIFY a BIGINT NOT NULL", flavor::mariadb, newest, "cascade").algorithm == none);
    CHECK(ask("ADD FOREIGN KEY (c) REFERENCES p (id)", flavor::mariadb, newest).algorithm == none);
    native_ability versioned = ask("ADD n INT", flavor::mariadb, newest, "versioned");
    CHECK(versioned.algorithm == none);
    CHECK(versioned.reason.find("system_versioning_alter_history") != std::string::npos);
}

TEST_CASE("each server is told the algorithm in its own words") {
    CHECK(algorithm_clause(native_algorithm::instant, flavor::mysql) == ", ALGORITHM=INSTANT");
    CHECK(algorithm_clause(native_algorithm::instant, flavor::mariadb) ==
          ", ALGORITHM=INSTANT, LOCK=NONE");
    for (auto which :
         {native_algorithm::nocopy, native_algorithm::inplace, native_algorithm::online_copy})
        CHECK(algorithm_clause(which, flavor::mariadb).ends_with(", LOCK=NONE"));
    CHECK(algorithm_clause(native_algorithm::none, flavor::mariadb) == "");
}

TEST_CASE("another engine than InnoDB is promised nothing") {
    table_facts table = table_called("plain");
    for (const char* engine : {"MyISAM", "Aria", "MEMORY", ""}) {
        table.engine = engine;
        CHECK(native_ability_of(parse_alter("ADD n INT"), table, flavor::mariadb, {11, 8, 9})
                  .algorithm == native_algorithm::none);
    }
    table.engine = "INNODB";
    CHECK(
        native_ability_of(parse_alter("ADD n INT"), table, flavor::mariadb, {11, 8, 9}).algorithm ==
        native_algorithm::instant);
}
