// What the servers say once a tool has ended, put together for the state machine. Pure.
#pragma once

#include "osc/job.hpp"
#include "osc/leftovers.hpp"
#include "osc/supervise.hpp"

#include <optional>
#include <string>
#include <vector>

namespace primacy::osc {

// `now` is the table on the job's writer, `objects` what fits its names on every server. Absent:
// the writer did not tell enough to say whether the table is altered.
std::optional<database_view> inspect_job(const job_record& job, const table_facts& now,
                                         const std::vector<listed_object>& objects,
                                         std::vector<std::string> unreadable);

}  // namespace primacy::osc
