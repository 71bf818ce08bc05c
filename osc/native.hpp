// How gently a server can carry out an ALTER by itself: which algorithm it will take, by the rules
// of its version. Conservative: what is not known to work is not promised, and whoever runs it
// names the algorithm, so that the server refuses instead of doing more than was planned. Pure.
#pragma once

#include "osc/alter.hpp"
#include "osc/facts.hpp"

#include <string>
#include <string_view>

namespace primacy::osc {

// From the gentlest on.
enum class native_algorithm {
    instant,      // only the dictionary changes
    nocopy,       // MariaDB: in place, without rebuilding the table
    inplace,      // in place, the table may be rebuilt; writes go on
    online_copy,  // MariaDB 11.2 and later: ALGORITHM=COPY, LOCK=NONE
    none          // not without blocking writes
};
std::string_view to_string(native_algorithm which) noexcept;
// ", ALGORITHM=INSTANT, LOCK=NONE": what is added to the statement.
std::string_view algorithm_clause(native_algorithm which, checks::flavor kind) noexcept;

struct native_ability {
    native_algorithm algorithm = native_algorithm::none;
    std::string reason;         // a clause: why no gentler one
    bool touches_rows = true;   // it reads or writes all of them, however gently
    bool replicas_lag = false;  // the statement runs as long again on each replica
};

// The clause that allows least decides.
native_ability native_ability_of(const alter_request& alter, const table_facts& table,
                                 checks::flavor kind, checks::server_version version);

}  // namespace primacy::osc
