// A plan as a person reads it on a terminal: the verdict, what speaks against it and how that is
// allowed, what to know, and why this tool. Pure.
#pragma once

#include "osc/plan.hpp"

#include <string>

namespace primacy::osc {

// Several lines, each with its line end.
std::string text_of(const plan& made);

// "gh-ost on db1: 1,234,567 rows, about 2 min", or "refused".
std::string verdict_of(const plan& made);

// "1,234,567"
std::string with_commas(std::uint64_t number);
// "1.2 GB"
std::string size_words(std::uint64_t bytes);
// "at once", "about 20 s", "about 2 min", "about 3 h"
std::string about(std::chrono::seconds length);

}  // namespace primacy::osc
