#include "osc/line_reader.hpp"

#include "tests/support/random.hpp"
#include "tests/unit/osc/transcript.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using primacy::osc::line_reader;

namespace {

using lines = std::vector<std::string>;

struct collector {
    lines told;
    auto tell() {
        return [this](std::string_view line) { told.emplace_back(line); };
    }
};

}  // namespace

TEST_CASE("a line is told once it has ended, and the offset stands after it") {
    line_reader reader;
    collector all;
    reader.feed("one\ntw", all.tell());
    CHECK(all.told == lines{"one"});
    CHECK(reader.offset() == 4);
    CHECK(reader.next_byte() == 6);
    reader.feed("o\r\n\n", all.tell());
    CHECK(all.told == lines{"one", "two", ""});
    CHECK(reader.offset() == 10);
    CHECK(reader.next_byte() == 10);
    CHECK(reader.cut() == 0);
}

TEST_CASE("a carriage return ends no line; before the line's end it is no part of it") {
    line_reader reader;
    collector all;
    // A message that quotes "\r# Done" must not look like a line of its own.
    reader.feed("10%\r# Done\r\n\r\r\n", all.tell());
    CHECK(all.told == lines{"10%\r# Done", "\r"});
    CHECK(reader.offset() == 15);
}

TEST_CASE("the last line without an end is told when its writer is gone") {
    line_reader reader(100);
    collector all;
    reader.feed("FATAL so", all.tell());
    CHECK(all.told.empty());
    reader.finish(all.tell());
    CHECK(all.told == lines{"FATAL so"});
    CHECK(reader.offset() == 108);
    reader.finish(all.tell());
    CHECK(all.told.size() == 1);
}

TEST_CASE("a long line is cut and counted, and the place in the file stays right") {
    line_reader reader(0, 5);
    collector all;
    reader.feed("12345\n123456\n12345\r\n123456\r\n", all.tell());
    CHECK(all.told == lines{"12345", "12345", "12345", "12345"});
    CHECK(reader.cut() == 2);
    CHECK(reader.offset() == 28);
    reader.feed("12345\rXY\r\nx\n", all.tell());
    CHECK(all.told.back() == "x");
    CHECK(all.told[4] == "12345");
    CHECK(reader.cut() == 3);
    CHECK(reader.offset() == 40);
}

TEST_CASE("an endless line takes no memory") {
    line_reader reader;
    collector all;
    const std::string block(1 << 16, 'x');
    for (int i = 0; i < 64; ++i)
        reader.feed(block, all.tell());
    reader.feed("\nnext\n", all.tell());
    REQUIRE(all.told.size() == 2);
    CHECK(all.told[0].size() == 8192);
    CHECK(all.told[1] == "next");
    CHECK(reader.cut() == 1);
    CHECK(reader.offset() == 64 * block.size() + 6);
}

// However the bytes arrive, and however often the reader is replaced by a new one.
TEST_CASE("no line is lost or told twice over restarts") {
    const std::string file = primacy::tests::transcript_text("gh-ost-1.1.6.stdout");
    const auto expected = primacy::tests::transcript("gh-ost-1.1.6.stdout");
    auto random = primacy::tests::seeded_random();
    for (int round = 0; round < 200; ++round) {
        line_reader reader;
        collector all;
        while (reader.next_byte() < file.size()) {
            if (random() % 4 == 0) reader = line_reader(reader.offset());
            reader.feed(std::string_view(file).substr(reader.next_byte(), 1 + random() % 700),
                        all.tell());
        }
        REQUIRE(all.told == expected);
        REQUIRE(reader.offset() == file.size());
    }
}
