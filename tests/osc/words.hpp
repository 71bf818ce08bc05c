// Words of a story's line: blanks separate, "quotes hold blanks together"; and values in them.
#pragma once

#include "osc/identifier.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace primacy::osc_stories {

std::vector<std::string> words_of(const std::string& line);
// What follows the first word, as it stands.
std::string after_first_word(const std::string& line);

struct pair_of_words {
    std::string key, value;  // of "key=value"; the value is empty without "="
};
pair_of_words split_at(const std::string& word, char separator);
std::vector<std::string> split_list(const std::string& text, char separator);

// "250ms", "90s", "10m", "2h", "3d"
std::optional<std::chrono::milliseconds> duration_of(const std::string& text);
// "22:00"
std::optional<std::chrono::minutes> time_of_day(const std::string& text);
// "500MB", "12GB", "1234"
std::optional<std::uint64_t> bytes_of(const std::string& text);
// "yes", "no"; anything else is unknown
std::optional<bool> switch_of(const std::string& text);

}  // namespace primacy::osc_stories
