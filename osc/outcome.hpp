// Whether a table has become what an ALTER asked for, by the table itself. Pure.
#pragma once

#include "osc/alter.hpp"
#include "osc/facts.hpp"

#include <optional>
#include <string>

namespace primacy::osc {

// What is remembered of a table before it is altered.
struct table_before {
    std::string definition;  // SHOW CREATE TABLE without what changes by itself
    std::optional<checks::wall_time> created_at;
};

table_before remember_table(const table_facts& table);

// Absent: it cannot be told, because what is needed could not be read.
std::optional<bool> is_altered(const alter_request& alter, const table_before& before,
                               const table_facts& now);

// The definition without AUTO_INCREMENT=N, which moves with each row.
std::string comparable_definition(std::string_view create_statement);

}  // namespace primacy::osc
