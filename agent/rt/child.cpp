#include "agent/rt/child.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace primacy::rt {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t longest_line = 8192;

}  // namespace

output_pipe::output_pipe(const asio::any_io_executor& executor, stream what, std::size_t most)
    : from(executor), which(what), keep(most), lines(longest_line) {}

child::child(asio::any_io_executor executor, const run_limits& limits, line_sink* lines)
    : lines_(lines),
      changed_(executor),
      process_(executor),
      input_(executor),
      output_(executor, stream::output, limits.keep_output),
      errors_(executor, stream::errors, limits.keep_errors) {}

void child::adopt(spawned process, std::string input) {
    id_ = process.id;
    to_write_ = std::move(input);
    // Whatever of this the system refuses for want of memory or descriptors only costs us the
    // comfort: without a pidfd we look ourselves, a pipe that cannot be watched is closed.
    error_code failure;
    descriptor watched(static_cast<int>(::syscall(SYS_pidfd_open, id_, 0)));
    if (watched) process_.assign(watched.get(), failure);
    if (watched && !failure) {
        watched.release();
        watch();
    }
    for (auto [pipe, end] : {std::pair(&output_, &process.output), {&errors_, &process.errors}}) {
        pipe->from.assign(end->get(), failure);
        if (failure) continue;
        end->release();
        read(*pipe);
    }
    input_.assign(process.input.get(), failure);
    if (failure) return;
    process.input.release();
    write();
}

void child::watch() {
    process_.async_wait(asio::posix::descriptor_base::wait_read,
                        [self = shared_from_this()](error_code failure) {
                            if (failure) return;
                            self->look();
                            // Readable for any other reason: look again.
                            if (!self->ended_) self->watch();
                        });
}

void child::look() {
    siginfo_t found{};
    const int code = ::waitid(P_PID, static_cast<id_t>(id_), &found, WEXITED | WNOHANG | WNOWAIT);
    if (code == 0 && found.si_pid == 0) return;
    // ECHILD: somebody else has reaped it, so it has ended all the same.
    if (code != 0 && errno != ECHILD) return;
    reaped_ = code != 0;
    ended_ = true;
    changed_.notify();
}

deadline child::next_look(deadline limit) const {
    if (process_.is_open()) return limit;
    return limit.sooner(deadline::after(std::chrono::milliseconds(20)));
}

asio::awaitable<void> child::change(deadline limit) {
    co_await changed_.wait(next_look(limit));
    if (!process_.is_open() && !ended_) look();
}

asio::awaitable<void> child::change_shielded(deadline limit) {
    co_await changed_.wait_shielded(next_look(limit));
    if (!process_.is_open() && !ended_) look();
}

void child::signal_group(int number) const {
    // Before adopt() there is no group, and -1 would be everybody.
    if (id_ > 0 && !reaped_) ::kill(-id_, number);
}

std::optional<std::variant<exited, signalled>> child::reap() {
    siginfo_t found{};
    if (id_ <= 0 || reaped_ ||
        ::waitid(P_PID, static_cast<id_t>(id_), &found, WEXITED | WNOHANG) != 0 ||
        found.si_pid == 0)
        return {};
    reaped_ = true;
    if (found.si_code == CLD_EXITED) return exited{found.si_status};
    return signalled{found.si_status};
}

void child::let_go() {
    lines_ = nullptr;
    process_.close();
    input_.close();
    output_.from.close();
    errors_.from.close();
}

void child::read(output_pipe& pipe) {
    pipe.from.async_read_some(
        asio::buffer(pipe.buffer),
        [self = shared_from_this(), &pipe](error_code failure, std::size_t count) {
            self->take(pipe, count);
            if (!pipe.from.is_open()) return;  // let go of
            if (failure) return self->finish(pipe);
            self->read(pipe);
        });
}

void child::take(output_pipe& pipe, std::size_t count) {
    const std::string_view bytes(pipe.buffer.data(), count);
    const auto kept = std::min(count, pipe.keep - pipe.kept.text.size());
    pipe.kept.text.append(bytes.substr(0, kept));
    pipe.kept.dropped_bytes += count - kept;
    pipe.lines.feed(bytes, [&](std::string_view line) { tell(pipe.which, line); });
}

void child::finish(output_pipe& pipe) {
    pipe.lines.finish([&](std::string_view line) { tell(pipe.which, line); });
    pipe.from.close();
    pipe.kept.complete = true;
    changed_.notify();
}

void child::tell(stream which, std::string_view line) {
    if (lines_) lines_->line(which, line);
}

void child::write() {
    if (written_ == to_write_.size()) return input_.close();
    input_.async_write_some(asio::buffer(to_write_) + written_,
                            [self = shared_from_this()](error_code failure, std::size_t count) {
                                self->written_ += count;
                                if (!self->input_.is_open()) return;
                                // It does not have to read what it is told.
                                if (failure) return self->input_.close();
                                self->write();
                            });
}

}  // namespace primacy::rt
