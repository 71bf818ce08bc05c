// Catches what is logged while it lives; afterwards the log goes to standard error again.
#pragma once

#include "agent/rt/log.hpp"

#include <sstream>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace primacy::tests {

class log_capture {
public:
    explicit log_capture(std::string_view level = "debug", std::string_view format = "text")
        : file_(::memfd_create("log", MFD_CLOEXEC)) {
        rt::start_log(level, format, file_);
    }
    log_capture(const log_capture&) = delete;
    log_capture& operator=(const log_capture&) = delete;
    ~log_capture() {
        rt::start_log("info", "text");
        ::close(file_);
    }

    // All that was logged since it was asked last, without the time.
    std::vector<std::string> lines() {
        std::istringstream text(all());
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);) {
            const auto time_end = line.starts_with('{') ? 0 : line.find(' ') + 1;
            lines.push_back(line.substr(time_end));
        }
        return lines;
    }

    // The same as it was written.
    std::string all() {
        std::string text;
        char buffer[4096];
        while (const auto size = ::pread(file_, buffer, sizeof buffer, read_)) {
            if (size < 0) break;
            text.append(buffer, static_cast<std::size_t>(size));
            read_ += size;
        }
        return text;
    }

private:
    int file_;
    off_t read_ = 0;
};

}  // namespace primacy::tests
