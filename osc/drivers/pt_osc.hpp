// pt-online-schema-change: its signals, its plugin, its words. It has no socket: it is held by
// stopping its process, which holds no lock between two chunks, and it swaps by leave of a file
// that the plugin waits for. Knows nothing of why a job is held or swapped.
#pragma once

#include "osc/commands.hpp"
#include "osc/drivers/tool_driver.hpp"

#include <memory>

namespace primacy::osc {

struct pt_osc_setup {
    job_record job;
    tool_facts tool;
    tool_login login;
    job_files files;
};

std::unique_ptr<tool_driver> make_pt_osc_driver(pt_osc_setup setup);

}  // namespace primacy::osc
