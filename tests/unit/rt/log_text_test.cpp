#include "agent/rt/log_text.hpp"

#include "tests/support/random.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

using namespace primacy::rt;

TEST_CASE("printable leaves readable text of any language alone") {
    CHECK(printable("") == "");
    CHECK(printable("plain \"text\" \\ = ~") == "plain \"text\" \\ = ~");
    CHECK(printable("Grüße, 東京, 🐬") == "Grüße, 東京, 🐬");
}

TEST_CASE("printable shows what would move a cursor, begin a line or turn the text around") {
    CHECK(printable("a\nb\rc\td") == "a\\nb\\rc\\td");
    CHECK(printable("\x1b[31mred\x07") == "\\x1b[31mred\\x07");
    CHECK(printable(std::string_view("nul\0.", 5)) == "nul\\x00.");
    CHECK(printable("del\x7f") == "del\\x7f");
    CHECK(printable("\xc2\x9b"
                    "31m") == "\\u009b31m");
    CHECK(printable("\xe2\x80\xae"
                    "txt.exe") == "\\u202etxt.exe");
    CHECK(printable("line\xe2\x80\xa8"
                    "end") == "line\\u2028end");
}

TEST_CASE("printable shows bytes that are not UTF-8 one by one") {
    CHECK(printable("caf\xe9") == "caf\\xe9");
    CHECK(printable("\xff\xfe") == "\\xff\\xfe");
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
    CHECK(printable("\xe0\x80\x8a") == "\\xe0\\x80\\x8a");           // an overlong line end
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond the last character
    CHECK(printable("\xe2\x82") == "\\xe2\\x82");                    // cut off
    CHECK(printable("\xe2\x82 x") == "\\xe2\\x82 x");
    CHECK(printable("\xf4\x8f\xbf\xbf") == "\xf4\x8f\xbf\xbf");
}

TEST_CASE("a message is cut at 16 KiB, between two characters, and shows it") {
    CHECK(printable(std::string(16384, 'x')) == std::string(16384, 'x'));
    CHECK(printable(std::string(20000, 'x')) == std::string(16384, 'x') + "…");
    const std::string odd = "x" + [] {
        std::string text;
        for (int count = 0; count < 10000; ++count)
            text += "ü";
        return text;
    }();
    CHECK(printable(odd) == odd.substr(0, 16385) + "…");
    CHECK(json_quoted(std::string(20000, 'x')) == "\"" + std::string(16384, 'x') + "…\"");
}

TEST_CASE("an entry as text quotes the values that need it") {
    CHECK(text_entry("up", {}) == "up");
    CHECK(text_entry("up", {{"topology", "shop"}, {"server", "db1"}}) ==
          "up topology=shop server=db1");
    CHECK(text_entry("x", {{"a", "two words"}, {"b", ""}, {"c", "k=v"}, {"d", "say \"no\""}}) ==
          "x a=\"two words\" b=\"\" c=\"k=v\" d=\"say \\\"no\\\"\"");
    CHECK(text_entry("x\ny", {{"a", "1\n2"}}) == "x\\ny a=\"1\\n2\"");
}

TEST_CASE("an entry as JSON holds the text as it was") {
    CHECK(json_entry("say \"no\"\\\n", {{"server", "db\t1"}}) ==
          "\"message\":\"say \\\"no\\\"\\\\\\u000a\",\"server\":\"db\\u00091\"");
    const auto parsed = boost::json::parse("{" + json_entry("a\nb\"\\\x01 ü\xff", {}) + "}");
    CHECK(parsed.at("message").as_string() == "a\nb\"\\\x01 ü\xef\xbf\xbd");
}

TEST_CASE("an entry for the journal is one line a field") {
    CHECK(journal_entry(log_level::warning, "watch", "lag\nPRIORITY=0",
                        {{"topology", "shop"}, {"server", "a\nb"}}) ==
          "PRIORITY=4\nSYSLOG_IDENTIFIER=primacy\nPRIMACY_LOGGER=watch\n"
          "MESSAGE=lag\\nPRIORITY=0\nPRIMACY_TOPOLOGY=shop\nPRIMACY_SERVER=a\\nb\n");
    CHECK(journal_entry(log_level::error, "x", "", {}).starts_with("PRIORITY=3\n"));
    CHECK(journal_entry(log_level::info, "x", "", {}).starts_with("PRIORITY=6\n"));
    CHECK(journal_entry(log_level::debug, "x", "", {}).starts_with("PRIORITY=7\n"));
}

TEST_CASE("whatever bytes come in, no control character and no broken JSON goes out") {
    auto random = primacy::tests::seeded_random();
    for (int round = 0; round < 3000; ++round) {
        std::string bytes(random() % 40, '\0');
        // Mostly bytes that begin or continue a character, where the mistakes are.
        for (char& each : bytes)
            each = static_cast<char>(random() % 3 == 0 ? random() : 0x80 + random() % 0x80);
        const std::string safe = printable(bytes);
        CAPTURE(safe);
        REQUIRE(std::none_of(safe.begin(), safe.end(),
                             [](unsigned char each) { return each < 0x20 || each == 0x7f; }));
        REQUIRE(printable(safe) == safe);
        boost::system::error_code failure;
        boost::json::parse(json_quoted(bytes), failure);
        REQUIRE_FALSE(failure);
    }
}
