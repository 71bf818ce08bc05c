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

std::string with_suffix(std::string_view table, std::string_view prefix, std::string_view suffix) {
    std::size_t room = longest_identifier - prefix.size() - suffix.size();
    return std::string(prefix) + std::string(cut_to_characters(table, room)) + std::string(suffix);
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

gh_ost_names gh_ost_names_of(std::string_view table) {
    return {with_suffix(table, "_", "_gho"), with_suffix(table, "_", "_ghc"),
            with_suffix(table, "_", "_ghk"), with_suffix(table, "_", "_del")};
}

bool is_gh_ost_timestamped_old(std::string_view name, std::string_view table) {
    constexpr std::size_t digits = 14;
    constexpr std::string_view ending = "_del";
    if (name.size() < digits + ending.size() + 2 || !name.ends_with(ending)) return false;
    std::string_view stamp = name.substr(name.size() - ending.size() - digits, digits);
    if (!std::all_of(stamp.begin(), stamp.end(), is_digit)) return false;
    std::string suffix = "_" + std::string(stamp) + std::string(ending);
    return name == with_suffix(table, "_", suffix);
}

pt_osc_names pt_osc_names_of(const table_name& name) {
    pt_osc_names made;
    for (std::size_t underscores = 1; underscores <= 10; ++underscores) {
        std::string prefix(underscores, '_');
        made.copies.push_back((prefix + name.table + "_new").substr(0, longest_identifier));
        made.olds.push_back((prefix + name.table + "_old").substr(0, longest_identifier));
    }
    std::string stem = "pt_osc_" + name.database + "_" + name.table;
    std::replace_if(
        stem.begin(), stem.end(), [](char c) { return !is_word(c); }, '_');
    stem = stem.substr(0, 60);
    for (const char* event : {"_del", "_upd", "_ins"})
        made.triggers.push_back(stem + event);
    return made;
}

}  // namespace primacy::osc
