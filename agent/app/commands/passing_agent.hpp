// An agent for as long as one command runs, where none does: it watches and carries schema changes
// through, and never fences. What it was at work on goes on when it ends, and any later agent with
// the same state_dir takes it up again.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/rt/error.hpp"

#include <string>
#include <sys/types.h>

namespace primacy::app {

class passing_agent {
public:
    passing_agent() = default;
    // Asks it to end, and sees to it.
    ~passing_agent();
    passing_agent(const passing_agent&) = delete;
    passing_agent& operator=(const passing_agent&) = delete;

    // Returns once it has judged every topology; it writes its log to our standard error. To be
    // called by a process of one thread.
    rt::result<void> start(const std::string& config_path, const config& settings);

private:
    // Whether it has ended, which is not expected; how, in words.
    std::string why_gone();

    pid_t id_ = 0;
};

}  // namespace primacy::app
