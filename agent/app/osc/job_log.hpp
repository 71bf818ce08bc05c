// What a tool has written to one of its log files since the last look. Blocking, for the disk's
// thread. Knows no tool.
#pragma once

#include "osc/line_reader.hpp"

#include <string>
#include <vector>

namespace primacy::app {

class job_log {
public:
    explicit job_log(std::string path) : path_(std::move(path)) {}

    // The lines that were ended since the last call, at most 1 MiB of them; none when there is no
    // file. `last`: whoever wrote it is gone, so that a line without an end is one too.
    std::vector<std::string> read_on(bool last);

private:
    std::string path_;
    osc::line_reader reader_;
};

}  // namespace primacy::app
