// Other programs: started by argv and never through a shell, in a session and process group of
// their own, with reset signals, none of our descriptors and only the environment they are given;
// ended as a group, with their output bounded. Knows nothing of what they do.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace primacy::rt {

struct command {
    std::vector<std::string> argv;  // [0] is looked up in our PATH unless it has a slash
    std::map<std::string, std::string> environment;  // all it gets, with:
    std::vector<std::string> inherited;  // names whose values are taken from ours, where set
    std::string standard_input;          // written to it, then closed
};

struct run_limits {
    deadline until;                                            // then SIGTERM to the group
    std::chrono::nanoseconds grace = std::chrono::seconds(2);  // from SIGTERM to SIGKILL
    // How long output is still read after the program has ended: a process that it left behind may
    // hold the pipes open for ever.
    std::chrono::nanoseconds drain = std::chrono::milliseconds(500);
    std::size_t keep_output = 65536;  // bytes of standard output kept, from its beginning
    std::size_t keep_errors = 65536;  // the same of standard error
};

enum class stream {
    output,  // its standard output
    errors,  // its standard error
};

// Hears each line as it arrives, without its line end and cut at 8 KiB; also what is not kept.
// Outlives the run and calls nothing that starts or ends one.
class line_sink {
public:
    virtual ~line_sink() = default;
    virtual void line(stream from, std::string_view text) noexcept = 0;
};

// It ended by itself.
struct exited {
    int code = 0;
};
// A signal ended it that was not ours.
struct signalled {
    int number = 0;
};
// It ran out of time and was killed. Whether it has taken effect, or will, is not known.
struct timed_out {
    bool gone = true;  // false: not even SIGKILL has ended it yet
};

struct captured {
    std::string text;
    std::uint64_t dropped_bytes = 0;  // read but not kept
    bool complete = false;            // read to its end; false when somebody still held the pipe
};

struct exit_report {
    std::variant<exited, signalled, timed_out> ending;
    std::chrono::nanoseconds took{};
    captured output;
    captured errors;
};

// "exited with code 3", "was killed by signal 11 (Segmentation fault)", …
std::string describe(const exit_report& report);

// True for exit code 0 and nothing else.
bool succeeded(const exit_report& report);

// What features depend on, so that tests can put a script in its place.
class process_runner {
public:
    virtual ~process_runner() = default;

    // Runs the program to its end, at the latest until the deadline and then twice the grace and
    // the drain; when it returns, nothing of its group runs any more. A program that cannot be
    // started is an error that names it; one that fails is a report. Cancelling the awaiting
    // coroutine ends the program as the deadline does, and is errc::cancelled.
    virtual boost::asio::awaitable<result<exit_report>> run(command what, run_limits limits,
                                                            line_sink* lines) = 0;
};

// The real one; for Linux. Needs SIGCHLD not ignored. Ignores SIGPIPE in the whole process: a child
// that does not read its input must not end us.
class system_process_runner final : public process_runner {
public:
    system_process_runner();
    boost::asio::awaitable<result<exit_report>> run(command what, run_limits limits,
                                                    line_sink* lines) override;
};

}  // namespace primacy::rt
