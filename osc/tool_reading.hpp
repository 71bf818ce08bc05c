// gh-ost and pt-online-schema-change read an ALTER by regular expressions, to learn which columns
// keep their rows under another name. Where they read something else than is written there, rows or
// columns are lost without an error. Seen with gh-ost 1.1.10 and pt-online-schema-change 3.2.1.
// Pure.
#pragma once

#include "osc/alter.hpp"

#include <string>

namespace primacy::osc {

// A clause; empty: it reads what is meant.
std::string why_gh_ost_misreads(const alter_request& alter);
std::string why_pt_osc_misreads(const alter_request& alter);

}  // namespace primacy::osc
