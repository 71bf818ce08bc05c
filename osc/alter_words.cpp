#include "osc/alter_words.hpp"

#include "osc/identifier.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

// Whether a backslash takes the next character's meaning away, by the server's sql_mode: in '…'
// unless NO_BACKSLASH_ESCAPES, in "…" neither then nor under ANSI_QUOTES.
struct reading {
    bool escapes_in_text = true;
    bool escapes_in_double_quotes = true;
};

struct splitting {
    std::string_view text;
    reading mode;
    std::size_t at = 0;
    int depth = 0;
    sql_words made;

    bool stands(std::string_view what) const { return text.substr(at).starts_with(what); }
    void add(sql_word::form what, std::string value, std::size_t begins) {
        made.words.push_back({what, std::move(value), begins, at, depth});
    }
    void skip_line() {
        while (at < text.size() && text[at] != '\n')
            ++at;
    }
    // A comment at `at`, if one begins there. "--" is one only before a space (MySQL's manual).
    bool skip_comment() {
        bool dashes = stands("--") && (at + 2 == text.size() || is_space(text[at + 2]));
        if (text[at] == '#' || dashes) {
            skip_line();
            return true;
        }
        if (stands("--")) {  // once a comment behind it is gone, it may be one
            made.problem = "-- without a blank behind it is no comment; write a blank, or - -";
            return true;
        }
        if (!stands("/*")) return false;
        if (stands("/*!") || stands("/*M!")) {
            made.problem = "a comment that some servers execute (/*! … */) is not allowed here";
            return true;
        }
        std::size_t end = text.find("*/", at + 2);
        if (end == std::string_view::npos) made.problem = "a comment is not closed";
        at = end == std::string_view::npos ? text.size() : end + 2;
        return true;
    }
    void take_quoted() {
        const std::size_t begins = at;
        const char quote = text[at++];
        const bool escapes = quote == '\''  ? mode.escapes_in_text
                             : quote == '"' ? mode.escapes_in_double_quotes
                                            : false;
        std::string value;
        for (; at < text.size(); ++at) {
            if (escapes && text[at] == '\\' && at + 1 < text.size()) {
                value += text[at++];
                value += text[at];
            } else if (text[at] != quote) {
                value += text[at];
            } else if (at + 1 < text.size() && text[at + 1] == quote) {
                value += quote;
                ++at;
            } else {
                ++at;
                add(quote == '`' ? sql_word::form::quoted_name : sql_word::form::text,
                    std::move(value), begins);
                return;
            }
        }
        made.problem = std::string("a quote (") + quote + ") is not closed";
    }
    void take_symbol() {
        const char c = text[at++];
        if (c == ')' && --depth < 0) made.problem = "there is a ) without its (";
        add(sql_word::form::symbol, std::string(1, c), at - 1);
        if (c == '(') ++depth;
    }
    void take_plain() {
        const std::size_t begins = at;
        while (at < text.size() && is_plain(text[at]))
            ++at;
        add(sql_word::form::plain, std::string(text.substr(begins, at - begins)), begins);
    }
};

sql_words split_as(std::string_view text, reading mode) {
    splitting now{text, mode, 0, 0, {}};
    while (now.at < text.size() && now.made.problem.empty()) {
        char c = text[now.at];
        if (is_space(c))
            ++now.at;
        else if (now.skip_comment())
            continue;
        else if (c == '\'' || c == '"' || c == '`')
            now.take_quoted();
        else if (is_plain(c))
            now.take_plain();
        else
            now.take_symbol();
    }
    if (now.made.problem.empty() && now.depth > 0) now.made.problem = "a ( is not closed";
    return std::move(now.made);
}

bool same_borders(const sql_words& one, const sql_words& other) {
    return one.problem == other.problem &&
           std::equal(one.words.begin(), one.words.end(), other.words.begin(), other.words.end(),
                      [](const sql_word& a, const sql_word& b) {
                          return a.what == b.what && a.begins == b.begins && a.ends == b.ends;
                      });
}

std::string unreadable_because(std::string_view text) {
    if (text.size() > longest_sql)
        return "it has more than " + std::to_string(longest_sql) + " bytes";
    if (text.find('\0') != std::string_view::npos) return "it holds a NUL character";
    // Servers begin a comment at "--" and one of these, and take some of them for blanks.
    auto is_control = [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) && !is_space(c);
    };
    if (std::any_of(text.begin(), text.end(), is_control))
        return "it holds a control character; write it as x'…'";
    if (!is_utf8(text)) return "it is not UTF-8";
    return "";
}

}  // namespace

bool sql_word::is(std::string_view keyword) const noexcept {
    if (what != form::plain || value.size() != keyword.size()) return false;
    for (std::size_t i = 0; i < value.size(); ++i)
        if (lower(value[i]) != lower(keyword[i])) return false;
    return true;
}

sql_words split_sql(std::string_view text) {
    sql_words made;
    made.problem = unreadable_because(text);
    if (!made.problem.empty()) return made;
    made = split_as(text, {true, true});
    for (reading other : {reading{false, false}, reading{true, false}})
        if (!same_borders(made, split_as(text, other)))
            return {{},
                    "where a quote ends depends on the server's sql_mode; write '' for a quote "
                    "in a text, and no backslash before one"};
    return made;
}

std::string plain_text(std::string_view text, const sql_word* first, const sql_word* last) {
    std::string made;
    for (const sql_word* word = first; word != last; ++word) {
        if (word != first && word->begins > word[-1].ends) made += ' ';
        made += text.substr(word->begins, word->ends - word->begins);
    }
    return made;
}

}  // namespace primacy::osc
