// A native ALTER: our own runner as the tool (native_run.hpp), in a process of its own. Knows
// nothing of why a job begins or ends.
#pragma once

#include "osc/commands.hpp"
#include "osc/drivers/tool_driver.hpp"

#include <memory>

namespace primacy::osc {

struct native_setup {
    job_record job;
    checks::flavor writer_kind = checks::flavor::mariadb;
    std::string program;      // our own
    std::string config_path;  // it reads the password there
    job_files files;
};

std::unique_ptr<tool_driver> make_native_driver(native_setup setup);

}  // namespace primacy::osc
