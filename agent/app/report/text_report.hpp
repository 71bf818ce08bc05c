// The JSON of status and explain as a person reads it. Works from the JSON alone, so that what the
// agent says and what the command line finds out by itself look the same. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace primacy::app {

enum class paint {
    plain,  // a pipe, a file, a dumb terminal, NO_COLOR
    colour  // a terminal
};

std::string status_text(const boost::json::object& status, paint how);
std::string explain_text(const boost::json::object& explanation, paint how);

// 0 healthy, 1 degraded, 2 split brain or no writer, 3 unknown; the worst topology counts, where
// 2 is worse than 3 and 3 worse than 1. Without a topology: 3.
int status_exit_code(const boost::json::object& status);

}  // namespace primacy::app
