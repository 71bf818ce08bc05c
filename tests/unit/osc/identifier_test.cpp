// Names that come from outside: read, quoted, cut as the tools cut them.
#include "osc/identifier.hpp"

#include "tests/support/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace primacy::osc;

namespace {

// Bytes that break parsers, and characters of one to four bytes.
std::string any_text(std::mt19937_64& random, std::size_t longest, bool utf8_only) {
    static const std::vector<std::string> pieces = {
        "a", "Z",  "0",  "_",    "$",      ".",      "`",          "``",  "'",  "\"", "\\",
        " ", "\n", "\t", ";",    ",",      "=",      "-- ",        "/*",  "*/", "%",  "(",
        ")", "#",  "\r", "\x7f", "\u00e9", "\u2014", "\U0001F600", "new", "old"};
    std::string made;
    for (std::size_t count = random() % (longest + 1); count > 0; --count) {
        if (!utf8_only && random() % 8 == 0)
            made += static_cast<char>(random() % 256);
        else
            made += pieces[random() % pieces.size()];
    }
    return made;
}

std::string times(std::size_t count, const std::string& text) {
    std::string made;
    while (count-- > 0)
        made += text;
    return made;
}

}  // namespace

TEST_CASE("a name is read as it is written") {
    CHECK(parse_table_name("shop.orders").name == table_name{"shop", "orders"});
    CHECK(parse_table_name("`shop`.`orders`").name == table_name{"shop", "orders"});
    CHECK(parse_table_name("shop.`we.ird`").name == table_name{"shop", "we.ird"});
    CHECK(parse_table_name("`a``b`.`c``d`").name == table_name{"a`b", "c`d"});
    CHECK(parse_table_name("my-shop.orders$1").name == table_name{"my-shop", "orders$1"});
    CHECK(parse_table_name("`shop`.`line\nend`").name == table_name{"shop", "line\nend"});
}

TEST_CASE("what is no name says what to write") {
    for (const char* text : {"",
                             ".",
                             "orders",
                             "`orders`",
                             "shop.",
                             ".orders",
                             "shop..orders",
                             "a.b.c",
                             "`shop`orders",
                             "`shop.orders",
                             "shop.`orders",
                             "shop.`a`b`",
                             "shop.or ders",
                             "shop.orders;",
                             "shop.orders -- x",
                             "shop.'orders'",
                             "shop.\"orders\"",
                             "``.`t`",
                             "`t`.``",
                             "shop.orders\n",
                             "sh`op.orders"}) {
        CAPTURE(std::string(text));
        parsed_name read = parse_table_name(text);
        CHECK(!read.name);
        CHECK(read.problem.find("write DATABASE.TABLE") != std::string::npos);
    }
}

TEST_CASE("any text that is quoted is read back as itself") {
    auto random = primacy::tests::seeded_random();
    for (int i = 0; i < 20'000; ++i) {
        table_name name{any_text(random, 12, false), any_text(random, 12, false)};
        if (name.database.empty() || name.table.empty()) continue;
        CAPTURE(name.database);
        CAPTURE(name.table);
        REQUIRE(parse_table_name(quoted(name)).name == name);
        REQUIRE(parse_table_name(readable(name)).name == name);
    }
}

TEST_CASE("whatever is read is one name and nothing behind it") {
    auto random = primacy::tests::seeded_random();
    int names = 0;
    for (int i = 0; i < 50'000; ++i) {
        parsed_name read = parse_table_name(any_text(random, 10, false));
        REQUIRE(read.name.has_value() == read.problem.empty());
        if (!read.name) continue;
        ++names;
        REQUIRE(!read.name->database.empty());
        REQUIRE(!read.name->table.empty());
        REQUIRE(parse_table_name(quoted(*read.name)).name == read.name);
    }
    CHECK(names > 100);
}

TEST_CASE("a literal ends where it is meant to, under every sql_mode") {
    CHECK(literal("plain") == "'plain'");
    CHECK(literal("it's") == "'it''s'");
    CHECK(literal("a\\") == "CONVERT(x'615c' USING utf8mb4)");
    CHECK(literal("\\' OR 1=1 -- ").find('\\') == std::string::npos);
}

TEST_CASE("names that no tool may be given") {
    CHECK(unusable_because({"shop", "orders"}).empty());
    CHECK(unusable_because({"shop", "bestell ung\u00e9n \u2014"}).empty());
    CHECK(unusable_because({"shop", times(64, "\u00e9")}).empty());
    CHECK(unusable_because({"shop", times(65, "x")}) != "");
    CHECK(unusable_because({times(65, "x"), "t"}) != "");
    for (const char* bad : {"a\nb", "a\rb", "a\tb", "a\x01", "a\x7f", "\x1b[31m", "a\xff", "\xc3"})
        CHECK_MESSAGE(unusable_because({"shop", bad}) != "", std::string(bad));
    CHECK(unusable_because({"shop", std::string("a\0b", 3)}) != "");
}

TEST_CASE("UTF-8 is told from what only looks like it") {
    for (const char* good :
         {"", "abc", "\u00e9", "\u2014", "\U0001F600", "a\u00e9\u2014\U0010FFFFz"})
        CHECK_MESSAGE(is_utf8(good), std::string(good));
    for (const char* bad : {"\x80", "\xc3", "\xc3(", "\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x98",
                            "\xc0\xaf", "\xc1\x81", "\xe0\x80\xaf", "\xed\xa0\x80",
                            "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff"})
        CHECK_MESSAGE(!is_utf8(bad), std::string(bad));
}

TEST_CASE("gh-ost's names, as its source makes them") {
    gh_ost_names names = gh_ost_names_of("orders");
    CHECK(names.ghost == "_orders_gho");
    CHECK(names.changelog == "_orders_ghc");
    CHECK(names.checkpoint == "_orders_ghk");
    CHECK(names.old == "_orders_del");
    // Seen with 1.1.10 on a name of 64 characters.
    CHECK(gh_ost_names_of(times(64, "x")).old == "_" + times(59, "x") + "_del");
    CHECK(gh_ost_names_of(times(59, "x")).ghost == "_" + times(59, "x") + "_gho");
    // It counts bytes: seen to fail with error 1300 on these, and to work on the last.
    CHECK(!gh_ost_can_name(times(40, "\u00e9")));
    CHECK(!gh_ost_can_name(times(30, "\u00e9") + "x"));
    CHECK(gh_ost_can_name("ta\u2014ble x \u00fc"));
    // It fits without a time in it, and not with one.
    CHECK(!gh_ost_can_name("a" + times(24, "\u00e9")));
    CHECK(gh_ost_can_name(times(22, "\u00e9")));
}

TEST_CASE("the original that gh-ost keeps carries a time") {
    CHECK(is_gh_ost_timestamped_old("_orders_20261125083059_del", "orders"));
    CHECK(!is_gh_ost_timestamped_old("_orders_2026112508305_del", "orders"));
    CHECK(!is_gh_ost_timestamped_old("_orders_2026112508305x_del", "orders"));
    CHECK(!is_gh_ost_timestamped_old("_orders2_20261125083059_del", "orders"));
    CHECK(!is_gh_ost_timestamped_old("_order_20261125083059_del", "orders"));
    CHECK(!is_gh_ost_timestamped_old("_20261125083059_del", "orders"));
    const std::string long_name = times(64, "x");
    CHECK(is_gh_ost_timestamped_old("_" + times(44, "x") + "_20261125083059_del", long_name));
}

TEST_CASE("pt-online-schema-change's names, as it was seen to make them") {
    pt_osc_names names = pt_osc_names_of({"pt", "a b-c"});
    CHECK(names.copies[0] == "_a b-c_new");
    CHECK(names.copies[1] == "__a b-c_new");
    CHECK(names.olds[0] == "_a b-c_old");
    CHECK(names.triggers == std::vector<std::string>{"pt_osc_pt_a_b_c_del", "pt_osc_pt_a_b_c_upd",
                                                     "pt_osc_pt_a_b_c_ins"});
    // 62 letters leave no room for an ending, 60 characters of two bytes leave room for a part.
    names = pt_osc_names_of({"pt", times(62, "x")});
    CHECK(names.copies[0] == "_" + times(62, "x") + "_");
    CHECK(names.copies[0] == names.olds[0]);
    CHECK(names.olds[1] == "__" + times(62, "x"));
    CHECK(names.triggers[0] == "pt_osc_pt_" + times(50, "x") + "_del");
    CHECK(pt_osc_names_of({"pt", times(60, "\u00e9")}).olds[0] ==
          "_" + times(60, "\u00e9") + "_ol");
}

TEST_CASE("a trigger is known by its table's name, however Perl read it") {
    const table_name plain{"pt", "a b-c"};
    CHECK(is_pt_osc_trigger("pt_osc_pt_a_b_c_ins", plain));
    CHECK(!is_pt_osc_trigger("pt_osc_pt_a_b_c_insb", plain));
    CHECK(!is_pt_osc_trigger("pt_osc_pt_a_b_d_ins", plain));
    CHECK(!is_pt_osc_trigger("pt_osc_pt_a b-c_ins", plain));
    CHECK(!is_pt_osc_trigger("pt_osc_pt_a_b_c", plain));
    CHECK(!is_pt_osc_trigger("_ins", plain));
    // Seen: letters stay, other signs become one underscore; and as bytes two or three.
    const table_name beyond{"pt", "\u00fcr\u2014n"};
    CHECK(is_pt_osc_trigger("pt_osc_pt_\u00fcr_n_del", beyond));
    CHECK(is_pt_osc_trigger("pt_osc_pt___r___n_upd", beyond));
    CHECK(!is_pt_osc_trigger("pt_osc_pt_\u00fcrxn_del", beyond));
    CHECK(is_pt_osc_trigger("pt_osc_pt_" + times(50, "x") + "_del", {"pt", times(64, "x")}));
    CHECK(!is_pt_osc_trigger("pt_osc_pt_" + times(51, "x") + "_del", {"pt", times(64, "x")}));
}

TEST_CASE("made names are never too long and never cut inside a character") {
    auto random = primacy::tests::seeded_random();
    for (int i = 0; i < 20'000; ++i) {
        table_name name{any_text(random, 70, true), any_text(random, 70, true)};
        name.table = cut_to_characters(name.table, 64);
        name.database = cut_to_characters(name.database, 64);
        CAPTURE(name.table);
        gh_ost_names ghost = gh_ost_names_of(name.table);
        pt_osc_names pt_osc = pt_osc_names_of(name);
        std::vector<std::string> made = {ghost.ghost, ghost.changelog, ghost.checkpoint, ghost.old};
        for (const auto* more : {&pt_osc.copies, &pt_osc.olds, &pt_osc.triggers})
            made.insert(made.end(), more->begin(), more->end());
        for (const auto& each : made) {
            REQUIRE(character_count(each) <= longest_identifier);
            REQUIRE(is_utf8(each));
        }
        for (const auto& each : pt_osc.triggers)
            REQUIRE(is_pt_osc_trigger(each, name));
    }
}

TEST_CASE("cutting counts characters and keeps each whole") {
    auto random = primacy::tests::seeded_random();
    for (int i = 0; i < 20'000; ++i) {
        std::string text = any_text(random, 20, true);
        std::size_t most = random() % 24;
        std::string_view cut = cut_to_characters(text, most);
        REQUIRE(text.starts_with(cut));
        REQUIRE(is_utf8(cut));
        REQUIRE(character_count(cut) == std::min(most, character_count(text)));
    }
}
