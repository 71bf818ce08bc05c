// A started process as the event loop sees it: whether it has ended, what it has written, what is
// still to be written to it. Decides nothing; process.cpp does. Not for use outside this folder.
#pragma once

#include "agent/rt/event.hpp"
#include "agent/rt/line_splitter.hpp"
#include "agent/rt/process.hpp"
#include "agent/rt/spawn.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <memory>
#include <optional>

namespace primacy::rt {

// One of its two output pipes, read to the end.
struct output_pipe {
    output_pipe(const boost::asio::any_io_executor& executor, stream which, std::size_t keep);

    boost::asio::posix::stream_descriptor from;
    stream which;
    std::size_t keep;
    captured kept;
    line_splitter lines;
    std::array<char, 65536> buffer;
};

// Shared with the handlers of its pending reads, which may run after everybody else let go of it.
class child : public std::enable_shared_from_this<child> {
public:
    child(boost::asio::any_io_executor executor, const run_limits& limits, line_sink* lines);
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    // Takes over a process and begins to watch, read and write.
    void adopt(spawned process, std::string input);

    // True once its first process has ended; it stays a zombie, which keeps its group's id from
    // being given to others, until reap().
    bool ended() const { return ended_; }
    bool output_complete() const { return output_.kept.complete && errors_.kept.complete; }

    // Waits for the next change or the deadline; interruptible by cancellation unless shielded.
    boost::asio::awaitable<void> change(deadline limit);
    boost::asio::awaitable<void> change_shielded(deadline limit);

    void signal_group(int number) const;

    // How it ended; empty when it has not yet, or somebody else has reaped it.
    std::optional<std::variant<exited, signalled>> reap();

    captured take_output() { return std::move(output_.kept); }
    captured take_errors() { return std::move(errors_.kept); }

    // Closes all pipes; no line is told any more.
    void let_go();

private:
    void watch();
    void look();
    deadline next_look(deadline limit) const;
    void read(output_pipe& pipe);
    void take(output_pipe& pipe, std::size_t count);
    void finish(output_pipe& pipe);
    void write();
    void tell(stream which, std::string_view line);

    pid_t id_ = -1;
    bool ended_ = false;
    bool reaped_ = false;
    line_sink* lines_;
    event changed_;
    boost::asio::posix::stream_descriptor process_;  // a pidfd: readable when it has ended
    boost::asio::posix::stream_descriptor input_;
    std::string to_write_;
    std::size_t written_ = 0;
    output_pipe output_;
    output_pipe errors_;
};

}  // namespace primacy::rt
