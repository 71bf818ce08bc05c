// What a person writes as ALTER, and what somebody might try to smuggle in with it.
#include "osc/alter.hpp"

#include "osc/alter_words.hpp"
#include "tests/support/random.hpp"

#include <doctest/doctest.h>

using namespace primacy::osc;

namespace {

clause only_clause(const std::string& text) {
    CAPTURE(text);
    alter_request read = parse_alter(text);
    CHECK(read.problem == "");
    REQUIRE(read.clauses.size() == 1);
    return read.clauses[0];
}

clause_kind kind_of(const std::string& text) {
    return only_clause(text).kind;
}

// A part of the problem; a test that forgets to expect one fails.
void refuses(const std::string& text, const std::string& part) {
    CAPTURE(text);
    alter_request read = parse_alter(text);
    CAPTURE(read.problem);
    CHECK(read.problem != "");
    CHECK(read.problem.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("each clause is told by its kind") {
    using enum clause_kind;
    CHECK(kind_of("ADD COLUMN a INT") == add_column);
    CHECK(kind_of("add a int") == add_column);
    CHECK(kind_of("ADD COLUMN IF NOT EXISTS a INT") == add_column);
    CHECK(kind_of("ADD `unique` INT") == add_column);
    CHECK(kind_of("ADD vector INT") == add_column);
    CHECK(kind_of("DROP COLUMN a") == drop_column);
    CHECK(kind_of("DROP a") == drop_column);
    CHECK(kind_of("DROP `index`") == drop_column);
    CHECK(kind_of("MODIFY a BIGINT") == modify_column);
    CHECK(kind_of("CHANGE COLUMN a b BIGINT") == modify_column);
    CHECK(kind_of("RENAME COLUMN a TO b") == rename_column);
    CHECK(kind_of("ALTER COLUMN a SET DEFAULT 5") == column_default);
    CHECK(kind_of("ALTER a DROP DEFAULT") == column_default);
    CHECK(kind_of("ADD INDEX (a)") == add_index);
    CHECK(kind_of("ADD KEY k (a)") == add_index);
    CHECK(kind_of("ADD UNIQUE (a)") == add_unique);
    CHECK(kind_of("ADD CONSTRAINT c UNIQUE KEY (a)") == add_unique);
    CHECK(kind_of("ADD PRIMARY KEY (a)") == add_primary);
    CHECK(kind_of("ADD CONSTRAINT PRIMARY KEY (a)") == add_primary);
    CHECK(kind_of("ADD FULLTEXT (a)") == add_fulltext);
    CHECK(kind_of("ADD SPATIAL KEY (a)") == add_fulltext);
    CHECK(kind_of("ADD VECTOR INDEX (a)") == add_fulltext);
    CHECK(kind_of("DROP INDEX k") == drop_index);
    CHECK(kind_of("DROP PRIMARY KEY") == drop_primary);
    CHECK(kind_of("RENAME INDEX a TO b") == rename_index);
    CHECK(kind_of("ALTER INDEX k INVISIBLE") == index_visibility);
    CHECK(kind_of("ADD CONSTRAINT IF NOT EXISTS c FOREIGN KEY (a) REFERENCES p (id)") ==
          add_foreign_key);
    CHECK(kind_of("DROP FOREIGN KEY f") == drop_foreign_key);
    CHECK(kind_of("ADD CHECK (a > 0)") == add_check);
    CHECK(kind_of("ALTER CHECK c ENFORCED") == add_check);
    CHECK(kind_of("ALTER CHECK c NOT ENFORCED") == other);
    CHECK(kind_of("DROP CONSTRAINT c") == drop_check);
    CHECK(kind_of("COMMENT = 'x'") == table_option);
    CHECK(kind_of("DEFAULT CHARACTER SET = utf8mb4 COLLATE utf8mb4_bin") == table_option);
    CHECK(kind_of("ENGINE=InnoDB") == rebuild);
    CHECK(kind_of("ROW_FORMAT=DYNAMIC ENGINE = 'InnoDB'") == rebuild);
    CHECK(kind_of("FORCE") == rebuild);
    CHECK(kind_of("CONVERT TO CHARACTER SET utf8mb4") == convert_charset);
    CHECK(kind_of("ORDER BY a") == other);
}

TEST_CASE("names are read out of the clauses") {
    CHECK(only_clause("DROP COLUMN IF EXISTS `we``ird`").column == "we`ird");
    CHECK(only_clause("DROP COLUMN IF EXISTS a").conditional);
    CHECK(!only_clause("DROP COLUMN `IF EXISTS`").conditional);
    CHECK(only_clause("CHANGE a b INT").new_column == "b");
    CHECK(only_clause("CHANGE a a INT").new_column == "");
    CHECK(only_clause("RENAME COLUMN a TO b").new_column == "b");
    CHECK(only_clause("DROP INDEX `k 1`").key == "k 1");
    CHECK(only_clause("DROP PRIMARY KEY").key == "PRIMARY");
    CHECK(only_clause("RENAME KEY a TO b").key == "a");
    CHECK(only_clause("ENGINE = Aria").engine == "Aria");
}

TEST_CASE("a column's definition is read word by word") {
    column_definition read = only_clause("ADD a DECIMAL ( 10, 2 ) unsigned NOT NULL").defines;
    CHECK(read.type == "DECIMAL ( 10, 2 ) unsigned");
    CHECK(read.not_null);
    CHECK(read.plain);
    CHECK(only_clause("ADD a INT NOT NULL").not_null_no_default);
    CHECK(!only_clause("ADD a INT NOT NULL DEFAULT 1").not_null_no_default);
    CHECK(!only_clause("ADD a INT DEFAULT NULL COMMENT 'NOT NULL'").defines.not_null);
    CHECK(only_clause("ADD a INT FIRST").places_column);
    CHECK(only_clause("ADD a INT AFTER `first`").places_column);
    CHECK(!only_clause("ADD a INT COMMENT 'AFTER b'").places_column);
    CHECK(!only_clause("ADD `after` INT").places_column);
    CHECK(only_clause("ADD a INT AS (b + 1) STORED").defines.stored);
    CHECK(only_clause("ADD a INT GENERATED ALWAYS AS (b) VIRTUAL").generated);
    CHECK(only_clause("ADD id INT AUTO_INCREMENT KEY").adds_primary());
    CHECK(only_clause("ADD a SERIAL").adds_unique());
    CHECK(only_clause("ADD a INT UNIQUE KEY").adds_unique());
    CHECK(!only_clause("ADD a INT UNIQUE KEY").adds_primary());
    CHECK(only_clause("MODIFY a INT UNIQUE").adds_unique());
    CHECK(only_clause("MODIFY a INT PRIMARY KEY").adds_primary());
    CHECK(only_clause("ADD a INT REFERENCES p (id) ON DELETE SET DEFAULT").adds_foreign_key());
    CHECK(!only_clause("ADD a INT REFERENCES p (id) ON DELETE SET DEFAULT").defines.has_default);
    CHECK(only_clause("ADD a INT CHECK (a > 0)").adds_check());
    CHECK(!only_clause("ADD a INT COMMENT 'UNIQUE CHECK KEY'").adds_unique());
    CHECK(only_clause("MODIFY a VARCHAR(9) COLLATE utf8mb4_bin").defines.says_charset);
}

TEST_CASE("a DEFAULT that every row would have to compute is told from one that is noted") {
    for (const char* noted :
         {"5", "-5", "1.50", "'x'", "NULL", "TRUE", "NOW()", "CURRENT_TIMESTAMP(6)", "x'4142'",
          "b'1'", "_utf8mb4'x'", "NOW() ON UPDATE NOW()"})
        CHECK_MESSAGE(
            !only_clause("ADD a INT DEFAULT " + std::string(noted)).defines.computed_default,
            noted);
    for (const char* computed :
         {"(UUID())", "(1 + 1)", "UUID()", "RAND()", "NEXT VALUE FOR s", "nextval(s)"})
        CHECK_MESSAGE(
            only_clause("ADD a INT DEFAULT " + std::string(computed)).defines.computed_default,
            computed);
}

TEST_CASE("brackets after ADD are as many clauses as stand in them") {
    alter_request read = parse_alter("ADD COLUMN (a INT, b DECIMAL(10,2) NOT NULL, UNIQUE (a, b))");
    CHECK(read.problem == "");
    REQUIRE(read.clauses.size() == 3);
    CHECK(read.clauses[0].column == "a");
    CHECK(read.clauses[1].not_null_no_default);
    CHECK(read.clauses[1].text == "ADD b DECIMAL(10,2) NOT NULL");
    CHECK(read.clauses[2].adds_unique());
    read = parse_alter("ADD (a INT, CHECK (a > 0)), DROP b");
    REQUIRE(read.clauses.size() == 3);
    CHECK(read.clauses[1].adds_check());
    CHECK(read.clauses[2].column == "b");
    refuses("ADD (a INT) FIRST", "nothing may follow");
    refuses("ADD ()", "nothing, between");
    refuses("ADD (a INT,)", "nothing, between");
    refuses("ADD (a INT) PARTITION BY HASH (a)", "");
}

TEST_CASE("the statement in front is taken off, and its table noted") {
    alter_request read = parse_alter("ALTER TABLE shop.orders ADD a INT;");
    CHECK(read.named == table_name{"shop", "orders"});
    CHECK(read.clauses_text == "ADD a INT");
    CHECK(parse_alter("alter online table `or``ders` add a int").named ==
          table_name{"", "or`ders"});
    CHECK(parse_alter("ALTER TABLE IF EXISTS t WAIT 5 ADD a INT").clauses_text == "ADD a INT");
    CHECK(parse_alter("ALTER TABLE t NOWAIT ADD a INT ; ;").clauses_text == "ADD a INT");
    CHECK(!parse_alter("ALTER a SET DEFAULT 1").named);
    refuses("ALTER TABLE", "without a table");
    refuses("ALTER TABLE \"orders\" ADD a INT", "without a table");
    refuses("ALTER IGNORE TABLE t ADD UNIQUE (a)", "IGNORE");
    refuses("ALTER TABLE t", "nothing to alter");
    refuses("ALTER TABLE t, u ADD a INT", "comma");
}

TEST_CASE("comments never reach a server or a tool") {
    CHECK(parse_alter("ADD a INT -- , DROP b\n NOT NULL").clauses_text == "ADD a INT NOT NULL");
    CHECK(parse_alter("ADD a/**/INT # end").clauses_text == "ADD a INT");
    CHECK(parse_alter("ADD a INT /* ' */, ADD b INT /* ' */").clauses.size() == 2);
    CHECK(parse_alter("ADD a INT DEFAULT '/* -- # */'").clauses_text ==
          "ADD a INT DEFAULT '/* -- # */'");
    // With the comment gone a blank would follow, and hide whatever is added at the end.
    refuses("ADD a INT --/**/", "no comment");
    refuses("ADD a INT --#", "no comment");
    refuses("ADD a INT DEFAULT (1--1)", "no comment");
    CHECK(parse_alter("ADD a INT DEFAULT (1- -1)").problem == "");
    for (const char* made : {"/", "-", "*"}) {
        std::string text = "ADD a INT DEFAULT (1 " + std::string(made) + "/**/* 2)";
        CHECK(parse_alter(text).clauses_text.find("/*") == std::string::npos);
    }
    refuses("ADD a INT /*! , DROP b */", "execute");
    refuses("ADD a INT /*!50100 , DROP b */", "execute");
    refuses("ADD a INT /*M! , DROP b */", "execute");
    refuses("ADD a INT /*M!100100 , DROP b */", "execute");
    refuses("/*!*/ADD a INT", "execute");
    refuses("ADD a INT /* open", "comment is not closed");
    refuses("-- only a comment", "nothing to alter");
}

TEST_CASE("one statement is one statement") {
    refuses("ADD a INT; DROP TABLE orders", "more than one statement");
    refuses("ADD a INT DEFAULT (1;2)", "more than one statement");
    refuses("ADD a INT;;DROP b", "more than one statement");
    refuses(";", "nothing to alter");
    refuses("", "nothing to alter");
    refuses(",", "comma");
    refuses("ADD a INT,", "comma");
    refuses("ADD a INT,, ADD b INT", "comma");
    CHECK(parse_alter("ADD a INT DEFAULT ';'").problem == "");
}

TEST_CASE("where a quote ends must not depend on the server") {
    refuses(R"(ADD a VARCHAR(9) DEFAULT '\', DROP b, ADD c VARCHAR(9) DEFAULT ' ')", "sql_mode");
    refuses(R"(ADD a VARCHAR(9) DEFAULT '\'' COMMENT ')", "sql_mode");
    refuses(R"(ADD a VARCHAR(9) COMMENT "\", DROP b, ADD c INT COMMENT " ")", "sql_mode");
    refuses(R"(ADD a VARCHAR(9) DEFAULT 'a\')", "sql_mode");
    // Read alike by all of them.
    CHECK(parse_alter(R"(ADD a VARCHAR(9) DEFAULT 'C:\temp')").problem == "");
    CHECK(parse_alter(R"(ADD a VARCHAR(9) DEFAULT '\\')").problem == "");
    CHECK(parse_alter(R"(ADD `a\` INT)").problem == "");
    CHECK(parse_alter("ADD a VARCHAR(9) DEFAULT 'it''s'").problem == "");
}

TEST_CASE("unbalanced things are told apart") {
    refuses("ADD a VARCHAR(9) DEFAULT 'x", "quote (') is not closed");
    refuses("ADD `a INT", "quote (`) is not closed");
    refuses("ADD a ENUM('x'", "a ( is not closed");
    refuses("ADD a INT)", "without its (");
    refuses("ADD a INT), ADD (b INT", "without its (");
}

TEST_CASE("bytes that servers read otherwise are refused") {
    refuses(std::string("ADD a INT\0, DROP b", 18), "NUL");
    refuses("ADD a INT --\x01, DROP b", "control character");
    refuses("ADD a\x1bINT", "control character");
    refuses("ADD a VARCHAR(9) DEFAULT '\x01'", "control character");
    refuses("ADD a\xff INT", "not UTF-8");
    refuses("ADD a VARCHAR(9) DEFAULT '\xbf'", "not UTF-8");
    refuses("ADD a INT COMMENT '" + std::string(200'000, 'x') + "'", "bytes");
    refuses(std::string(99'000, '('), "is not closed");
}

TEST_CASE("what a job does not carry out is refused") {
    refuses("RENAME TO other.orders", "RENAME TABLE");
    refuses("RENAME AS orders2", "RENAME TABLE");
    refuses("RENAME orders2", "RENAME TABLE");
    refuses("ADD a INT, RENAME = orders2", "RENAME TABLE");
    refuses("ADD a INT, ALGORITHM=COPY", "leave ALGORITHM");
    refuses("LOCK=NONE, ADD a INT", "leave ALGORITHM");
    for (const char* partitions :
         {"DROP PARTITION p0", "TRUNCATE PARTITION ALL", "EXCHANGE PARTITION p WITH TABLE other",
          "PARTITION BY HASH (id)", "REMOVE PARTITIONING",
          "ADD PARTITION (PARTITION p VALUES IN (1))", "CONVERT PARTITION p TO TABLE q",
          "CHECK PARTITION p", "DISCARD PARTITION p TABLESPACE", "ADD a INT PARTITION BY HASH (id)",
          "ADD a INT REMOVE PARTITIONING", "ENGINE=InnoDB PARTITION BY HASH (id)"})
        refuses(partitions, "partitions");
    for (const char* versions :
         {"ADD SYSTEM VERSIONING", "DROP SYSTEM VERSIONING", "ADD PERIOD FOR SYSTEM_TIME (a, b)",
          "ADD a TIMESTAMP(6) GENERATED ALWAYS AS ROW START",
          "ADD a INT WITHOUT SYSTEM VERSIONING"})
        refuses(versions, "versioning");
    for (const char* unknown : {"DISCARD TABLESPACE",
                                "IMPORT TABLESPACE",
                                "UNION=(other.t)",
                                "DATA DIRECTORY='/tmp'",
                                "COMMENT='x' DATA DIRECTORY='/tmp'",
                                "COMMENT='x' UNION=(other.t)",
                                "CONNECTION='mysql://x'",
                                "SEQUENCE=1",
                                "TABLESPACE ts",
                                "DISABLE KEYS",
                                "SECONDARY_LOAD",
                                "DROP TABLE orders",
                                "DROP a b",
                                "DROP PRIMARY KEY a",
                                "DROP INDEX k ON orders",
                                "RENAME COLUMN a TO b c",
                                "FORCE DROP a",
                                "SELECT 1",
                                "AD COLUMN a INT",
                                "(ADD a INT)",
                                "1"})
        refuses(unknown, "is not a change that a job carries out");
    refuses("TRUNCATE orders", "");
}

TEST_CASE("a clause that does not say whom it is about is refused") {
    for (const char* text :
         {"ADD", "ADD COLUMN", "DROP", "DROP COLUMN", "DROP INDEX", "MODIFY", "CHANGE",
          "RENAME COLUMN a", "RENAME INDEX", "ALTER", "DROP CONSTRAINT", "ADD \"a\" INT",
          "DROP COLUMN \"a\"", "DROP FOREIGN KEY"})
        refuses(text, "does not say which one");
    refuses("ADD COLUMN orders.a INT", "without its table");
    refuses("DROP COLUMN `shop`.`orders`.`a`", "without its table");
}

TEST_CASE("what is given on is what was read") {
    const std::string text = "ADD a INT,\n  /* x */ADD  b\tVARCHAR( 9 ) -- y\n DEFAULT 'a  b'";
    alter_request read = parse_alter(text);
    CHECK(read.clauses_text == "ADD a INT, ADD b VARCHAR( 9 ) DEFAULT 'a  b'");
    CHECK(parse_alter(read.clauses_text).clauses_text == read.clauses_text);
    CHECK(read.quotes.size() == 1);
    CHECK(read.quotes[0].text == "a  b");
}

// --- random nesting

namespace {

struct nesting {
    std::mt19937_64 random;
    std::size_t below(std::size_t limit) { return random() % limit; }

    // Separators and terrible things, none of which may be seen from outside.
    std::string inside() {
        static const std::vector<std::string> pieces = {
            ",", ";", "DROP TABLE x", "(",      ")",          "--", "# x", "/*!", "*/",
            "a", " ", "\n",           "\u00e9", "RENAME TO y"};
        std::string made;
        for (std::size_t count = below(6); count > 0; --count)
            made += pieces[below(pieces.size())];
        return made;
    }
    std::string closed() {
        switch (below(5)) {
            case 0: return "'" + inside() + "''" + inside() + "'";
            case 1: return "\"" + inside() + "\"\"'`\"";
            case 2: return "`" + inside() + "``'\"`";
            case 3: {
                std::string text = inside();
                for (auto at = text.find("*/"); at != std::string::npos; at = text.find("*/"))
                    text.erase(at, 1);
                return " /* " + text + "'\"` */ ";
            }
            default: return "(" + (below(2) ? closed() : "1, 2") + "," + closed() + ")";
        }
    }
};

}  // namespace

TEST_CASE("an ALTER is never split inside a quote, a bracket or a comment") {
    nesting in{primacy::tests::seeded_random()};
    for (int i = 0; i < 20'000; ++i) {
        const std::size_t wanted = 1 + in.below(4);
        std::string text;
        for (std::size_t k = 0; k < wanted; ++k) {
            text += (k ? "," : "") + std::string("ADD c") + std::to_string(k) + " INT ";
            for (std::size_t more = in.below(4); more > 0; --more)
                text += " x " + in.closed();
        }
        CAPTURE(text);
        alter_request read = parse_alter(text);
        REQUIRE(read.problem == "");
        REQUIRE(read.clauses.size() == wanted);
        for (std::size_t k = 0; k < wanted; ++k)
            REQUIRE(read.clauses[k].column == "c" + std::to_string(k));
        // And again, after its comments have gone.
        REQUIRE(parse_alter(read.clauses_text).clauses_text == read.clauses_text);
        REQUIRE(parse_alter(read.clauses_text).clauses.size() == wanted);
    }
}

TEST_CASE("random text is read to its end or refused, and never read in two ways") {
    auto random = primacy::tests::seeded_random();
    static const std::vector<std::string> pieces = {
        "ADD ", "COLUMN ", "a ",      "INT ", "'",   "\"",     "`",      "\\",    "(",
        ")",    ",",       ";",       "--",   " ",   "\n",     "/*",     "*/",    "!",
        "#",    "DROP ",   "b",       ".",    "'x'", "`c` ",   "\x01",   "\xc3",  "\u00e9",
        "M!",   "=",       "RENAME ", "TO ",  "t",   "ENGINE", "ALTER ", "TABLE "};
    int accepted = 0;
    for (int i = 0; i < 100'000; ++i) {
        std::string text = random() % 2 ? "ADD a INT " : "";
        for (std::size_t count = random() % 12; count > 0; --count)
            text += pieces[random() % pieces.size()];
        CAPTURE(text);
        alter_request read = parse_alter(text);
        if (!read.problem.empty()) continue;
        ++accepted;
        REQUIRE(!read.clauses.empty());
        REQUIRE(parse_alter(read.clauses_text).problem == "");
        REQUIRE(parse_alter(read.clauses_text).clauses_text == read.clauses_text);
        // What follows it in the statement is read by itself.
        sql_words together = split_sql(read.clauses_text + ", ALGORITHM=INSTANT");
        REQUIRE(together.problem == "");
        REQUIRE(together.words.size() >= 4);
        REQUIRE(together.words[together.words.size() - 3].is("ALGORITHM"));
        REQUIRE(together.words.back().depth == 0);
    }
    CHECK(accepted > 1000);
}
