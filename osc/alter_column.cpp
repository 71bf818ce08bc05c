// What a column's definition says.
#include "osc/alter_clause.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

struct defining {
    sql_span words;
    column_definition made;
    std::size_t at = 0;
    bool only_plain = true;

    bool is(std::string_view keyword) const { return stands(words, at, keyword); }
    bool follows(std::string_view keyword) const { return stands(words, at + 1, keyword); }
    bool at_end() const { return at >= words.size(); }
    bool on_symbol(char c) const { return !at_end() && words[at].is_symbol(c); }

    // "(…)" with whatever is inside.
    void skip_brackets() {
        if (!on_symbol('(')) return;
        const int depth = words[at].depth;
        for (++at; !at_end() && words[at].depth > depth;)
            ++at;
        if (on_symbol(')')) ++at;
    }
};

bool is_type_word(const sql_word& word) {
    static constexpr std::string_view all[] = {"UNSIGNED", "SIGNED", "ZEROFILL", "PRECISION",
                                               "VARYING"};
    return std::any_of(std::begin(all), std::end(all),
                       [&](std::string_view each) { return word.is(each); });
}

void take_type(defining& in, std::string_view text) {
    const std::size_t first = in.at;
    if (in.at_end() || in.words[in.at].what != sql_word::form::plain || in.is("GENERATED") ||
        in.is("AS"))
        return;
    ++in.at;
    while (!in.at_end() && is_type_word(in.words[in.at]))
        ++in.at;
    in.skip_brackets();
    while (!in.at_end() && is_type_word(in.words[in.at]))
        ++in.at;
    in.made.type = plain_text(text, &in.words[first], in.words.data() + in.at);
}

bool is_moment(const sql_word& word) {
    static constexpr std::string_view all[] = {"NOW", "CURRENT_TIMESTAMP", "LOCALTIME",
                                               "LOCALTIMESTAMP"};
    return std::any_of(std::begin(all), std::end(all),
                       [&](std::string_view each) { return word.is(each); });
}

// The value of DEFAULT, with `at` past it.
void take_default(defining& in) {
    in.made.has_default = true;
    ++in.at;
    if (in.on_symbol('(')) {
        in.made.computed_default = true;
        in.skip_brackets();
        return;
    }
    if (in.on_symbol('-') || in.on_symbol('+')) ++in.at;
    if (in.at_end()) return;
    const sql_word& value = in.words[in.at++];
    const bool next_is_text = !in.at_end() && in.words[in.at].what == sql_word::form::text &&
                              in.words[in.at].begins == value.ends;
    if (value.what == sql_word::form::text || is_moment(value)) {
        in.skip_brackets();
    } else if (next_is_text) {  // x'41', b'1', _utf8mb4'a'
        ++in.at;
    } else if (value.what == sql_word::form::plain && value.value[0] >= '0' &&
               value.value[0] <= '9') {
        if (in.on_symbol('.') && ++in.at < in.words.size()) ++in.at;
    } else if (in.on_symbol('(') || !(value.is("NULL") || value.is("TRUE") || value.is("FALSE"))) {
        in.made.computed_default = true;
        in.skip_brackets();
    }
}

// What is not plain; with `at` past the word that told it.
void take_attribute(defining& in) {
    in.only_plain = false;
    if (in.is("AUTO_INCREMENT")) {
        in.made.auto_increment = true;
    } else if (in.is("SERIAL")) {  // SERIAL DEFAULT VALUE
        in.made.auto_increment = in.made.unique = in.made.not_null = true;
        if (in.follows("DEFAULT")) in.at += 2;
    } else if (in.is("UNIQUE")) {
        in.made.unique = true;
        if (in.follows("KEY")) ++in.at;
    } else if (in.is("PRIMARY") || in.is("KEY")) {
        in.made.primary = true;
        if (in.follows("KEY")) ++in.at;
    } else if (in.is("REFERENCES")) {
        in.made.references = true;
    } else if (in.is("CHECK")) {
        in.made.check = true;
    } else if (in.is("AS") || in.is("GENERATED")) {
        in.made.generated = true;
    } else if (in.is("STORED") || in.is("PERSISTENT")) {
        in.made.stored = true;
    } else if (in.is("CHARACTER") || in.is("CHARSET") || in.is("COLLATE") || in.is("ASCII") ||
               in.is("UNICODE") || in.is("BINARY") || in.is("BYTE")) {
        in.made.says_charset = true;
    } else if (in.is("SET") && in.follows("DEFAULT")) {  // REFERENCES … ON DELETE SET DEFAULT
        ++in.at;
    }
    ++in.at;
    in.skip_brackets();
}

void take_attributes(defining& in) {
    while (!in.at_end()) {
        if (in.is("NOT") && in.follows("NULL")) {
            in.made.not_null = true;
            in.at += 2;
        } else if (in.is("NULL")) {
            ++in.at;
        } else if (in.is("DEFAULT")) {
            take_default(in);
        } else if (in.is("COMMENT")) {
            in.at += 2;
        } else {
            take_attribute(in);
        }
    }
}

}  // namespace

void describe_column(clause& made, std::string_view text, sql_span definition) {
    const std::size_t size = definition.size();
    if (size > 0 && definition.back().is("FIRST")) {
        made.places_column = true;
        definition = definition.first(size - 1);
    } else if (size > 1 && definition[size - 2].is("AFTER")) {
        made.places_column = true;
        definition = definition.first(size - 2);
    }
    defining in{definition, {}};
    take_type(in, text);
    if (sql_word serial = definition.empty() ? sql_word{} : definition[0]; serial.is("SERIAL"))
        in.made.auto_increment = in.made.unique = in.made.not_null = true;
    take_attributes(in);
    in.made.plain = in.only_plain && !in.made.computed_default && !in.made.type.empty() &&
                    !in.made.auto_increment;
    made.defines = in.made;
    made.generated = in.made.generated;
    made.auto_increment = in.made.auto_increment;
    made.not_null_no_default = (in.made.not_null || in.made.primary) && !in.made.has_default &&
                               !made.generated && !made.auto_increment;
}

}  // namespace primacy::osc
