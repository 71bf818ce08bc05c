// What is appended is read back, whatever happened in between.
#include "agent/rt/journal.hpp"

#include "tests/support/file_size_limit.hpp"
#include "tests/support/forked_process.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace primacy::rt;
using primacy::tests::file_size_limit;
using primacy::tests::forked_process;
using primacy::tests::temporary_directory;

namespace {

using strings = std::vector<std::string>;

const std::string header = "{\"primacy_journal\":1}\n";

std::string record(std::uint64_t number) {
    return "{\"n\":" + std::to_string(number) + "}";
}

strings records(std::uint64_t first, std::uint64_t last) {
    strings all;
    for (auto number = first; number <= last; ++number)
        all.push_back(record(number));
    return all;
}

// The records of an undamaged journal.
strings read(const std::filesystem::path& directory) {
    const auto contents = read_journal(directory);
    REQUIRE(contents.has_value());
    for (const auto& damage : contents->damages)
        FAIL(damage.file << ":" << damage.line << ": " << damage.what);
    strings objects;
    for (const auto& each : contents->records)
        objects.push_back(each.object);
    return objects;
}

std::filesystem::path file_of(const std::filesystem::path& directory, int number) {
    return directory / ("journal-0000000" + std::to_string(number) + ".jsonl");
}

void put(const std::filesystem::path& path, std::string_view content) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
}

std::string text_of(const std::filesystem::path& path) {
    return read_file(path, 1'000'000).value();
}

void append(journal& to, std::string_view object) {
    const auto done = to.append(object, durability::cached);
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
}

}  // namespace

TEST_CASE("records come back in the order in which they were appended, also after a new start") {
    const temporary_directory here;
    {
        auto log = journal::open(here / "a/journal").value();
        CHECK(log.append(record(1), durability::durable).has_value());
        append(log, record(2));
    }
    {
        auto log = journal::open(here / "a/journal").value();
        append(log, record(3));
        CHECK_FALSE(log.rotation_trouble());
    }
    CHECK(read(here / "a/journal") == records(1, 3));
    CHECK(text_of(file_of(here / "a/journal", 1)) ==
          header + record(1) + "\n" + record(2) + "\n" + record(3) + "\n");
    const auto contents = read_journal(here / "a/journal").value();
    CHECK(contents.records[0].line == 2);
    CHECK(contents.records[0].file == file_of(here / "a/journal", 1));
}

TEST_CASE("a journal that nobody has written yet is empty") {
    const temporary_directory here;
    CHECK(read(here / "nothing").empty());
    auto log = journal::open(here / "journal").value();
    CHECK(read(here / "journal").empty());
}

TEST_CASE("only one JSON object without a line end is a record") {
    const temporary_directory here;
    auto log = journal::open(here.path()).value();
    for (const std::string_view text :
         {"", "x", "[1]", "1", "{", "{}{}", "{\"a\":1}\n", "{\"a\":1}\n{\"b\":2}", "{\"a\"\r:1}"}) {
        CAPTURE(text);
        const auto refused = log.append(text, durability::cached);
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::internal);
    }
    const std::string large = "{\"a\":\"" + std::string(largest_journal_record, 'x') + "\"}";
    CHECK(log.append(large, durability::cached).error().code == errc::limit);
    CHECK(read(here.path()).empty());
    append(log, "{\"from a server\":\"\xff\xfe\"}");
    append(log, "{}");
    CHECK(read(here.path()) == strings{"{\"from a server\":\"\xff\xfe\"}", "{}"});
}

TEST_CASE("a second writer is refused, a second reader is not") {
    const temporary_directory here;
    auto log = journal::open(here.path()).value();
    append(log, record(1));
    const auto second = journal::open(here.path());
    REQUIRE(second.has_error());
    CHECK(second.error().message.find("only one agent may use it") != std::string::npos);
    CHECK(read(here.path()) == records(1, 1));
}

TEST_CASE("files are rotated by size, the oldest removed, and read back in order") {
    const temporary_directory here;
    const journal_limits limits{200, 3};
    {
        auto log = journal::open(here.path(), limits).value();
        for (std::uint64_t number = 100; number < 200; ++number)
            append(log, record(number));
        CHECK_FALSE(log.rotation_trouble());
    }
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(here.path())) {
        CHECK(entry.file_size() <= 200);
        ++files;
    }
    CHECK(files == 3);
    // 21 bytes of header, then 17 records of 10 bytes: 100 records are 5 full files and 15 more.
    CHECK(read(here.path()) == records(151, 199));
    auto log = journal::open(here.path(), limits).value();
    append(log, record(200));
    CHECK(read(here.path()) == records(151, 200));
}

TEST_CASE("a record larger than a file still gets one of its own") {
    const temporary_directory here;
    auto log = journal::open(here.path(), {50, 3}).value();
    const std::string large = "{\"a\":\"" + std::string(100, 'x') + "\"}";
    append(log, large);
    append(log, large);
    CHECK(read(here.path()) == strings{large, large});
    // Neither made an empty file, which would have cost the oldest one its place.
    CHECK(std::filesystem::exists(file_of(here.path(), 2)));
    CHECK_FALSE(std::filesystem::exists(file_of(here.path(), 3)));
}

TEST_CASE("a file cut off at any byte loses the unfinished record and no other") {
    const temporary_directory here;
    const std::string whole = header + record(1) + "\n" + record(2) + "\n" + record(3) + "\n";
    for (std::size_t length = header.size(); length <= whole.size(); ++length) {
        CAPTURE(length);
        const auto directory = here / std::to_string(length);
        put(file_of(directory, 1), whole.substr(0, length));
        const auto torn = whole.substr(0, length);
        // A record that is whole but for its line end counts.
        std::uint64_t left = 0;
        while (left < 3 && torn.find(record(left + 1)) != std::string::npos)
            ++left;
        CHECK(read(directory) == records(1, left));
        {
            auto log = journal::open(directory).value();
            append(log, record(left + 1));
        }
        CHECK(read(directory) == records(1, left + 1));
    }
}

TEST_CASE("a file whose header is torn is left as it is, and the journal goes on in the next") {
    const temporary_directory here;
    for (const std::string_view text : {"", "{\"primacy_jour", "\n", "{\"other\":1}\n"}) {
        CAPTURE(text);
        std::filesystem::remove_all(here / "j");
        put(file_of(here / "j", 4), text);
        {
            auto log = journal::open(here / "j").value();
            append(log, record(1));
        }
        CHECK(text_of(file_of(here / "j", 4)) == text);
        const auto contents = read_journal(here / "j").value();
        REQUIRE(contents.records.size() == 1);
        CHECK(contents.records[0].object == record(1));
        CHECK(contents.records[0].file == file_of(here / "j", 5));
        CHECK(contents.damages.size() == (text.empty() ? 0 : 1));
    }
}

TEST_CASE("a damaged line is told with its place and hides no other") {
    const temporary_directory here;
    put(file_of(here.path(), 1), header + record(1) + "\n{\"n\":2\n" + record(3) + "\n\n" +
                                     std::string(3, '\0') + "\n" + record(4) + "\n{\"torn");
    put(file_of(here.path(), 2), header + record(5) + "\n{\"torn");
    const auto contents = read_journal(here.path()).value();
    strings objects;
    for (const auto& each : contents.records)
        objects.push_back(each.object);
    CHECK(objects == strings{record(1), record(3), record(4), record(5)});
    REQUIRE(contents.damages.size() == 4);
    for (const auto& damage : contents.damages) {
        CHECK(damage.file == file_of(here.path(), 1));
        CHECK(damage.what == "is not a JSON object");
    }
    CHECK(contents.damages[0].line == 3);
    CHECK(contents.damages[1].line == 5);
    CHECK(contents.damages[2].line == 6);
    // Of an older file the end is no longer being written.
    CHECK(contents.damages[3].line == 8);
}

TEST_CASE("files that are missing or cannot be read are told as well") {
    const temporary_directory here;
    put(file_of(here.path(), 2), header + record(1) + "\n");
    put(file_of(here.path(), 4), header + record(2) + "\n");
    std::filesystem::create_directory(file_of(here.path(), 5));
    put(file_of(here.path(), 8), header + record(3) + "\n");
    const auto contents = read_journal(here.path()).value();
    CHECK(contents.records.size() == 3);
    REQUIRE(contents.damages.size() == 3);
    CHECK(contents.damages[0].file == file_of(here.path(), 3));
    CHECK(contents.damages[0].what == "is missing");
    CHECK(contents.damages[1].what.find("not a regular file") != std::string::npos);
    CHECK(contents.damages[2].what == "is missing, and all others before number 8");
}

TEST_CASE("a journal of a newer version is neither read nor written") {
    const temporary_directory here;
    put(file_of(here.path(), 1), "{\"primacy_journal\":2,\"x\":[]}\nsomething else\n");
    for (const auto code :
         {journal::open(here.path()).error().code, read_journal(here.path()).error().code})
        CHECK(code == errc::config);
    CHECK(journal::open(here.path()).error().message.find("newer version") != std::string::npos);
    CHECK(text_of(file_of(here.path(), 1)) == "{\"primacy_journal\":2,\"x\":[]}\nsomething else\n");
}

TEST_CASE("on a full disk an append fails, leaves no part of itself, and works again later") {
    const temporary_directory here;
    auto log = journal::open(here.path()).value();
    append(log, record(1));
    const auto before = text_of(file_of(here.path(), 1));
    for (const auto how : {durability::cached, durability::durable}) {
        for (std::size_t room = 0; room <= record(2).size(); ++room) {
            CAPTURE(room);
            result<void> failed;
            {
                const file_size_limit full_at(before.size() + room);
                failed = log.append(record(2), how);
            }
            REQUIRE(failed.has_error());
            CHECK(failed.error().code == errc::io);
            CHECK(failed.error().native == EFBIG);
            CHECK(text_of(file_of(here.path(), 1)) == before);
        }
    }
    append(log, record(2));
    CHECK(read(here.path()) == records(1, 2));
}

TEST_CASE("when no new file can be started, the journal goes on in the old one and says why") {
    const temporary_directory here;
    auto log = journal::open(here.path(), {30, 3}).value();
    append(log, record(1));
    std::filesystem::create_directory(file_of(here.path(), 2).string() + ".new");
    append(log, record(2));
    REQUIRE(log.rotation_trouble());
    CHECK(log.rotation_trouble()->message.find("journal-00000002.jsonl.new") != std::string::npos);
    CHECK(read(here.path()) == records(1, 2));
    std::filesystem::remove(file_of(here.path(), 2).string() + ".new");
    append(log, record(3));
    CHECK_FALSE(log.rotation_trouble());
    CHECK(read(here.path()) == records(1, 3));
    CHECK(std::filesystem::exists(file_of(here.path(), 2)));
}

TEST_CASE("what somebody does to the file meanwhile does not lose what is appended afterwards") {
    const temporary_directory here;
    const auto file = file_of(here / "j", 1);
    auto log = journal::open(here / "j").value();
    append(log, record(1));
    SUBCASE("removed") {
        std::filesystem::remove(file);
        append(log, record(2));
        CHECK(read(here / "j") == records(2, 2));
    }
    SUBCASE("removed with its directory") {
        std::filesystem::remove_all(here / "j");
        append(log, record(2));
        CHECK(read(here / "j") == records(2, 2));
    }
    SUBCASE("emptied") {
        std::filesystem::resize_file(file, 0);
        append(log, record(2));
        CHECK(read_journal(here / "j").value().records.size() == 1);
    }
    SUBCASE("left with half a line at its end") {
        std::ofstream(file, std::ios::app) << "{\"half";
        append(log, record(2));
        CHECK(read(here / "j") == records(1, 2));
    }
    SUBCASE("replaced by an editor") {
        put(here / "edited", header + record(7) + "\n" + record(8) + "\n");
        std::filesystem::rename(here / "edited", file);
        append(log, record(9));
        CHECK(read(here / "j") == records(7, 9));
    }
}

TEST_CASE("a directory that cannot be made or read is an error that names it") {
    const temporary_directory here;
    put(here / "file", "x");
    for (const auto& failed :
         {journal::open(here / "file").error(), read_journal(here / "file").error()}) {
        CHECK(failed.code == errc::io);
        CHECK(failed.message.find((here / "file").string()) != std::string::npos);
    }
}

namespace {

// Memory that a forked process shares with us.
struct shared_number {
    volatile std::uint64_t* value;

    shared_number() {
        void* page =
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        REQUIRE(page != MAP_FAILED);
        value = static_cast<std::uint64_t*>(page);
    }
    ~shared_number() { ::munmap(const_cast<std::uint64_t*>(value), 4096); }
};

// Appends 1, 2, 3 … until it is killed; `acknowledged` is the last number whose append returned.
int append_for_ever(const std::filesystem::path& directory, journal_limits limits,
                    volatile std::uint64_t* acknowledged) {
    auto log = journal::open(directory, limits);
    if (!log) return 1;
    for (std::uint64_t number = *acknowledged + 1;; ++number) {
        if (!log->append(record(number), durability::cached)) return 2;
        *acknowledged = number;
    }
}

}  // namespace

TEST_CASE("kill -9 at any moment loses no record whose append had returned") {
    auto random = primacy::tests::seeded_random();
    const temporary_directory here;
    const journal_limits limits{2000, 1'000'000};
    const shared_number acknowledged;
    for (int round = 0; round < 25; ++round) {
        const auto enough = *acknowledged.value + random() % 200;
        forked_process writer(
            [&] { return append_for_ever(here.path(), limits, acknowledged.value); });
        while (*acknowledged.value < enough && !writer.ended())
            std::this_thread::yield();
        REQUIRE(WIFSIGNALED(writer.kill()));
        // One that was killed between writing and returning is there twice.
        std::uint64_t expected = 1;
        for (const auto& object : read(here.path())) {
            if (object == record(expected))
                ++expected;
            else
                REQUIRE(object == record(expected - 1));
        }
        REQUIRE(expected > *acknowledged.value);
    }
}

// A command of root's takes the journal of an agent that runs as somebody else.
TEST_CASE("what root makes belongs to whoever owns the directory") {
    if (::geteuid() != 0) {
        MESSAGE("SKIPPED: only root can make files of others");
        return;
    }
    const temporary_directory state;
    REQUIRE(::chown(state.path().c_str(), 4711, 4712) == 0);
    const auto directory = state.path() / "journal";
    auto opened = journal::open(directory, {100, 3});
    REQUIRE(opened.has_value());
    for (std::uint64_t number = 0; number < 20; ++number)
        REQUIRE(opened->append(record(number), durability::cached).has_value());
    struct stat facts {};
    REQUIRE(::stat(directory.c_str(), &facts) == 0);
    CHECK(facts.st_uid == 4711);
    CHECK(facts.st_gid == 4712);
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
        CAPTURE(file.path());
        REQUIRE(::stat(file.path().c_str(), &facts) == 0);
        CHECK(facts.st_uid == 4711);
        CHECK(facts.st_gid == 4712);
    }
}
