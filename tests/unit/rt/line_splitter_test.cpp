#include "agent/rt/line_splitter.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using primacy::rt::line_splitter;

namespace {

using lines = std::vector<std::string>;

lines split(const std::vector<std::string_view>& pieces, std::size_t longest = 100) {
    lines told;
    line_splitter splitter(longest);
    const auto tell = [&told](std::string_view line) { told.emplace_back(line); };
    for (const auto piece : pieces)
        splitter.feed(piece, tell);
    splitter.finish(tell);
    return told;
}

}  // namespace

TEST_CASE("lines are the same however the bytes arrive") {
    const lines expected{"one", "", "two", "three"};
    CHECK(split({"one\n\ntwo\r\nthree"}) == expected);
    CHECK(split({"o", "ne", "\n", "\ntwo\r", "\nth", "ree"}) == expected);
    CHECK(split({"one\n\ntwo\nthree\n"}) == expected);
    CHECK(split({""}).empty());
}

TEST_CASE("a line longer than the limit loses its rest and nothing else") {
    CHECK(split({"12345\n1234567\n12\n"}, 5) == lines{"12345", "12345", "12"});
    CHECK(split({"1234", "5678", "9\nx"}, 5) == lines{"12345", "x"});
}

TEST_CASE("a carriage return is part of a line unless it ends it") {
    CHECK(split({"10%\r20%\r\n"}) == lines{"10%\r20%"});
}
