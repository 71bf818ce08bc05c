#include "agent/app/config/section_reader.hpp"

#include "agent/app/config/nearest_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace primacy::app {

namespace {

using key_list = std::vector<const key_description*>;

std::string sentence_of(std::string_view where, std::string_view sentence) {
    return where.empty() ? std::string(sentence) : fmt::format("{}: {}", where, sentence);
}

std::vector<config_problem> sorted(std::vector<config_problem> found) {
    std::stable_sort(found.begin(), found.end(), [](const auto& left, const auto& right) {
        return std::pair(left.line, left.column) < std::pair(right.line, right.column);
    });
    return found;
}

std::string unknown_key(std::string_view name, const key_list& known) {
    std::string sentence = "unknown key " + in_quotes(name);
    std::vector<std::string_view> names;
    for (const key_description* key : known)
        names.push_back(key->key);
    const std::string meant = did_you_mean(name, names);
    if (!meant.empty()) return sentence + meant;
    const auto elsewhere =
        std::find_if(all_keys().begin(), all_keys().end(),
                     [&](const key_description& key) { return key.key == name; });
    if (elsewhere != all_keys().end())
        return sentence + "; it is a key of " + std::string(heading(elsewhere->where));
    std::string list;
    for (std::string_view valid : names)
        list += (list.empty() ? "" : ", ") + std::string(valid);
    return sentence + "; known here: " + list;
}

// Tables of sections may be written and empty.
bool holds_anything(const document_entry* entry) {
    if (!entry) return false;
    const document_value& value = entry->value;
    if (value.kind == value_kind::list) return !value.items.empty();
    return value.kind != value_kind::table || !value.entries.empty();
}

std::string missing_key(const key_description& key, const section_values& values) {
    if (key.type == value_type::named_tables)
        return fmt::format("no {} is configured; add a table [{}.NAME]", key.key, key.key);
    if (key.type == value_type::table_list)
        return fmt::format("no {}; add a table [[{}]]", key.key, values.where(key.key));
    const std::string words = key.rules.words.empty() ? "" : "; expected " + expectation_of(key);
    return fmt::format("key \"{}\" is missing: {}{}", key.key, key.help, words);
}

// A wrong value is reported and the default stands in for it.
setting read_entry(reading& into, const key_description& key, const document_entry& entry,
                   const section_values& values) {
    checked_value checked = check_value(key, entry.value, into.directory);
    if (checked.complaint.empty()) return std::move(checked.result);
    into.found.problem(checked.at, values.where(key.key), checked.complaint);
    setting made = default_of(key, into.directory);
    made.at = entry.value.at;
    made.written = true;
    made.good = false;
    return made;
}

}  // namespace

void problem_list::problem(file_position at, std::string_view where, std::string_view sentence) {
    problems_.push_back({at.line, at.column, sentence_of(where, sentence)});
}

void problem_list::warning(file_position at, std::string_view where, std::string_view sentence) {
    warnings_.push_back({at.line, at.column, sentence_of(where, sentence)});
}

std::vector<config_problem> problem_list::take_problems() {
    return sorted(std::exchange(problems_, {}));
}

std::vector<config_problem> problem_list::take_warnings() {
    return sorted(std::exchange(warnings_, {}));
}

const setting& section_values::operator[](std::string_view key) const {
    const auto found = settings_.find(key);
    if (found == settings_.end())
        throw std::logic_error("no such key in the table of keys: " + std::string(key));
    return found->second;
}

section_values read_section(reading& into, const document_value* table,
                            std::initializer_list<section> which, std::string where,
                            file_position at) {
    static const document_value nothing;
    section_values values;
    values.where_ = std::move(where);
    values.at_ = at;
    key_list known;
    for (section part : which) {
        const key_list keys = keys_of(part);
        known.insert(known.end(), keys.begin(), keys.end());
    }
    for (const key_description* key : known) {
        const document_entry* entry = table ? table->find(key->key) : nullptr;
        setting made =
            entry ? read_entry(into, *key, *entry, values) : default_of(*key, into.directory);
        if (!entry) made.at = at;
        if (table && key->rules.required && made.good && !holds_anything(entry)) {
            made.good = false;
            into.found.problem(at, values.where_, missing_key(*key, values));
        }
        values.settings_.emplace(key->key, std::move(made));
    }
    for (const document_entry& entry : (table ? *table : nothing).entries) {
        if (!values.settings_.contains(entry.key))
            into.found.problem(entry.at, values.where_, unknown_key(entry.key, known));
    }
    return values;
}

}  // namespace primacy::app
