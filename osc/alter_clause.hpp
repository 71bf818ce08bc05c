// One clause of an ALTER, from its words. Not for use outside this folder. Pure.
#pragma once

#include "osc/alter.hpp"
#include "osc/alter_words.hpp"

#include <span>

namespace primacy::osc {

using sql_span = std::span<const sql_word>;

// Letter case ignored; false past the end.
bool stands(sql_span in, std::size_t at, std::string_view keyword);
// A name at `at`, empty when there is none.
std::string name_at(sql_span in, std::size_t at);
// Past "IF EXISTS" or "IF NOT EXISTS", which is noted.
std::size_t past_condition(sql_span in, std::size_t at, bool& conditional);

// The clauses that one piece between commas stands for: several for ADD (a INT, b INT). What can't
// be carried out is told in `problem`, one sentence.
std::vector<clause> clauses_of(std::string_view text, sql_span in, std::string& problem);

// What follows a column's name: "INT NOT NULL DEFAULT 5 AFTER b".
void describe_column(clause& made, std::string_view text, sql_span definition);

// "COMMENT = 'x' ROW_FORMAT=DYNAMIC": one or several table options with their values; false when
// something else is among them.
bool describe_options(clause& made, sql_span in);

}  // namespace primacy::osc
