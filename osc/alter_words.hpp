// The words of a piece of SQL: comments gone, quotes kept together, brackets nested. What servers
// read differently by their sql_mode, or run although it looks like a comment, is a problem and no
// word. Pure; knows no statement.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

struct sql_word {
    // `text` is '…' or "…"; under ANSI_QUOTES the latter is a name.
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
    std::string problem;  // why it can't be read, a clause; empty: it can
};

// What a statement may have at most: it becomes one argument of a program, and Linux takes no more
// than 128 KiB of those.
constexpr std::size_t longest_sql = 100'000;

sql_words split_sql(std::string_view text);

// The words of `all` from `first` up to `last` as they stand in the text, each gap between them
// (blanks, comments) one blank: whoever runs it reads what was read here.
std::string plain_text(std::string_view text, const sql_word* first, const sql_word* last);

}  // namespace primacy::osc
