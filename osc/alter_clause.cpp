// Which kind of change a clause is.
#include "osc/alter_clause.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

struct reading_clause {
    std::string_view text;
    sql_span words;
    clause made;
    bool understood = true;  // to its last word, where a clause is short enough for that

    bool is(std::size_t at, std::string_view keyword) const { return stands(words, at, keyword); }
    bool is_index(std::size_t at) const { return is(at, "INDEX") || is(at, "KEY"); }
    std::size_t past(std::size_t at) { return past_condition(words, at, made.conditional); }
    sql_span from(std::size_t at) const { return words.subspan(std::min(at, words.size())); }
    // The name at `at`, which is the last word.
    std::string last_name(std::size_t at) {
        understood = at + 1 >= words.size();
        return name_at(words, at);
    }
};

// Only outside of brackets that begin later than the clause.
bool holds_outside(sql_span in, std::string_view first, std::string_view second = "") {
    for (std::size_t i = 0; i < in.size(); ++i)
        if (in[i].depth == in[0].depth && in[i].is(first) &&
            (second.empty() || stands(in, i + 1, second)))
            return true;
    return false;
}

// What stands after ADD, or within the brackets of ADD (…).
void read_added(reading_clause& in, std::size_t at) {
    clause& made = in.made;
    if (in.is(at, "CONSTRAINT")) {
        ++at;
        bool named = !in.is(at, "PRIMARY") && !in.is(at, "UNIQUE") && !in.is(at, "FOREIGN") &&
                     !in.is(at, "CHECK");
        if (named) at = in.past(at) + 1;
    }
    if (in.is(at, "PRIMARY"))
        made.kind = clause_kind::add_primary;
    else if (in.is(at, "UNIQUE"))
        made.kind = clause_kind::add_unique;
    else if (in.is(at, "FOREIGN"))
        made.kind = clause_kind::add_foreign_key;
    else if (in.is(at, "CHECK"))
        made.kind = clause_kind::add_check;
    else if (in.is(at, "FULLTEXT") || in.is(at, "SPATIAL") ||
             (in.is(at, "VECTOR") && in.is_index(at + 1)))
        made.kind = clause_kind::add_fulltext;
    else if (in.is_index(at))
        made.kind = clause_kind::add_index;
    else if (in.is(at, "PARTITION"))
        made.kind = clause_kind::partitioning;
    else if (in.is(at, "SYSTEM") || in.is(at, "PERIOD"))
        made.kind = clause_kind::system_versioning;
    else {
        made.kind = clause_kind::add_column;
        if (in.is(at, "COLUMN")) ++at;
        at = in.past(at);
        made.column = name_at(in.words, at);
        describe_column(made, in.text, in.from(at + 1));
    }
}

void read_dropped(reading_clause& in) {
    clause& made = in.made;
    if (in.words.back().is("RESTRICT") || in.words.back().is("CASCADE"))  // which mean nothing
        in.words = in.words.first(in.words.size() - 1);
    if (in.is(1, "PRIMARY")) {
        made.kind = clause_kind::drop_primary;
        made.key = "PRIMARY";
        in.understood = in.words.size() == 3 && in.is(2, "KEY");
    } else if (in.is_index(1)) {
        made.kind = clause_kind::drop_index;
        made.key = in.last_name(in.past(2));
    } else if (in.is(1, "FOREIGN")) {
        made.kind = clause_kind::drop_foreign_key;
        made.key = in.last_name(in.past(3));
    } else if (in.is(1, "CONSTRAINT") || in.is(1, "CHECK")) {
        made.kind = clause_kind::drop_check;
        made.key = in.last_name(in.past(2));
    } else if (in.is(1, "PARTITION")) {
        made.kind = clause_kind::partitioning;
    } else if (in.is(1, "SYSTEM") || in.is(1, "PERIOD")) {
        made.kind = clause_kind::system_versioning;
    } else {
        made.kind = clause_kind::drop_column;
        made.column = in.last_name(in.past(in.is(1, "COLUMN") ? 2 : 1));
    }
}

void read_modified(reading_clause& in, bool renames) {
    clause& made = in.made;
    made.kind = clause_kind::modify_column;
    std::size_t at = in.past(in.is(1, "COLUMN") ? 2 : 1);
    made.column = name_at(in.words, at++);
    if (renames) {
        std::string after = name_at(in.words, at++);
        if (after != made.column) made.new_column = std::move(after);
    }
    describe_column(made, in.text, in.from(at));
    made.not_null_no_default = false;  // no old row needs a value
}

void read_renamed(reading_clause& in) {
    clause& made = in.made;
    if (in.is(1, "COLUMN")) {
        made.kind = clause_kind::rename_column;
        std::size_t at = in.past(2);
        made.column = name_at(in.words, at);
        made.new_column = in.last_name(at + 2);
    } else if (in.is_index(1)) {
        made.kind = clause_kind::rename_index;
        std::size_t at = in.past(2);
        made.key = in.last_name(at + 2).empty() ? "" : name_at(in.words, at);
    } else {
        made.kind = clause_kind::rename_table;
    }
}

void read_altered(reading_clause& in) {
    clause& made = in.made;
    if (in.is_index(1)) {
        made.kind = clause_kind::index_visibility;
        made.key = name_at(in.words, in.past(2));
    } else if (in.is(1, "CHECK") || in.is(1, "CONSTRAINT")) {
        bool enforces = in.words.back().is("ENFORCED") && !holds_outside(in.words, "NOT");
        made.kind = enforces ? clause_kind::add_check : clause_kind::other;
    } else {
        made.kind = clause_kind::column_default;
        made.column = name_at(in.words, in.past(in.is(1, "COLUMN") ? 2 : 1));
    }
}

bool is_about_partitions(sql_span in, bool first_word_known) {
    static constexpr std::string_view first_words[] = {
        "PARTITION", "REORGANIZE", "COALESCE", "EXCHANGE", "TRUNCATE", "REMOVE",
        "REBUILD",   "OPTIMIZE",   "ANALYZE",  "REPAIR",   "CHECK"};
    return (!first_word_known &&
            std::any_of(std::begin(first_words), std::end(first_words),
                        [&](std::string_view each) { return in[0].is(each); })) ||
           (in[0].is("CONVERT") && stands(in, 1, "PARTITION")) ||
           // They may follow any clause without a comma.
           holds_outside(in, "PARTITION") || holds_outside(in, "REMOVE", "PARTITIONING");
}

bool is_about_versions(sql_span in) {
    return holds_outside(in, "SYSTEM", "VERSIONING") || holds_outside(in, "ROW", "START") ||
           holds_outside(in, "ROW", "END");
}

// True when the first word was one that is known.
bool read_by_first_word(reading_clause& in) {
    if (in.is(0, "ADD"))
        read_added(in, 1);
    else if (in.is(0, "DROP"))
        read_dropped(in);
    else if (in.is(0, "MODIFY"))
        read_modified(in, false);
    else if (in.is(0, "CHANGE"))
        read_modified(in, true);
    else if (in.is(0, "RENAME"))
        read_renamed(in);
    else if (in.is(0, "ALTER"))
        read_altered(in);
    else if (in.is(0, "CONVERT"))
        in.made.kind = clause_kind::convert_charset;
    else if (in.is(0, "ALGORITHM") || in.is(0, "LOCK"))
        in.made.kind = clause_kind::algorithm_or_lock;
    else if (in.is(0, "ORDER"))
        in.made.kind = clause_kind::other;
    else if (in.is(0, "FORCE") && in.words.size() == 1)
        in.made.kind = clause_kind::rebuild;
    else
        return describe_options(in.made, in.words);
    return true;
}

// MySQL took "ADD COLUMN orders.note TEXT"; whose column it is has been said already.
bool names_a_table(const clause& made, sql_span in) {
    for (std::size_t i = 0; i + 1 < in.size() && i < 5; ++i)
        if (in[i].is_name() && in[i].value == made.column && in[i + 1].is_symbol('.')) return true;
    return false;
}

bool lacks_a_name(const clause& made) {
    switch (made.kind) {
        case clause_kind::add_column:
        case clause_kind::drop_column:
        case clause_kind::modify_column:
        case clause_kind::column_default: return made.column.empty();
        case clause_kind::rename_column: return made.column.empty() || made.new_column.empty();
        case clause_kind::drop_index:
        case clause_kind::rename_index:
        case clause_kind::index_visibility:
        case clause_kind::drop_foreign_key:
        case clause_kind::drop_check: return made.key.empty();
        default: return false;
    }
}

// What the kind alone does not tell, and why it is no clause of a job, if so.
std::string judge(clause& made, sql_span in, bool known) {
    if (is_about_partitions(in, known))
        made.kind = clause_kind::partitioning;
    else if (is_about_versions(in))
        made.kind = clause_kind::system_versioning;
    else if (names_a_table(made, in))
        return "write the column " + quoted(made.column) + " without its table";
    else if (!known)
        return "\"" + made.text.substr(0, 60) +
               "\" is not a change that a job carries out: it adds, drops, modifies, changes, "
               "renames or alters columns, indexes and constraints, or sets table options";
    if (lacks_a_name(made))
        return "\"" + made.text.substr(0, 60) +
               "\" does not say which one; a name that is not plain stands in backquotes";
    return "";
}

// "ADD (a INT, UNIQUE (a))" and "ADD COLUMN (…)": one clause for each, told as if it stood alone.
std::vector<clause> clauses_in_brackets(std::string_view text, sql_span in, std::size_t opens,
                                        std::string& problem) {
    std::vector<clause> made;
    std::size_t first = opens + 1;
    for (std::size_t i = first; i < in.size() && problem.empty(); ++i) {
        bool closes = in[i].depth == in[opens].depth;
        if (!closes && !(in[i].is_symbol(',') && in[i].depth == in[opens].depth + 1)) continue;
        reading_clause each{text, in.subspan(first, i - first), {}};
        first = i + 1;
        if (each.words.empty()) {
            problem = "there is a comma too many, or nothing, between ( and )";
            break;
        }
        each.made.text = "ADD " + plain_text(text, &each.words.front(), &each.words.back() + 1);
        read_added(each, 0);
        problem = judge(each.made, each.words, true);
        made.push_back(std::move(each.made));
        if (closes && first < in.size())
            problem = "nothing may follow the ) of ADD (…) but a comma";
        if (closes) break;
    }
    return made;
}

}  // namespace

bool stands(sql_span in, std::size_t at, std::string_view keyword) {
    return at < in.size() && in[at].is(keyword);
}

std::string name_at(sql_span in, std::size_t at) {
    return at < in.size() && in[at].is_name() ? in[at].value : std::string();
}

std::size_t past_condition(sql_span in, std::size_t at, bool& conditional) {
    if (!stands(in, at, "IF")) return at;
    conditional = true;
    return at + (stands(in, at + 1, "NOT") ? 3 : 2);
}

std::vector<clause> clauses_of(std::string_view text, sql_span in, std::string& problem) {
    std::size_t opens = stands(in, 1, "COLUMN") ? 2 : 1;
    if (in[0].is("ADD") && opens < in.size() && in[opens].is_symbol('('))
        return clauses_in_brackets(text, in, opens, problem);
    reading_clause now{text, in, {}};
    now.made.text = plain_text(text, &in.front(), &in.back() + 1);
    const bool known = read_by_first_word(now) && now.understood;
    problem = judge(now.made, in, known);
    return {std::move(now.made)};
}

}  // namespace primacy::osc
