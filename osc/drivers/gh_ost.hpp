// gh-ost: its socket, its flag files, its words. Knows nothing of why a job is held or swapped.
#pragma once

#include "osc/commands.hpp"
#include "osc/drivers/tool_driver.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace primacy::osc {

struct gh_ost_setup {
    job_record job;
    tool_facts tool;
    server_side writer;
    tool_login login;
    job_files files;
    std::string check_url;  // of our own /check for this job; empty: the flag file alone
};

std::unique_ptr<tool_driver> make_gh_ost_driver(boost::asio::any_io_executor executor,
                                                gh_ost_setup setup);

}  // namespace primacy::osc
