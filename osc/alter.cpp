#include "osc/alter.hpp"

#include "osc/alter_clause.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

// Past "ALTER [ONLINE] [IGNORE] TABLE [IF EXISTS] name [WAIT n | NOWAIT]"; 0 when it is not there.
std::size_t past_header(sql_span in, alter_request& made) {
    if (!stands(in, 0, "ALTER")) return 0;
    std::size_t at = 1;
    bool ignores = false, conditional = false;
    for (; stands(in, at, "ONLINE") || stands(in, at, "IGNORE"); ++at)
        ignores |= in[at].is("IGNORE");
    if (!stands(in, at, "TABLE")) return 0;  // ALTER COLUMN … is a clause
    if (ignores) made.problem = "ALTER IGNORE throws rows away; remove the word IGNORE";
    at = past_condition(in, at + 1, conditional);
    table_name named{"", name_at(in, at)};
    if (named.table.empty()) {
        made.problem = "ALTER TABLE without a table's name";
        return in.size();
    }
    ++at;
    if (at + 1 < in.size() && in[at].is_symbol('.')) {
        named = {named.table, name_at(in, at + 1)};
        at += 2;
    }
    made.named = std::move(named);
    if (stands(in, at, "NOWAIT")) ++at;
    if (stands(in, at, "WAIT")) at += 2;
    return std::min(at, in.size());
}

void split_clauses(std::string_view text, sql_span in, alter_request& made) {
    std::size_t first = 0;
    for (std::size_t i = 0; i <= in.size() && made.problem.empty(); ++i) {
        bool at_end = i == in.size();
        if (!at_end && !(in[i].is_symbol(',') && in[i].depth == 0)) continue;
        sql_span part = in.subspan(first, i - first);
        first = i + 1;
        if (part.empty()) {
            made.problem = "there is a comma too many";
            return;
        }
        for (auto& each : clauses_of(text, part, made.problem))
            made.clauses.push_back(std::move(each));
    }
}

void judge_clauses(alter_request& made) {
    for (const auto& each : made.clauses) {
        if (each.kind == clause_kind::algorithm_or_lock)
            made.problem = "leave ALGORITHM and LOCK to the plan, which tries the gentlest first";
        if (each.kind == clause_kind::rename_table)
            made.problem = "a table is renamed by RENAME TABLE, which is instant; no job is needed";
        if (each.kind == clause_kind::partitioning || each.kind == clause_kind::system_versioning)
            made.problem =
                "partitions and system versioning are not changed by a job; use the server's own "
                "ALTER in a maintenance window";
    }
}

std::vector<quoted_piece> quotes_among(std::string_view text, sql_span in) {
    std::vector<quoted_piece> made;
    for (const auto& word : in)
        if (word.what == sql_word::form::text || word.what == sql_word::form::quoted_name)
            made.push_back({text[word.begins], std::string(text.substr(
                                                   word.begins + 1, word.ends - word.begins - 2))});
    return made;
}

}  // namespace

bool alter_request::has(clause_kind kind) const {
    return std::any_of(clauses.begin(), clauses.end(),
                       [&](const clause& each) { return each.kind == kind; });
}

alter_request parse_alter(std::string_view text) {
    alter_request made;
    sql_words split = split_sql(text);
    if (!split.problem.empty()) {
        made.problem = "the ALTER cannot be read: " + split.problem;
        return made;
    }
    sql_span all(split.words);
    while (!all.empty() && all.back().is_symbol(';'))
        all = all.first(all.size() - 1);
    for (const auto& word : all)
        if (word.is_symbol(';')) {
            made.problem = "that is more than one statement; make a job of each";
            return made;
        }
    sql_span rest = all.subspan(past_header(all, made));
    if (!made.problem.empty()) return made;
    if (rest.empty()) {
        made.problem =
            "there is nothing to alter; write what to change, as in \"ADD COLUMN note TEXT\"";
        return made;
    }
    made.clauses_text = plain_text(text, &rest.front(), &rest.back() + 1);
    made.quotes = quotes_among(text, rest);
    split_clauses(text, rest, made);
    if (made.problem.empty()) judge_clauses(made);
    return made;
}

}  // namespace primacy::osc
