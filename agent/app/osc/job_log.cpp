#include "agent/app/osc/job_log.hpp"

#include "agent/rt/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace primacy::app {

namespace {

constexpr std::size_t at_once = 64 * 1024;
constexpr std::size_t in_all = 1024 * 1024;

}  // namespace

std::vector<std::string> job_log::read_on(bool last) {
    std::vector<std::string> lines;
    auto told = [&](std::string_view line) { lines.emplace_back(line); };
    rt::descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return lines;
    std::string buffer(at_once, '\0');
    std::size_t read = 0;
    bool at_end = false;
    while (!at_end && read < in_all) {
        ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(),
                              static_cast<off_t>(reader_.next_byte()));
        at_end = got <= 0;
        if (at_end) break;
        read += static_cast<std::size_t>(got);
        reader_.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)), told);
    }
    if (last && at_end) reader_.finish(told);
    return lines;
}

}  // namespace primacy::app
