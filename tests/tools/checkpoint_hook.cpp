// The checkpoints of agent_with_checkpoints. Environment:
//   PRIMACY_CHECKPOINT_LOG=FILE       appends each name that is passed, one a line
//   PRIMACY_CHECKPOINT_AT=NAME:N:DO   at the N-th passing of NAME: DO is kill (SIGKILL) or stop
//                                     (SIGSTOP, goes on after SIGCONT)
#include "agent/rt/checkpoint.hpp"

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unistd.h>

namespace primacy::rt {

namespace {

struct orders {
    int log = -1;
    std::string name;  // empty: nothing is to happen
    int passing = 1;
    int signal = SIGKILL;
};

[[noreturn]] void refuse(std::string_view why) {
    constexpr std::string_view begin = "checkpoint hook: ";
    static_cast<void>(!::write(STDERR_FILENO, begin.data(), begin.size()));
    static_cast<void>(!::write(STDERR_FILENO, why.data(), why.size()));
    static_cast<void>(!::write(STDERR_FILENO, "\n", 1));
    std::_Exit(99);
}

orders read_orders() {
    orders made;
    if (const char* path = std::getenv("PRIMACY_CHECKPOINT_LOG")) {
        made.log = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (made.log < 0) refuse("cannot open the file of PRIMACY_CHECKPOINT_LOG");
    }
    const char* given = std::getenv("PRIMACY_CHECKPOINT_AT");
    if (given == nullptr) return made;
    const std::string_view text = given;
    const auto first = text.find(':');
    const auto second = text.find(':', first + 1);
    if (first == text.npos || second == text.npos)
        refuse("PRIMACY_CHECKPOINT_AT is not NAME:N:kill or NAME:N:stop");
    made.name = text.substr(0, first);
    const auto number = text.substr(first + 1, second - first - 1);
    const auto read = std::from_chars(number.data(), number.data() + number.size(), made.passing);
    const auto what = text.substr(second + 1);
    if (read.ec != std::errc() || (what != "kill" && what != "stop"))
        refuse("PRIMACY_CHECKPOINT_AT is not NAME:N:kill or NAME:N:stop");
    made.signal = what == "kill" ? SIGKILL : SIGSTOP;
    return made;
}

}  // namespace

void checkpoint(std::string_view step, std::string_view of) noexcept {
    static const orders given = read_orders();
    static std::mutex one_at_a_time;
    static std::map<std::string, int> passed;
    const std::lock_guard lock(one_at_a_time);
    std::string name(step);
    if (!of.empty()) name.append(".").append(of);
    const int passing = ++passed[name];
    const std::string line = name + "\n";
    if (given.log >= 0) static_cast<void>(!::write(given.log, line.data(), line.size()));
    // Of this thread, so that it has happened when the call returns.
    if (name == given.name && passing == given.passing) static_cast<void>(::raise(given.signal));
}

}  // namespace primacy::rt
