// One value of the configuration after its own key has checked it: type, words, bounds, form.
// Knows nothing of how values fit together.
#pragma once

#include "agent/app/config/document.hpp"
#include "agent/app/config/keys.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::app {

struct setting {
    file_position at;               // of the value; of the section when it is not written
    bool written = false;           // false: the key's default
    bool good = true;               // false: a problem has been reported, and this is the default
    std::string text;               // of every type that is written as one text; paths are absolute
    std::int64_t number = 0;        // of number, duration (ms), flag (0, 1); position of a word
    std::vector<std::string> list;  // of lists
    std::vector<file_position> list_positions;  // of its items, when written
    const document_value* value = nullptr;      // of tables; lives as long as the document

    std::chrono::milliseconds duration() const { return std::chrono::milliseconds(number); }
    template <class Enumeration>
    Enumeration as() const {
        return static_cast<Enumeration>(number);
    }
};

struct checked_value {
    setting result;
    std::string complaint;  // "expected …, got …"; empty when it is fine
    file_position at;       // of what the complaint is about
};

// Relative paths become those beneath `directory`.
checked_value check_value(const key_description& key, const document_value& value,
                          const std::filesystem::path& directory);

// What the key's default text means.
setting default_of(const key_description& key, const std::filesystem::path& directory);

// What the key takes: `a duration such as "250ms", "2s" or "10m"`.
std::string expectation_of(const key_description& key);

// Empty when a name is of the form that every name must have, else what was expected.
std::string_view name_complaint(std::string_view name);

}  // namespace primacy::app
