// What the GTID tests share: texts to values.
#pragma once

#include "checks/gtid.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace gtid_support {

inline primacy::checks::mariadb_gtid_state state(std::string_view text) {
    auto parsed = primacy::checks::mariadb_gtid_state::parse(text);
    REQUIRE_MESSAGE(parsed, text);
    return *parsed;
}

inline primacy::checks::mysql_gtid_set gtid_set(std::string_view text) {
    auto parsed = primacy::checks::mysql_gtid_set::parse(text);
    REQUIRE_MESSAGE(parsed, text);
    return *parsed;
}

}  // namespace gtid_support
