// A made-up job and everything that supervision sees of the world, moved only by the story; and a
// shell that does what it is told, as the real one does: plans and looks at the database between
// two ticks, starts the tool.
#pragma once

#include "osc/supervise.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace primacy::osc_stories {

std::string words_for(const osc::job_action& action);

// One step with what went into it; for tests that look at every one.
struct stepped {
    const osc::job_record& before;
    const osc::supervision& seen;
    const osc::job_step& step;
};

class job_world {
public:
    job_world();
    void listen(std::function<void(const stepped&)> listener) { listener_ = std::move(listener); }
    const osc::job_record& record() const { return record_; }

    // Executes one command line; what a tick changes is appended to `output`. False and a sentence
    // in `error` when the line is not understood.
    bool execute(const std::string& line, std::string& output, std::string& error);

private:
    bool set_job(const std::vector<std::string>& words);
    bool set_topology(const std::vector<std::string>& words);
    bool set_queue(const std::vector<std::string>& words);
    bool set_plan(const std::vector<std::string>& words);
    bool set_process(const std::vector<std::string>& words);
    bool set_tool(const std::vector<std::string>& words);
    bool set_database(const std::vector<std::string>& words);
    bool set_wish(const std::string& wish);
    bool set_time(const std::string& text);
    void tick(std::string& output);
    void act(const osc::job_action& action);
    void print(const osc::job_step& step, std::string& output);

    osc::job_record record_;
    osc::supervision seen_;
    osc::plan plan_;                           // what planning comes to
    std::optional<osc::database_view> truth_;  // what looking comes to; absent: nobody answers
    bool speaks_ = true;                       // the tool's newest word is of now
    bool was_started_ = false;                 // and not forgotten since
    bool dies_before_acting_ = false;
    std::string printed_;
    std::function<void(const stepped&)> listener_;
};

}  // namespace primacy::osc_stories
