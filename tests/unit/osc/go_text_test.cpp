#include "osc/go_text.hpp"

#include "tests/support/random.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using primacy::checks::duration;
using primacy::osc::parse_go_duration;

TEST_CASE("lengths of time as Go writes them") {
    CHECK(parse_go_duration("0s") == 0s);
    CHECK(parse_go_duration("57s") == 57s);
    CHECK(parse_go_duration("2m37s") == 157s);
    CHECK(parse_go_duration("2h15m0s") == 2h + 15min);
    CHECK(parse_go_duration("146h50m49s") == 146h + 50min + 49s);
    CHECK(parse_go_duration("1.5s") == 1500ms);
    CHECK(parse_go_duration("1m0.25s") == 60250ms);
    CHECK(parse_go_duration("100ms") == 100ms);
    CHECK(parse_go_duration("5ms") == 5ms);
    CHECK(parse_go_duration("825.799683ms") == 825799683ns);
    CHECK(parse_go_duration("1.5\xC2\xB5s") == 1500ns);
    CHECK(parse_go_duration("1.5us") == 1500ns);
    CHECK(parse_go_duration("7ns") == 7ns);
    CHECK(parse_go_duration("-1m0s") == -60s);
    CHECK(parse_go_duration("2562047h47m16.854775807s") == duration::max());
}

TEST_CASE("what Go does not write is no length of time") {
    for (const char* text : {"",
                             "-",
                             "s",
                             "1",
                             "1h",
                             "2m",
                             "1h2m",
                             "1h5s",
                             "60s",
                             "61m0s",
                             "1h60m0s",
                             "1m60s",
                             "1s ",
                             " 1s",
                             "1ss",
                             "1.s",
                             ".5s",
                             "1.5h0m0s",
                             "1s1s",
                             "1000ms",
                             "1 s",
                             "N/A",
                             "due",
                             "+1s",
                             "1e3s",
                             "0x1s",
                             "2562047h47m16.854775808s",
                             "9999999999999999999h0m0s",
                             "99999999999999999999s",
                             "1.1234567890s",
                             "--1s",
                             "1m1ms",
                             "\xC2\xB5s"})
        CHECK_MESSAGE(!parse_go_duration(text), text);
}

TEST_CASE("a length that was cut off anywhere is none, or ends at a unit") {
    for (const std::string whole : {"146h50m49s", "1m0.25s", "825.799683ms", "57s"}) {
        for (std::size_t length = 0; length < whole.size(); ++length)
            CHECK_MESSAGE(!parse_go_duration(whole.substr(0, length)), whole.substr(0, length));
    }
}

TEST_CASE("every length in whole seconds is read back as it was written") {
    auto random = primacy::tests::seeded_random();
    for (int round = 0; round < 10'000; ++round) {
        const std::uint64_t bits = 1 + random() % 33;
        const std::uint64_t all = random() & ((std::uint64_t{1} << bits) - 1);
        std::string text;
        if (all >= 3600) text += std::to_string(all / 3600) + "h";
        if (all >= 60) text += std::to_string(all / 60 % 60) + "m";
        text += std::to_string(all % 60) + "s";
        REQUIRE_MESSAGE(parse_go_duration(text) == std::chrono::seconds(all), text);
    }
}
