#include "agent/rt/file.hpp"

#include "tests/support/file_size_limit.hpp"
#include "tests/support/forked_process.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>

using namespace primacy::rt;
using primacy::tests::file_size_limit;
using primacy::tests::forked_process;
using primacy::tests::temporary_directory;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
    struct stat facts {};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    return facts.st_mode & 07777;
}

std::size_t entries_in(const std::filesystem::path& directory) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory), {}));
}

// Sets the umask for one test.
struct umask_guard {
    explicit umask_guard(mode_t mask) : former(::umask(mask)) {}
    ~umask_guard() { ::umask(former); }
    mode_t former;
};

}  // namespace

TEST_CASE("read_file returns the whole content up to the limit") {
    const temporary_directory here;
    const std::string content("line\nwith a \0 in it", 18);
    REQUIRE(replace_file(here / "a", content, durability::cached).has_value());
    CHECK(read_file(here / "a", 18).value() == content);
    const auto larger = read_file(here / "a", 17);
    REQUIRE(larger.has_error());
    CHECK(larger.error().code == errc::limit);
    CHECK(larger.error().message.find("larger than 17 bytes") != std::string::npos);
}

TEST_CASE("read_file names the file and the reason when it cannot read") {
    const temporary_directory here;
    const auto missing = read_file(here / "missing", 100);
    REQUIRE(missing.has_error());
    CHECK(missing.error().native == ENOENT);
    CHECK(missing.error().message ==
          "open " + (here / "missing").string() + ": No such file or directory");
    REQUIRE(::mkfifo((here / "fifo").c_str(), 0600) == 0);
    CHECK(read_file(here / "fifo", 100).error().message.find("not a regular file") !=
          std::string::npos);
    CHECK(read_file(here.path(), 100).error().message.find("not a regular file") !=
          std::string::npos);
}

TEST_CASE("replace_file makes and replaces, with the mode asked for, and leaves nothing beside") {
    const temporary_directory here;
    const umask_guard strict(077);
    for (const auto how : {durability::durable, durability::cached}) {
        REQUIRE(replace_file(here / "state", "one", how, 0644).has_value());
        CHECK(read_file(here / "state", 100).value() == "one");
        CHECK(mode_of(here / "state") == 0644);
        REQUIRE(replace_file(here / "state", "", how).has_value());
        CHECK(read_file(here / "state", 100).value().empty());
        CHECK(mode_of(here / "state") == 0640);
    }
    CHECK(entries_in(here.path()) == 1);
}

TEST_CASE("replace_file keeps the old content and leaves no temporary file when the disk is full") {
    const temporary_directory here;
    REQUIRE(replace_file(here / "state", "old", durability::durable).has_value());
    result<void> failed;
    {
        const file_size_limit full_at(1000);
        failed = replace_file(here / "state", std::string(5000, 'n'), durability::durable);
    }
    REQUIRE(failed.has_error());
    CHECK(failed.error().code == errc::io);
    CHECK(failed.error().native == EFBIG);
    CHECK(read_file(here / "state", 100).value() == "old");
    CHECK(entries_in(here.path()) == 1);
}

TEST_CASE("replace_file leaves no temporary file when the new content cannot be moved into place") {
    const temporary_directory here;
    std::filesystem::create_directory(here / "state");
    const auto failed = replace_file(here / "state", "new", durability::durable);
    REQUIRE(failed.has_error());
    CHECK(failed.error().message.find((here / "state").string()) != std::string::npos);
    CHECK(entries_in(here.path()) == 1);
    CHECK(replace_file(here / "no" / "such", "new", durability::durable).has_error());
}

TEST_CASE("replace_file takes over what a killed writer left, and refuses beside a living one") {
    const temporary_directory here;
    std::ofstream(here / "state.new") << std::string(100, 'x');
    REQUIRE(replace_file(here / "state", "mine", durability::durable).has_value());
    CHECK(read_file(here / "state", 100).value() == "mine");
    CHECK(entries_in(here.path()) == 1);

    const descriptor living(
        ::open((here / "state.new").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::flock(living.get(), LOCK_EX) == 0);
    const auto refused = replace_file(here / "state", "theirs", durability::durable);
    REQUIRE(refused.has_error());
    CHECK(refused.error().message.find("another process is writing") != std::string::npos);
    CHECK(read_file(here / "state", 100).value() == "mine");
}

TEST_CASE("replace_file does not write through a symbolic link that waits at its temporary name") {
    const temporary_directory here;
    std::ofstream(here / "victim") << "untouched";
    std::filesystem::create_symlink("victim", here / "state.new");
    CHECK(replace_file(here / "state", "mine", durability::durable).has_error());
    CHECK(read_file(here / "victim", 100).value() == "untouched");
    std::filesystem::create_symlink("nowhere", here / "other.new");
    CHECK(replace_file(here / "other", "mine", durability::durable).has_error());
    CHECK_FALSE(std::filesystem::exists(here / "nowhere"));
}

namespace {

constexpr std::size_t state_size = 100'000;

// A content is one letter all the way through, so that half of one shows.
std::string content_of(char letter) {
    return std::string(state_size, letter);
}

bool is_whole(const std::string& content) {
    return content.size() == state_size && content == content_of(content.front());
}

int replace_for_ever(const std::filesystem::path& path) {
    for (char letter = 'a';; letter = letter == 'z' ? 'a' : static_cast<char>(letter + 1)) {
        if (!replace_file(path, content_of(letter), durability::cached)) return 1;
    }
}

}  // namespace

TEST_CASE("kill -9 at any moment of replace_file leaves the old content or the new one") {
    auto random = primacy::tests::seeded_random();
    const temporary_directory here;
    const auto state = here / "state";
    REQUIRE(replace_file(state, content_of('a'), durability::cached).has_value());
    for (int round = 0; round < 40; ++round) {
        forked_process writer([&state] { return replace_for_ever(state); });
        for (auto looks = random() % 20; looks > 0; --looks)
            REQUIRE(is_whole(read_file(state, 2 * state_size).value()));
        REQUIRE(WIFSIGNALED(writer.kill()));
        REQUIRE(is_whole(read_file(state, 2 * state_size).value()));
    }
    REQUIRE(replace_file(state, "last", durability::durable).has_value());
    CHECK(entries_in(here.path()) == 1);
}

TEST_CASE("ensure_directory makes what is missing and leaves what is there") {
    const temporary_directory here;
    const umask_guard strict(077);
    REQUIRE(ensure_directory(here / "a/b/c", 0750).has_value());
    CHECK(mode_of(here / "a/b/c") == 0750);
    CHECK(mode_of(here / "a/b") == 0755);
    REQUIRE(ensure_directory(here / "a/b/c", 0700).has_value());
    CHECK(mode_of(here / "a/b/c") == 0750);
    REQUIRE(ensure_directory(here / "d/e/", 0710).has_value());
    CHECK(mode_of(here / "d/e") == 0710);
}

TEST_CASE("ensure_directory says what stands in its way") {
    const temporary_directory here;
    std::ofstream(here / "file") << "x";
    const auto in_the_way = ensure_directory(here / "file", 0750);
    REQUIRE(in_the_way.has_error());
    CHECK(in_the_way.error().message ==
          (here / "file").string() + " exists and is not a directory");
    CHECK(ensure_directory(here / "file/below", 0750).has_error());
    std::filesystem::create_symlink("nowhere", here / "dangling");
    CHECK(ensure_directory(here / "dangling", 0750).has_error());
}
