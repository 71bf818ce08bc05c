// What one server knows of a table and of what goes on around it: one connection, statements that
// only read, one deadline. What cannot be read is absent, with the reason and the GRANT that mends
// it. Knows nothing of who the writer is, nor of the plan that is made of it.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/sql/endpoint.hpp"
#include "checks/grants.hpp"
#include "osc/drivers/table_rows.hpp"
#include "osc/facts.hpp"
#include "osc/leftovers.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace primacy::rt::sql {
class network;
}

namespace primacy::osc {

struct reading_order {
    std::string server;  // as configured
    rt::sql::endpoint where;
    table_name table;        // database empty: none, only the server and the account are looked at
    bool of_writer = false;  // the table in depth, and the syntax of the ALTER
    // "ADD COLUMN a INT"; empty: no syntax is checked. The server is not made to look at the table.
    std::string alter_clauses;
};

struct server_reading {
    server_side side;                    // is_writer is of the order
    table_facts table;                   // of the writer; elsewhere what the list of tables tells
    std::vector<listed_object> objects;  // tables and triggers that an earlier change may have left
    std::vector<std::string> tools_at_work;
    std::string syntax_error;  // the server's own words; empty: it can read the ALTER
    server_settings settings;
    checks::held_grants grants;
    std::string account;  // as it stands in a GRANT
};

// Never throws and never fails: a server that cannot be read says so in side.unreadable.
boost::asio::awaitable<server_reading> read_server(boost::asio::any_io_executor executor,
                                                   rt::sql::network& network, reading_order order,
                                                   rt::deadline until);

}  // namespace primacy::osc
