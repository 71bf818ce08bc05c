// Schema changes as a person reads them, from the JSON of job_json.hpp alone, so that what the
// agent says and what is read from its files look the same. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace primacy::app {

// A table of {"jobs": […]}; `all`: also those that are over.
std::string job_list_text(const boost::json::object& jobs, bool all);
// Everything of one job.
std::string job_text(const boost::json::object& job);
// "[=======>            ]  37.2 %  12,000 rows/s  2 min left  running: copies rows on db1", for a
// terminal; and the same without the bar for a pipe.
std::string progress_line(const boost::json::object& job, bool with_bar);

}  // namespace primacy::app
