#include "agent/rt/secret.hpp"

#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/stat.h>

using namespace primacy::rt;
using primacy::tests::temporary_directory;

namespace {

std::filesystem::path write_file(const std::filesystem::path& path, std::string_view content,
                                 mode_t mode) {
    std::ofstream(path, std::ios::binary) << content;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
}

bool mentions(const error& failure, std::string_view text) {
    return failure.message.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a secret is the one line of its file") {
    const temporary_directory here;
    CHECK(read_secret(write_file(here / "a", "s3cret\n", 0640)).value() == "s3cret");
    CHECK(read_secret(write_file(here / "b", "s3cret", 0600)).value() == "s3cret");
    CHECK(read_secret(write_file(here / "c", "s3cret\r\n", 0400)).value() == "s3cret");
    CHECK(read_secret(write_file(here / "d", " spaces stay \n", 0440)).value() == " spaces stay ");
}

TEST_CASE("a secret file wider than 0640 is refused with the command that mends it") {
    const temporary_directory here;
    for (const mode_t mode : {0641, 0642, 0644, 0660, 0740, 0650, 0777, 02640, 04640}) {
        CAPTURE(mode);
        const auto path = write_file(here / "wide", "s3cret\n", mode);
        const auto secret = read_secret(path);
        REQUIRE(secret.has_error());
        CHECK(secret.error().code == errc::config);
        CHECK(mentions(secret.error(), "chmod 0640 " + path.string()));
        CHECK_FALSE(mentions(secret.error(), "s3cret"));
    }
    const auto wide = read_secret(write_file(here / "wide", "s3cret\n", 0644));
    CHECK(mentions(wide.error(), "has mode 0644, which is wider than 0640"));
}

TEST_CASE("of a symbolic link it is the target that is checked") {
    const temporary_directory here;
    write_file(here / "narrow", "s3cret\n", 0640);
    write_file(here / "wide", "s3cret\n", 0644);
    std::filesystem::create_symlink("narrow", here / "to-narrow");
    std::filesystem::create_symlink("wide", here / "to-wide");
    CHECK(read_secret(here / "to-narrow").value() == "s3cret");
    CHECK(read_secret(here / "to-wide").has_error());
}

TEST_CASE("a secret is never read from what is not a regular file") {
    const temporary_directory here;
    REQUIRE(::mkfifo((here / "fifo").c_str(), 0600) == 0);
    for (const auto& path : {here / "fifo", here.path(), std::filesystem::path("/dev/null")}) {
        CAPTURE(path);
        const auto secret = read_secret(path);
        REQUIRE(secret.has_error());
        CHECK(mentions(secret.error(), "is not a regular file"));
    }
}

TEST_CASE("a secret must be there, be something, and be one line") {
    const temporary_directory here;
    const auto missing = read_secret(here / "missing");
    REQUIRE(missing.has_error());
    CHECK(missing.error().code == errc::config);
    CHECK(missing.error().native == ENOENT);
    CHECK(mentions(missing.error(), (here / "missing").string()));
    CHECK(mentions(missing.error(), "No such file"));

    CHECK(mentions(read_secret(write_file(here / "a", "", 0600)).error(), "is empty"));
    CHECK(mentions(read_secret(write_file(here / "b", "\n", 0600)).error(), "is empty"));
    CHECK(mentions(read_secret(write_file(here / "c", "one\ntwo\n", 0600)).error(),
                   "more than one line"));
    CHECK(
        mentions(read_secret(write_file(here / "d", std::string_view("nul\0in", 6), 0600)).error(),
                 "more than one line"));
}

TEST_CASE("a secret of more than 4 KiB is refused") {
    const temporary_directory here;
    const auto largest = write_file(here / "largest", std::string(4096, 'x'), 0600);
    CHECK(read_secret(largest).value().size() == 4096);
    const auto larger = read_secret(write_file(here / "larger", std::string(4097, 'x'), 0600));
    REQUIRE(larger.has_error());
    CHECK(larger.error().code == errc::config);
    CHECK_FALSE(mentions(larger.error(), "xxx"));
}
