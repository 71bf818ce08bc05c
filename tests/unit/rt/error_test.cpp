#include "agent/rt/error.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace primacy::rt;

TEST_CASE("errno is classed by number, never by text") {
    CHECK(from_errno(ECONNREFUSED, "connect").code == errc::refused);
    CHECK(from_errno(EHOSTUNREACH, "connect").code == errc::unreachable);
    CHECK(from_errno(ECONNRESET, "read").code == errc::lost);
    CHECK(from_errno(ENOENT, "open /x").code == errc::io);
    CHECK(from_errno(ENOENT, "open /x").message == "open /x: No such file or directory");
}
