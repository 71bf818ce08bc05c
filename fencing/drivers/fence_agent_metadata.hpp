// What a fence-agent says about itself (its XML of action=metadata), and what that says about our
// options: found when the configuration is loaded, not when the agent is needed.
#pragma once

#include "agent/rt/error.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::fencing {

struct agent_parameter {
    std::string name;
    bool required = false;
    bool deprecated = false;
    bool has_default = false;
    std::string obsoletes;             // the older name of the same
    std::vector<std::string> choices;  // of a "select"
};

struct agent_metadata {
    std::string name;
    std::vector<agent_parameter> parameters;
    std::vector<std::string> actions;

    bool can(std::string_view action) const;
    const agent_parameter* find(std::string_view option) const;  // "-" and "_" are the same
};

rt::result<agent_metadata> parse_agent_metadata(std::string_view xml);

struct option_problem {
    std::string option;  // as it was written; empty: the agent, or an option that is missing
    std::string sentence;
};

// One for each thing that keeps the agent from fencing with these options: an unknown option, a
// missing one, a value that is no choice, an agent that cannot power off or be asked, and
// method=cycle, which reports success while the host runs.
std::vector<option_problem> metadata_problems(const agent_metadata& metadata,
                                              const std::map<std::string, std::string>& options,
                                              bool has_password);

// "-" as "_": how names of options are compared.
std::string option_name(std::string_view written);

}  // namespace primacy::fencing
