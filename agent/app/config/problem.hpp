// One thing that is wrong with a configuration file, where it is and in a sentence that says what
// to do. Knows nothing of what the file means.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace primacy::app {

// Both from 1, columns in characters; line 0 is the file as a whole.
struct file_position {
    std::size_t line = 0;
    std::size_t column = 0;

    auto operator<=>(const file_position&) const = default;
};

struct config_problem {
    std::size_t line = 0;
    std::size_t column = 0;
    std::string message;
};

// "/etc/primacy/primacy.toml:12:5: topology.shop: unknown key …".
std::string to_text(std::string_view path, const config_problem& problem);

}  // namespace primacy::app
