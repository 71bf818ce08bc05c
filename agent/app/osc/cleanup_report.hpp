// A clean-up as a person reads it, and as programs do. Pure.
#pragma once

#include "agent/app/osc/cleanup_request.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace primacy::app {

struct cleanup_told {
    std::string topology;
    osc::table_name table;
    cleanup_view found;                   // before anything was dropped
    std::vector<osc::drop_outcome> done;  // empty: nothing was tried
    std::vector<osc::cleanup_line> left;  // after it
};

// Lines with their ends; holds no control character of what a server wrote.
std::string cleanup_report(const cleanup_told& what);
// What came of the statements, and what is left.
std::string drops_report(const cleanup_told& what);
boost::json::object to_json(const cleanup_told& what);

}  // namespace primacy::app
