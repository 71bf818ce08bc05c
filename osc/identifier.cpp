#include "osc/identifier.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

bool begins_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_plain(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '$'; });
}

// One part of a dotted name at the front of `text`, which loses it; absent when it is malformed.
std::optional<std::string> take_part(std::string_view& text) {
    std::string part;
    if (text.empty()) return std::nullopt;
    if (text.front() != '`') {
        std::size_t end = std::min(text.find('.'), text.size());
        part = text.substr(0, end);
        text.remove_prefix(end);
        if (part.find_first_of("` \t\r\n'\";") != std::string::npos) return std::nullopt;
        return part;
    }
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] != '`') {
            part += text[i];
        } else if (i + 1 < text.size() && text[i + 1] == '`') {
            part += '`';
            ++i;
        } else {
            text.remove_prefix(i + 1);
            return part;
        }
    }
    return std::nullopt;
}

// As many whole characters as fit into so many bytes.
std::string_view cut_to_bytes(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && !begins_character(text[bytes]))
        --bytes;
    return text.substr(0, bytes);
}

std::string gh_ost_name(std::string_view table, std::string_view suffix) {
    std::size_t room = longest_identifier - 1 - suffix.size();
    return "_" + std::string(cut_to_bytes(table, room)) + std::string(suffix);
}

// Bytes of the character that begins at the front.
std::size_t length_of_character(std::string_view text) {
    std::size_t length = 1;
    while (length < text.size() && !begins_character(text[length]))
        ++length;
    return length;
}

// Perl's s/\W/_/g, where a character beyond ASCII may be a word character or not.
bool matches_stem(std::string_view found, std::string_view wanted) {
    for (; !wanted.empty(); wanted.remove_prefix(length_of_character(wanted))) {
        std::string_view character = wanted.substr(0, length_of_character(wanted));
        bool kept = found.starts_with(character) && (is_word(character[0]) || !is_ascii(character));
        bool replaced = found.starts_with('_') && !is_word(character[0]);
        if (!kept && !replaced) return false;
        found.remove_prefix(kept ? character.size() : 1);
    }
    return found.empty();
}

// The common stem of a table's triggers before Perl replaces anything.
std::string raw_trigger_stem(const table_name& name) {
    return "pt_osc_" + name.database + "_" + name.table;
}

constexpr std::size_t longest_trigger_stem = 60;

// Each sign is an underscore; beyond ASCII all bytes are taken for signs, or all for letters.
std::string without_signs(std::string text, bool keep_beyond_ascii) {
    std::replace_if(
        text.begin(), text.end(),
        [&](char c) {
            bool beyond = static_cast<unsigned char>(c) >= 0x80;
            return beyond ? !keep_beyond_ascii : !is_word(c);
        },
        '_');
    return text;
}

}  // namespace

std::string quoted(std::string_view identifier) {
    std::string made = "`";
    for (char c : identifier) {
        made += c;
        if (c == '`') made += '`';
    }
    return made + '`';
}

std::string quoted(const table_name& name) {
    return quoted(name.database) + "." + quoted(name.table);
}

std::string literal(std::string_view text) {
    if (text.find('\\') != std::string_view::npos) {
        static constexpr char digits[] = "0123456789abcdef";
        std::string made = "CONVERT(x'";
        for (unsigned char c : text) {
            made += digits[c >> 4];
            made += digits[c & 15];
        }
        return made + "' USING utf8mb4)";
    }
    std::string made = "'";
    for (char c : text) {
        made += c;
        if (c == '\'') made += '\'';
    }
    return made + '\'';
}

std::string readable(const table_name& name) {
    auto part = [](const std::string& text) { return is_plain(text) ? text : quoted(text); };
    return part(name.database) + "." + part(name.table);
}

parsed_name parse_table_name(std::string_view text) {
    const std::string shown(text);
    auto database = take_part(text);
    if (!database)
        return {std::nullopt, "\"" + shown + "\" is no table name: write DATABASE.TABLE"};
    if (text.empty())
        return {std::nullopt, "\"" + shown + "\" names no database: write DATABASE.TABLE"};
    if (text.front() != '.')
        return {std::nullopt, "\"" + shown + "\" is no table name: write DATABASE.TABLE"};
    text.remove_prefix(1);
    auto table = take_part(text);
    if (!table || !text.empty())
        return {std::nullopt, "\"" + shown +
                                  "\" is no table name: write DATABASE.TABLE, and put a "
                                  "name that is not plain in backquotes"};
    if (database->empty() || table->empty())
        return {std::nullopt, "\"" + shown + "\" has an empty part: write DATABASE.TABLE"};
    return {table_name{std::move(*database), std::move(*table)}, ""};
}

std::string unusable_because(const table_name& name) {
    for (const std::string* part : {&name.database, &name.table}) {
        auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
        if (std::any_of(part->begin(), part->end(), is_control))
            return "the name of the table holds a line end or another control character; rename it "
                   "first";
        if (!is_utf8(*part)) return "a name is not UTF-8; write it as the server shows it";
        if (character_count(*part) > longest_identifier)
            return "a name has more than 64 characters, which no server allows";
    }
    return "";
}

std::size_t character_count(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string_view cut_to_characters(std::string_view text, std::size_t characters) noexcept {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (begins_character(text[i]) && ++seen > characters) return text.substr(0, i);
    return text;
}

bool is_utf8(std::string_view text) noexcept {
    auto byte = [&](std::size_t at) -> unsigned {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
    };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned first = byte(i), second = byte(i + 1);
        std::size_t more = first < 0x80                     ? 0
                           : first >= 0xC2 && first <= 0xDF ? 1
                           : first >= 0xE0 && first <= 0xEF ? 2
                           : first >= 0xF0 && first <= 0xF4 ? 3
                                                            : text.size();
        // Neither overlong, nor a surrogate, nor beyond U+10FFFF.
        bool odd = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                   (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
        if (odd || i + more >= text.size()) return false;
        for (std::size_t k = 1; k <= more; ++k)
            if (begins_character(text[i + k])) return false;
        i += more + 1;
    }
    return true;
}

gh_ost_names gh_ost_names_of(std::string_view table) {
    return {gh_ost_name(table, "_gho"), gh_ost_name(table, "_ghc"), gh_ost_name(table, "_ghk"),
            gh_ost_name(table, "_del")};
}

bool gh_ost_can_name(std::string_view table) noexcept {
    constexpr std::string_view longest_suffix = "_20261125083059_del";
    for (std::size_t suffix : {std::size_t{4}, longest_suffix.size()}) {
        std::size_t room = longest_identifier - 1 - suffix;
        if (table.size() > room && !begins_character(table[room])) return false;
    }
    return true;
}

bool is_gh_ost_timestamped_old(std::string_view name, std::string_view table) {
    constexpr std::size_t digits = 14;
    constexpr std::string_view ending = "_del";
    if (name.size() < digits + ending.size() + 2 || !name.ends_with(ending)) return false;
    std::string_view stamp = name.substr(name.size() - ending.size() - digits, digits);
    if (!std::all_of(stamp.begin(), stamp.end(), is_digit)) return false;
    return name == gh_ost_name(table, "_" + std::string(stamp) + std::string(ending));
}

pt_osc_names pt_osc_names_of(const table_name& name) {
    pt_osc_names made;
    auto cut = [](const std::string& text) {
        return std::string(cut_to_characters(text, longest_identifier));
    };
    for (std::size_t underscores = 1; underscores <= 10; ++underscores) {
        std::string prefix(underscores, '_');
        made.copies.push_back(cut(prefix + name.table + "_new"));
        made.olds.push_back(cut(prefix + name.table + "_old"));
    }
    std::string stem = raw_trigger_stem(name);
    stem = without_signs(std::string(cut_to_characters(stem, longest_trigger_stem)), true);
    for (const char* event : {"_del", "_upd", "_ins"})
        made.triggers.push_back(stem + event);
    return made;
}

bool is_pt_osc_trigger(std::string_view name, const table_name& table) {
    if (!name.ends_with("_del") && !name.ends_with("_upd") && !name.ends_with("_ins")) return false;
    name.remove_suffix(4);
    const std::string stem = raw_trigger_stem(table);
    // Read as characters, or (an account without UTF-8) as bytes.
    return matches_stem(name, cut_to_characters(stem, longest_trigger_stem)) ||
           name == without_signs(stem, false).substr(0, longest_trigger_stem);
}

}  // namespace primacy::osc
