// What a person asks of a schema change, from a job's file and from the flags of a command: one set
// of keys for both (config/keys.cpp), checked by the machinery of the configuration. Flags win.
// Knows nothing of servers; `osc plan` and `osc run` both begin here.
#pragma once

#include "agent/app/config/config.hpp"
#include "osc/spec.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::app {

// By key, as written behind the flag: "max_lag" → {"1500ms"}. Lists may have several values, and
// flags without a value have none.
using job_flags = std::map<std::string, std::vector<std::string>>;

struct job_request {
    osc::job_spec spec;  // to be used only when ok()
    // "job.toml:3:5: job.max_lag: expected …", "--max-lag: expected …"
    std::vector<std::string> complaints;

    bool ok() const { return complaints.empty(); }
};

// `file_text` absent: flags alone. `file` is its name, for complaints. Total: any text in.
job_request read_job_request(const config& settings, const job_flags& flags,
                             const std::string& file = "",
                             std::optional<std::string_view> file_text = std::nullopt);

// Reads the file too, at most 256 KiB of it; blocks for as long as the disk takes.
job_request load_job_request(const config& settings, const job_flags& flags,
                             const std::string& file);

// "02:00-04:00", UTC.
std::optional<osc::daily_window> parse_window(std::string_view text);
// "Threads_running=25"
std::optional<osc::load_limit> parse_load_limit(std::string_view text);

}  // namespace primacy::app
