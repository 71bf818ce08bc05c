#include "agent/app/config/document.hpp"

#include "agent/app/config/document_text.hpp"

#include <algorithm>
#include <utility>

// The library as headers only: the shared one is built with exceptions.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

namespace primacy::app {

namespace {

constexpr std::size_t longest_shown = 60;

file_position position_of(const toml::source_region& region) {
    return {region.begin.line, region.begin.column};
}

document_value converted(const toml::node& node);

void convert_table(const toml::table& from, document_value& into) {
    for (const auto& [key, node] : from)
        into.entries.push_back(
            {std::string(key.str()), position_of(key.source()), converted(node)});
    std::stable_sort(into.entries.begin(), into.entries.end(),
                     [](const auto& left, const auto& right) { return left.at < right.at; });
}

document_value converted(const toml::node& node) {
    document_value made;
    made.at = position_of(node.source());
    made.kind = value_kind::date;
    if (const auto* table = node.as_table()) {
        made.kind = value_kind::table;
        convert_table(*table, made);
    } else if (const auto* list = node.as_array()) {
        made.kind = value_kind::list;
        for (const toml::node& item : *list)
            made.items.push_back(converted(item));
    } else if (const auto* text = node.as_string()) {
        made.kind = value_kind::text;
        made.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
        made.kind = value_kind::integer;
        made.integer = integer->get();
    } else if (const auto* flag = node.as_boolean()) {
        made.kind = value_kind::boolean;
        made.flag = flag->get();
    } else if (node.is_floating_point()) {
        made.kind = value_kind::real;
    }
    return made;
}

// "Error while parsing array: expected …" → "this is not TOML: array: expected …", and the hint
// that the commonest of these mistakes needs.
std::string sentence_of(const toml::parse_error& error) {
    std::string_view text = error.description();
    constexpr std::string_view opening = "Error while parsing ";
    if (text.starts_with(opening)) text.remove_prefix(opening.size());
    // The library names its own macro after this one.
    text = text.substr(0, text.find(" (TOML_"));
    std::string made = "this is not TOML: " + std::string(text);
    const bool without_quotes = text.find("determine value type") != text.npos ||
                                text.find("expected digit") != text.npos ||
                                text.find("parsing boolean") != text.npos;
    if (without_quotes) made += "; texts and durations are written in quotes, as \"10s\"";
    return made;
}

}  // namespace

const document_entry* document_value::find(std::string_view key) const {
    auto found = std::find_if(entries.begin(), entries.end(),
                              [&](const document_entry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &*found;
}

document parse_document(std::string_view text) {
    document made;
    made.problem = check_document_text(text);
    if (made.problem) return made;
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const file_position at = position_of(parsed.error().source());
        made.problem = config_problem{at.line, at.column, sentence_of(parsed.error())};
        return made;
    }
    made.root = converted(parsed.table());
    made.root.at = {1, 1};
    return made;
}

std::size_t control_at(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == 0x7F) return i;
        // U+0080 to U+009F, among them the one-character form of a terminal's escape.
        const bool second_set =
            byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (second_set) return i;
    }
    return text.npos;
}

std::string in_quotes(std::string_view text) {
    std::string made = "\"";
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool begins_character = (byte & 0xC0) != 0x80;
        if (begins_character && ++characters > longest_shown) return made + "…\"";
        const bool control = control_at(text.substr(i, 2)) == 0;
        made += control ? '?' : text[i];
        if (control && byte == 0xC2) ++i;
    }
    return made + "\"";
}

std::string shown(const document_value& value) {
    switch (value.kind) {
        case value_kind::text: return in_quotes(value.text);
        case value_kind::integer: return "the integer " + std::to_string(value.integer);
        case value_kind::real: return "a number with a fraction";
        case value_kind::boolean: return value.flag ? "true" : "false";
        case value_kind::date: return "a date or time";
        case value_kind::list: return value.items.empty() ? "an empty list" : "a list";
        case value_kind::table: return value.entries.empty() ? "an empty table" : "a table";
    }
    return "";
}

}  // namespace primacy::app
