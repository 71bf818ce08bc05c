// The made-up world in which a schema change is planned: a healthy topology, table and tools, until
// the story says otherwise.
#pragma once

#include "osc/plan.hpp"

#include <string>
#include <vector>

namespace primacy::osc_stories {

class plan_world {
public:
    plan_world();

    // Executes one command line; "plan ALTER" appends the plan to `output`. False and a sentence in
    // `error` when the line is not understood.
    bool execute(const std::string& line, std::string& output, std::string& error);

private:
    bool set_name(const std::string& text);
    bool set_asked(const std::vector<std::string>& words);
    bool set_table(const std::string& word);
    bool set_column(const std::string& text);
    bool set_key(const std::string& text);
    bool set_servers(const std::string& name, const std::vector<std::string>& words);
    bool set_server(osc::server_side& server, const std::string& word);
    bool set_tool(osc::tool_facts& tool, const std::vector<std::string>& words);
    bool set_surroundings(const std::string& word);
    bool add_leftover(const std::string& text, bool trigger);

    osc::job_spec asked_;
    osc::facts known_;
};

}  // namespace primacy::osc_stories
