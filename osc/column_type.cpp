#include "osc/column_type.hpp"

#include "osc/alter_words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace primacy::osc {

namespace {

struct type {
    std::string base;                 // lower case, one name for each: "int", not "integer"
    std::vector<std::string> inside;  // of the brackets
    bool is_unsigned = false;
    bool known = true;  // nothing else stands there

    std::uint64_t number(std::size_t at, std::uint64_t otherwise) const {
        if (at >= inside.size() || inside[at].empty() || inside[at].size() > 9) return otherwise;
        std::uint64_t made = 0;
        for (char c : inside[at]) {
            if (c < '0' || c > '9') return otherwise;
            made = made * 10 + static_cast<std::uint64_t>(c - '0');
        }
        return made;
    }
    bool operator==(const type&) const = default;
};

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return text;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> synonyms = {
    {{"integer", "int"},
     {"int4", "int"},
     {"int8", "bigint"},
     {"int2", "smallint"},
     {"int1", "tinyint"},
     {"bool", "tinyint"},
     {"boolean", "tinyint"},
     {"dec", "decimal"},
     {"numeric", "decimal"},
     {"fixed", "decimal"},
     {"character", "char"},
     {"real", "double"}}};

constexpr std::array<std::pair<std::string_view, int>, 5> integers = {
    {{"tinyint", 1}, {"smallint", 2}, {"mediumint", 3}, {"int", 4}, {"bigint", 8}}};

// How many bytes each can hold.
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> blobs = {
    {{"tinytext", 255},
     {"text", 65'535},
     {"mediumtext", 16'777'215},
     {"longtext", 4'294'967'295},
     {"tinyblob", 255},
     {"blob", 65'535},
     {"mediumblob", 16'777'215},
     {"longblob", 4'294'967'295}}};

template <class Table>
auto found_in(const Table& table, std::string_view name)
    -> std::optional<typename Table::value_type::second_type> {
    for (const auto& [each, value] : table)
        if (each == name) return value;
    return std::nullopt;
}

type type_of(std::string_view text) {
    type made;
    sql_words split = split_sql(text);
    made.known = split.problem.empty() && !split.words.empty();
    if (!made.known) return made;
    made.base = lower(split.words[0].value);
    if (auto other = found_in(synonyms, made.base)) made.base = *other;
    for (std::size_t i = 1; i < split.words.size(); ++i) {
        const sql_word& word = split.words[i];
        if (word.depth == 1 && !word.is_symbol(','))
            made.inside.push_back(word.value);
        else if (word.is("UNSIGNED") || word.is("ZEROFILL"))
            made.is_unsigned = true;
        else if (!word.is("SIGNED") && word.what != sql_word::form::symbol)
            made.known = false;
    }
    // The brackets of an integer are for display; those of others have a value when left out.
    if (found_in(integers, made.base) || made.base == "year") made.inside.clear();
    if (made.base == "decimal")
        made.inside = {std::to_string(made.number(0, 10)), std::to_string(made.number(1, 0))};
    if (made.base == "char" || made.base == "binary" || made.base == "bit")
        made.inside = {std::to_string(made.number(0, 1))};
    if (made.base == "datetime" || made.base == "timestamp" || made.base == "time")
        made.inside = {std::to_string(made.number(0, 0))};
    return made;
}

bool integer_holds(const type& now, const type& old, int new_size, int old_size) {
    if (now.is_unsigned == old.is_unsigned) return new_size >= old_size;
    return old.is_unsigned && new_size > old_size;
}

bool decimal_holds(const type& now, const type& old) {
    auto before_point = [](const type& each) { return each.number(0, 10) - each.number(1, 0); };
    return now.number(1, 0) >= old.number(1, 0) && before_point(now) >= before_point(old) &&
           (now.is_unsigned == old.is_unsigned || old.is_unsigned);
}

// Characters, as far as brackets say; the widest have four bytes.
constexpr std::uint64_t widest_character = 4;

bool text_holds(const type& now, const type& old) {
    const bool was_text = old.base == "varchar" || old.base == "char";
    const bool was_binary = old.base == "varbinary";
    const auto room = found_in(blobs, now.base);
    const bool binary_room = now.base.ends_with("blob");
    if (room && was_text) return !binary_room && *room >= widest_character * old.number(0, 1 << 20);
    if (room && was_binary) return binary_room && *room >= old.number(0, 1 << 20);
    if (now.base == "varchar" && was_text) return now.number(0, 0) >= old.number(0, 1 << 20);
    return false;
}

}  // namespace

bool is_same_type(std::string_view one, std::string_view other) {
    const type a = type_of(one), b = type_of(other);
    return a.known && a == b;
}

bool holds_every_value(std::string_view new_type, std::string_view old_type) {
    const type now = type_of(new_type), old = type_of(old_type);
    if (!now.known || !old.known) return false;
    if (now == old) return true;
    const auto new_size = found_in(integers, now.base), old_size = found_in(integers, old.base);
    if (new_size && old_size) return integer_holds(now, old, *new_size, *old_size);
    if (now.base == "decimal" && old.base == "decimal") return decimal_holds(now, old);
    if (now.base == "double" && old.base == "float")
        return old.inside.empty() && now.inside.empty();
    const auto new_room = found_in(blobs, now.base), old_room = found_in(blobs, old.base);
    if (new_room && old_room)
        return now.base.ends_with("blob") == old.base.ends_with("blob") && *new_room >= *old_room;
    static constexpr std::array<std::string_view, 6> longer = {"varchar",  "char",      "varbinary",
                                                               "datetime", "timestamp", "time"};
    const bool may_grow = std::find(longer.begin(), longer.end(), now.base) != longer.end();
    if (may_grow && now.base == old.base) return now.number(0, 0) >= old.number(0, 1 << 20);
    if ((now.base == "enum" || now.base == "set") && now.base == old.base)
        return now.inside.size() >= old.inside.size() &&
               std::equal(old.inside.begin(), old.inside.end(), now.inside.begin());
    return text_holds(now, old);
}

bool is_mere_extension(std::string_view new_type, std::string_view old_type) {
    const type now = type_of(new_type), old = type_of(old_type);
    if (!now.known || !old.known || now.base != "varchar" || old.base != "varchar") return false;
    const std::uint64_t longer = now.number(0, 0), shorter = old.number(0, 0);
    // One byte of length up to 255 bytes, two beyond.
    return shorter > 0 && longer >= shorter && (widest_character * longer <= 255 || shorter > 255);
}

bool is_text(std::string_view text) {
    const std::string base = type_of(text).base;
    static constexpr std::array<std::string_view, 4> all = {"char", "varchar", "enum", "set"};
    return base.ends_with("text") || std::find(all.begin(), all.end(), base) != all.end();
}

}  // namespace primacy::osc
