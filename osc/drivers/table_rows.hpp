// From what servers answer to facts of a schema change. Pure functions of rows, tested with rows
// that were captured from real servers. A cell that is missing or makes no sense is an absent fact.
#pragma once

#include "agent/rt/sql/row.hpp"
#include "osc/facts.hpp"
#include "osc/leftovers.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

// Of table_statements.hpp's objects_statement(): the table itself, if it is among them.
void read_table(const rt::sql::rows& answer, table_facts& into);
// … and all of them, the table itself too.
std::vector<listed_object> read_objects(const rt::sql::rows& answer, const std::string& server,
                                        const std::string& database);
std::vector<listed_object> read_triggers(const rt::sql::rows& answer, const std::string& server,
                                         const std::string& database);
void read_columns(const rt::sql::rows& answer, table_facts& into);
void read_keys(const rt::sql::rows& answer, table_facts& into);
void read_foreign_keys(const rt::sql::rows& answer, table_facts& into);
void read_create_statement(const rt::sql::rows& answer, table_facts& into);

// What server_side does not keep of the variables.
struct server_settings {
    std::string datadir, hostname;
    bool trusts_trigger_creators = false;
};
server_settings read_variables(const rt::sql::rows& answer, server_side& into);

// "gh-ost (root at 10.0.0.7:4711)": those sessions whose statement names the table or one that a
// tool makes of it.
std::vector<std::string> read_sessions(const rt::sql::rows& answer, const table_name& table);

// Free bytes of the file system that holds the directory.
std::optional<std::uint64_t> read_disks(const rt::sql::rows& answer, std::string_view directory);

// "shop/orders" and "we@0020ird/t" as people write them.
std::string readable_file_name(std::string_view encoded);

}  // namespace primacy::osc
