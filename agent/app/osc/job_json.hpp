// Jobs as JSON: what is kept on disk and asked over the control socket, and the shorter form that
// people and programs are shown. Pure.
#pragma once

#include "agent/rt/error.hpp"
#include "osc/job.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace primacy::app {

boost::json::object to_json(const osc::job_spec& spec);
rt::result<osc::job_spec> job_spec_from(const boost::json::object& from);

// Everything, for the disk. Reading back is errc::config for what is no job of this version.
boost::json::object to_json(const osc::job_record& job);
rt::result<osc::job_record> job_from(std::string_view text);

// For `osc list` and `osc show`: contract of `--json`.
boost::json::object shown_json(const osc::job_record& job);

boost::json::object to_json(const osc::plan& made);

}  // namespace primacy::app
