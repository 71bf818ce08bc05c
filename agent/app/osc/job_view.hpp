// A job as the agent shows it at one moment: what is remembered of it, and what is known just now.
#pragma once

#include "osc/job.hpp"

#include <optional>

namespace primacy::app {

struct job_view {
    osc::job_record job;
    std::optional<double> lag_seconds;  // of the worst of its replicas; absent: not known
    bool throttled = false;             // its tool may not copy now
};

}  // namespace primacy::app
