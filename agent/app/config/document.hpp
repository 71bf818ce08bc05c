// The text of a configuration file as a tree of values that know where they stand. The only place
// that knows the TOML library. Knows nothing of which keys there are.
#pragma once

#include "agent/app/config/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::app {

enum class value_kind {
    text,
    integer,
    real,  // a number with a fraction, or inf or nan
    boolean,
    date,  // or a time; no key takes one
    list,
    table
};

struct document_entry;

struct document_value {
    value_kind kind = value_kind::table;
    file_position at;
    std::string text;                     // of a text
    std::int64_t integer = 0;             // of an integer
    bool flag = false;                    // of a boolean
    std::vector<document_value> items;    // of a list
    std::vector<document_entry> entries;  // of a table, in the order of the file

    const document_entry* find(std::string_view key) const;
};

struct document_entry {
    std::string key;
    file_position at;  // of the key
    document_value value;
};

struct document {
    document_value root;
    std::optional<config_problem> problem;  // the first thing that is no TOML; root is then empty
};

// Total: any bytes in, a tree or a problem out. The tree is at most some thousand levels deep.
document parse_document(std::string_view text);

// A value as it is shown in a complaint: `the integer 5`, `"abc"`, `a list`.
std::string shown(const document_value& value);

// Where a text holds a control character, npos when nowhere.
std::size_t control_at(std::string_view text);

// A text in quotes for a complaint: cut when it is long, with nothing in it that moves a cursor.
std::string in_quotes(std::string_view text);

}  // namespace primacy::app
