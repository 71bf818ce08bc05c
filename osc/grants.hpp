// What an account needs for a schema change, and what it lacks of it: for planning, for each tool,
// and for a native ALTER. By the manuals, and by what servers of 10.11, 11.8 and 9.7 refuse. Pure.
#pragma once

#include "checks/grants.hpp"
#include "osc/facts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

struct grant_question {
    checks::flavor kind = checks::flavor::mariadb;
    checks::server_version version;
    // As it stands in a statement: 'primacy'@'%'.
    std::string account;
    std::string database;
    std::optional<bool> log_bin;
    bool trusts_trigger_creators = false;  // log_bin_trust_function_creators
    bool gh_ost_knows_mariadb = false;
};

// Each of the following: the statements that mend it, most needed first; empty: nothing is lacking.

// To see whether a table exists, what hangs on it, and what earlier runs left beside it.
std::vector<std::string> missing_to_plan(const checks::held_grants& held,
                                         const grant_question& asked);
std::vector<std::string> missing_for(tool which, const checks::held_grants& held,
                                     const grant_question& asked);

// On the database of the tables, for copying by gh-ost or pt-online-schema-change.
const std::vector<std::string>& privileges_to_copy();

}  // namespace primacy::osc
