#include "osc/alter.hpp"

#include "osc/alter_words.hpp"

#include <algorithm>
#include <span>

namespace primacy::osc {

namespace {

using words = std::span<const sql_word>;

bool stands(words in, std::size_t at, std::string_view keyword) {
    return at < in.size() && in[at].is(keyword);
}

// Only outside of brackets, where a column's attributes stand.
bool holds_outside(words in, std::string_view keyword) {
    return std::any_of(in.begin(), in.end(),
                       [&](const sql_word& each) { return each.depth == 0 && each.is(keyword); });
}

// Past "IF EXISTS" or "IF NOT EXISTS".
std::size_t past_condition(words in, std::size_t at) {
    if (!stands(in, at, "IF")) return at;
    return at + (stands(in, at + 1, "NOT") ? 3 : 2);
}

std::string name_at(words in, std::size_t at) {
    return at < in.size() && in[at].is_name() ? in[at].value : std::string();
}

void describe_column(clause& made, words definition) {
    made.places_column = holds_outside(definition, "FIRST") || holds_outside(definition, "AFTER");
    made.generated = holds_outside(definition, "AS") || holds_outside(definition, "GENERATED");
    made.auto_increment = holds_outside(definition, "AUTO_INCREMENT");
    bool not_null = false;
    for (std::size_t i = 0; i + 1 < definition.size(); ++i)
        not_null |=
            definition[i].depth == 0 && definition[i].is("NOT") && definition[i + 1].is("NULL");
    made.not_null_no_default = not_null && !holds_outside(definition, "DEFAULT") &&
                               !made.generated && !made.auto_increment;
}

void add_of(clause& made, words in) {
    std::size_t at = 1;
    if (stands(in, at, "CONSTRAINT")) {
        ++at;
        bool named = !stands(in, at, "PRIMARY") && !stands(in, at, "UNIQUE") &&
                     !stands(in, at, "FOREIGN") && !stands(in, at, "CHECK");
        if (named) at = past_condition(in, at) + 1;
    }
    if (stands(in, at, "PRIMARY"))
        made.kind = clause_kind::add_primary;
    else if (stands(in, at, "UNIQUE"))
        made.kind = clause_kind::add_unique;
    else if (stands(in, at, "FOREIGN"))
        made.kind = clause_kind::add_foreign_key;
    else if (stands(in, at, "CHECK"))
        made.kind = clause_kind::add_check;
    else if (stands(in, at, "FULLTEXT") || stands(in, at, "SPATIAL"))
        made.kind = clause_kind::add_fulltext;
    else if (stands(in, at, "INDEX") || stands(in, at, "KEY"))
        made.kind = clause_kind::add_index;
    else if (stands(in, at, "PARTITION"))
        made.kind = clause_kind::partitioning;
    else if (stands(in, at, "SYSTEM") || stands(in, at, "PERIOD"))
        made.kind = clause_kind::system_versioning;
    else {
        made.kind = clause_kind::add_column;
        if (stands(in, at, "COLUMN")) ++at;
        at = past_condition(in, at);
        if (at < in.size() && in[at].is_symbol('(')) {  // ADD (a INT, b INT)
            describe_column(made, {});
            return;
        }
        made.column = name_at(in, at);
        describe_column(made, in.subspan(std::min(at + 1, in.size())));
        // A column may bring its key along: "id INT PRIMARY KEY", "a INT UNIQUE".
        if (holds_outside(in.subspan(at), "PRIMARY")) made.kind = clause_kind::add_primary;
        if (holds_outside(in.subspan(at), "UNIQUE")) made.kind = clause_kind::add_unique;
    }
}

void drop_of(clause& made, words in) {
    if (stands(in, 1, "PRIMARY"))
        made.kind = clause_kind::drop_primary;
    else if (stands(in, 1, "INDEX") || stands(in, 1, "KEY"))
        made.kind = clause_kind::drop_index;
    else if (stands(in, 1, "FOREIGN"))
        made.kind = clause_kind::drop_foreign_key;
    else if (stands(in, 1, "CONSTRAINT") || stands(in, 1, "CHECK"))
        made.kind = clause_kind::drop_check;
    else if (stands(in, 1, "PARTITION"))
        made.kind = clause_kind::partitioning;
    else if (stands(in, 1, "SYSTEM") || stands(in, 1, "PERIOD"))
        made.kind = clause_kind::system_versioning;
    else {
        made.kind = clause_kind::drop_column;
        std::size_t at = past_condition(in, stands(in, 1, "COLUMN") ? 2 : 1);
        made.column = name_at(in, at);
    }
}

void modify_of(clause& made, words in, bool renames) {
    made.kind = clause_kind::modify_column;
    std::size_t at = past_condition(in, stands(in, 1, "COLUMN") ? 2 : 1);
    made.column = name_at(in, at++);
    if (renames) {
        std::string after = name_at(in, at++);
        if (after != made.column) made.new_column = std::move(after);
    }
    describe_column(made, in.subspan(std::min(at, in.size())));
}

void rename_of(clause& made, words in) {
    if (stands(in, 1, "COLUMN")) {
        made.kind = clause_kind::rename_column;
        std::size_t at = past_condition(in, 2);
        made.column = name_at(in, at);
        made.new_column = name_at(in, at + 2);
    } else if (stands(in, 1, "INDEX") || stands(in, 1, "KEY")) {
        made.kind = clause_kind::rename_index;
    } else {
        made.kind = clause_kind::rename_table;
    }
}

clause_kind kind_by_first_word(words in) {
    static constexpr std::string_view partition_words[] = {
        "PARTITION", "REORGANIZE", "COALESCE", "EXCHANGE", "TRUNCATE", "REMOVE",
        "REBUILD",   "OPTIMIZE",   "ANALYZE",  "REPAIR",   "CHECK"};
    for (auto each : partition_words)
        if (in[0].is(each)) return clause_kind::partitioning;
    if (in[0].is("ENGINE") || in[0].is("FORCE")) return clause_kind::rebuild;
    if (in[0].is("CONVERT"))
        return stands(in, 1, "PARTITION") ? clause_kind::partitioning
                                          : clause_kind::convert_charset;
    if (in[0].is("ALGORITHM") || in[0].is("LOCK")) return clause_kind::algorithm_or_lock;
    static constexpr std::string_view options[] = {"COMMENT",
                                                   "AUTO_INCREMENT",
                                                   "ROW_FORMAT",
                                                   "KEY_BLOCK_SIZE",
                                                   "DEFAULT",
                                                   "CHARACTER",
                                                   "CHARSET",
                                                   "COLLATE",
                                                   "STATS_PERSISTENT",
                                                   "STATS_AUTO_RECALC",
                                                   "STATS_SAMPLE_PAGES",
                                                   "MAX_ROWS",
                                                   "MIN_ROWS",
                                                   "AVG_ROW_LENGTH",
                                                   "CHECKSUM",
                                                   "DELAY_KEY_WRITE",
                                                   "PACK_KEYS",
                                                   "PAGE_COMPRESSED",
                                                   "PAGE_COMPRESSION_LEVEL",
                                                   "COMPRESSION",
                                                   "ENCRYPTED",
                                                   "ENCRYPTION",
                                                   "ENCRYPTION_KEY_ID",
                                                   "INSERT_METHOD",
                                                   "UNION",
                                                   "TABLESPACE",
                                                   "TRANSACTIONAL",
                                                   "SEQUENCE"};
    for (auto each : options)
        if (in[0].is(each)) return clause_kind::table_option;
    return clause_kind::other;
}

clause clause_of(words in, std::string text) {
    clause made;
    made.text = std::move(text);
    if (in[0].is("ADD"))
        add_of(made, in);
    else if (in[0].is("DROP"))
        drop_of(made, in);
    else if (in[0].is("MODIFY"))
        modify_of(made, in, false);
    else if (in[0].is("CHANGE"))
        modify_of(made, in, true);
    else if (in[0].is("RENAME"))
        rename_of(made, in);
    else if (in[0].is("ALTER")) {
        bool of_index = stands(in, 1, "INDEX") || stands(in, 1, "KEY") || stands(in, 1, "CHECK") ||
                        stands(in, 1, "CONSTRAINT");
        made.kind = of_index ? clause_kind::other : clause_kind::column_default;
        if (!of_index)
            made.column = name_at(in, past_condition(in, stands(in, 1, "COLUMN") ? 2 : 1));
    } else
        made.kind = kind_by_first_word(in);
    return made;
}

// Past "ALTER [ONLINE] [IGNORE] TABLE [IF EXISTS] name [WAIT n | NOWAIT]"; 0 when it is not there.
std::size_t past_header(words in, alter_request& made) {
    if (!stands(in, 0, "ALTER")) return 0;
    std::size_t at = 1;
    while (stands(in, at, "ONLINE") || stands(in, at, "IGNORE"))
        if (in[at++].is("IGNORE"))
            made.problem = "ALTER IGNORE throws rows away; remove the word IGNORE";
    if (!stands(in, at, "TABLE")) return 0;  // ALTER COLUMN … is a clause
    at = past_condition(in, at + 1);
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
    return at;
}

void split_clauses(std::string_view text, words in, alter_request& made) {
    std::size_t first = 0;
    for (std::size_t i = 0; i <= in.size(); ++i) {
        bool at_end = i == in.size();
        if (!at_end && !(in[i].is_symbol(',') && in[i].depth == 0)) continue;
        words part = in.subspan(first, i - first);
        first = i + 1;
        if (part.empty()) {
            made.problem = "there is a comma too many";
            return;
        }
        auto begins = part.front().begins, ends = part.back().ends;
        clause next = clause_of(part, std::string(text.substr(begins, ends - begins)));
        // "PARTITION BY RANGE (a) (PARTITION …), …" and options without commas stay one clause.
        made.clauses.push_back(std::move(next));
    }
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
    words all(split.words);
    while (!all.empty() && all.back().is_symbol(';'))
        all = all.first(all.size() - 1);
    for (const auto& word : all)
        if (word.is_symbol(';')) {
            made.problem = "that is more than one statement; make a job of each";
            return made;
        }
    words rest = all.subspan(past_header(all, made));
    if (!made.problem.empty()) return made;
    if (rest.empty()) {
        made.problem =
            "there is nothing to alter; write what to change, as in \"ADD COLUMN note TEXT\"";
        return made;
    }
    made.clauses_text = text.substr(rest.front().begins, rest.back().ends - rest.front().begins);
    split_clauses(text, rest, made);
    if (!made.problem.empty()) return made;
    for (const auto& each : made.clauses) {
        if (each.kind == clause_kind::algorithm_or_lock)
            made.problem = "leave ALGORITHM and LOCK to the plan, which tries the gentlest first";
        if (each.kind == clause_kind::rename_table)
            made.problem = "a table is renamed by RENAME TABLE, which is instant; no job is needed";
    }
    return made;
}

}  // namespace primacy::osc
