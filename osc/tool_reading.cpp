#include "osc/tool_reading.hpp"

#include <algorithm>
#include <array>

namespace primacy::osc {

namespace {

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return text;
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_plain_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), is_word);
}

bool renames(const alter_request& alter) {
    return std::any_of(alter.clauses.begin(), alter.clauses.end(),
                       [](const clause& each) { return !each.new_column.empty(); });
}

bool holds(const std::string& text, std::string_view word) {
    return lower(text).find(word) != std::string::npos;
}

bool says_alter_table(const std::string& clauses) {
    const std::string text = lower(clauses);
    for (std::size_t at = text.find("alter"); at != std::string::npos;
         at = text.find("alter", at + 1)) {
        std::size_t next = text.find_first_not_of(" \t\r\n\v\f", at + 5);
        if (next != at + 5 && next != std::string::npos && text.compare(next, 5, "table") == 0)
            return true;
    }
    return false;
}

// RENAME COLUMN is in neither's grammar: the column's values are gone (seen), exit code 0.
constexpr std::string_view loses_renamed =
    "it does not understand RENAME COLUMN and would lose the column's values; write CHANGE";

}  // namespace

std::string why_gh_ost_misreads(const alter_request& alter) {
    if (alter.has(clause_kind::rename_column)) return std::string(loses_renamed);
    // "…alter table x…" anywhere, also in a comment: it throws away what stands before (seen).
    if (says_alter_table(alter.clauses_text))
        return "it takes the words \"alter table\" inside a quote for the beginning of the ALTER";
    // It takes '…' out before it looks, but no other quote, and none with a quote in it.
    static constexpr std::array<std::string_view, 4> verbs = {"change", "drop", "rename",
                                                              "auto_increment"};
    for (const auto& piece : alter.quotes) {
        bool taken_out =
            piece.quote == '\'' && piece.text.find_first_of("'\\") == std::string::npos;
        for (auto verb : verbs)
            if (!taken_out && holds(piece.text, verb))
                return "it takes the word \"" + std::string(verb) +
                       "\" inside a quote for a part of the ALTER";
    }
    for (const auto& each : alter.clauses)
        if (!each.new_column.empty() &&
            !(is_plain_name(each.column) && is_plain_name(each.new_column)))
            return "it reads a renamed column only where both names are plain";
    return "";
}

std::string why_pt_osc_misreads(const alter_request& alter) {
    if (alter.has(clause_kind::rename_column)) return std::string(loses_renamed);
    // It strikes out everything from the first COMMENT '…' to the last quote, CHANGE and all
    // (seen), and takes CHANGE inside a quote for one.
    bool has_text = std::any_of(alter.quotes.begin(), alter.quotes.end(),
                                [](const quoted_piece& each) { return each.quote != '`'; });
    if (renames(alter) && has_text)
        return "beside a quoted text it overlooks a renamed column and would lose its values; make "
               "two jobs of it";
    for (const auto& piece : alter.quotes)
        if (holds(piece.text, "change"))
            return "it takes the word \"change\" inside a quote for a part of the ALTER";
    return "";
}

}  // namespace primacy::osc
