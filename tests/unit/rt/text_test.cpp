#include "agent/rt/text.hpp"

#include <doctest/doctest.h>

using namespace primacy::rt;

TEST_CASE("text that is UTF-8 stays as it is") {
    for (const char* text : {"", "plain", "Größe", "日本語", "\xF0\x9F\x90\xAC", "tab\tand\nline"})
        CHECK(valid_utf8(text) == text);
}

TEST_CASE("each byte that is no UTF-8 becomes U+FFFD, and nothing else changes") {
    const std::string bad = "\xEF\xBF\xBD";
    CHECK(valid_utf8("a\xFF b") == "a" + bad + " b");
    CHECK(valid_utf8("\xC3") == bad);                                // cut off
    CHECK(valid_utf8("\xC0\xAF") == bad + bad);                      // overlong slash
    CHECK(valid_utf8("\xED\xA0\x80") == bad + bad + bad);            // half of a surrogate pair
    CHECK(valid_utf8("\xF4\x90\x80\x80") == bad + bad + bad + bad);  // beyond U+10FFFF
    CHECK(valid_utf8("\xE2\x82"
                     "A") == bad + bad + "A");
}

TEST_CASE("ASCII is told from the rest at every position of a block") {
    for (std::size_t length = 1; length < 20; ++length)
        for (std::size_t at = 0; at < length; ++at) {
            std::string text(length, 'x');
            CHECK(is_ascii(text));
            text[at] = '\x80';
            CHECK_FALSE(is_ascii(text));
        }
}
