// The words of a piece of SQL: comments gone, quotes kept together, brackets nested. Pure; knows
// no statement.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

struct sql_word {
    enum class form { plain, quoted_name, text, symbol } what = form::plain;
    std::string value;                 // unquoted; of `plain` as it stands
    std::size_t begins = 0, ends = 0;  // in the text
    int depth = 0;                     // of brackets around it

    // Letter case ignored; only plain words are keywords.
    bool is(std::string_view keyword) const noexcept;
    bool is_symbol(char c) const noexcept { return what == form::symbol && value[0] == c; }
    bool is_name() const noexcept { return what == form::quoted_name || what == form::plain; }
};

struct sql_words {
    std::vector<sql_word> words;
    std::string problem;  // an open quote, comment or bracket; empty: none
};

sql_words split_sql(std::string_view text);

}  // namespace primacy::osc
