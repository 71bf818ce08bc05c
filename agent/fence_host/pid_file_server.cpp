#include "agent/fence_host/stoppable.hpp"
#include "agent/rt/deadline.hpp"
#include "agent/rt/descriptor.hpp"
#include "agent/rt/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace primacy::fence_host {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kill_time{10};  // from SIGKILL until it is not waited for any more
constexpr std::size_t largest_pid_file = 64;
constexpr std::size_t largest_command_line = 256 * 1024;

// A process held by a pidfd, so that its number cannot come to mean another one.
struct held_process {
    pid_t id = -1;
    rt::descriptor handle;
};

bool has_ended(const held_process& process, std::chrono::milliseconds wait = {}) {
    pollfd watched{process.handle.get(), POLLIN, 0};
    return ::poll(&watched, 1, static_cast<int>(wait.count())) == 1;
}

std::optional<pid_t> number_of(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.remove_suffix(1);
    pid_t id = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (failed != std::errc{} || end != text.data() + text.size() || id <= 1) return std::nullopt;
    return id;
}

// The file name of its program; a replaced program (a package upgrade) is still that program.
// Where the link may not be read, the name that the kernel keeps.
std::string program_of(pid_t id) {
    std::error_code failed;
    std::string program = fs::read_symlink(fmt::format("/proc/{}/exe", id), failed).filename();
    if (failed) {
        const auto name = rt::read_file(fmt::format("/proc/{}/comm", id), largest_pid_file);
        program = name ? *name : std::string();
        if (program.ends_with('\n')) program.pop_back();
    }
    constexpr std::string_view replaced = " (deleted)";
    if (program.ends_with(replaced)) program.resize(program.size() - replaced.size());
    return program;
}

bool is_server_program(std::string_view program) {
    return program == "mariadbd" || program == "mysqld";
}

// The value of --pid-file on its command line; "" when it has none, nothing when that cannot be
// read.
std::optional<std::string> told_pid_file(pid_t id) {
    const auto line = rt::read_file(fmt::format("/proc/{}/cmdline", id), largest_command_line);
    if (!line || line->empty()) return std::nullopt;
    std::string found;
    std::string_view rest = *line;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        for (std::string_view option : {"--pid-file=", "--pid_file="})
            if (rest.substr(0, end).starts_with(option))
                found = rest.substr(option.size(), end - option.size());
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (found.empty() || found.front() == '/') return found;
    std::error_code failed;  // a relative one counts from the data directory, where servers live
    const auto folder = fs::read_symlink(fmt::format("/proc/{}/cwd", id), failed);
    if (failed) return std::nullopt;
    return (folder / found).string();
}

bool same_file(const std::string& one, const std::string& other) {
    std::error_code failed;
    return fs::weakly_canonical(one, failed) == fs::weakly_canonical(other, failed);
}

class pid_file_server final : public stoppable {
public:
    explicit pid_file_server(settings told) : told_(std::move(told)) {}

    finding status() override { return judged(look()); }
    finding stop() override { return end_all({SIGTERM, SIGKILL}); }
    finding kill() override { return end_all({SIGKILL}); }

private:
    struct sight {
        std::vector<held_process> ours;
        std::string doubt;  // why there may be more of them
    };

    sight look() const;
    void look_at(pid_t id, std::optional<pid_t> filed, sight& into) const;
    finding judged(const sight& seen) const;
    finding end_all(std::vector<int> signals);

    const settings told_;
};

// Decides whether one process is our server.
void pid_file_server::look_at(pid_t id, std::optional<pid_t> filed, sight& into) const {
    if (!is_server_program(program_of(id))) return;
    held_process process{id, rt::descriptor(static_cast<int>(::syscall(SYS_pidfd_open, id, 0)))};
    if (!process.handle) {
        if (errno != ESRCH)
            into.doubt = fmt::format("process {} cannot be watched: {}", id, std::strerror(errno));
        return;
    }
    // Read again through the same number, now that it cannot be given to another process unseen.
    const bool still_server = is_server_program(program_of(id));
    const auto file = told_pid_file(id);
    if (has_ended(process) || !still_server) return;
    if (file && !file->empty()) {
        if (same_file(*file, told_.pid_file))
            into.ours.push_back(std::move(process));
        else if (filed == id)
            into.doubt = fmt::format("{} names process {}, which runs with --pid-file={}",
                                     told_.pid_file, id, *file);
        return;
    }
    if (filed == id) {
        into.ours.push_back(std::move(process));
        return;
    }
    into.doubt = fmt::format(
        "process {} is a database server too and does not say its pid file on "
        "its command line; use `unit`, or start it with --pid-file",
        id);
}

pid_file_server::sight pid_file_server::look() const {
    sight seen;
    std::optional<pid_t> filed;
    const auto content = rt::read_file(told_.pid_file, largest_pid_file);
    if (content) filed = number_of(*content);
    if (!content && content.error().native != ENOENT) seen.doubt = content.error().message;
    std::error_code failed;
    for (fs::directory_iterator each("/proc", failed), end; !failed && each != end;
         each.increment(failed)) {
        const auto id = number_of(each->path().filename().string());
        if (id) look_at(*id, filed, seen);
    }
    if (failed) seen.doubt = "the list of processes cannot be read: " + failed.message();
    return seen;
}

finding pid_file_server::judged(const sight& seen) const {
    if (!seen.ours.empty())
        return {condition::running,
                fmt::format("{} runs as process {}", told_.server, seen.ours.front().id)};
    if (!seen.doubt.empty()) return {condition::unknown, seen.doubt};
    return {condition::stopped, fmt::format("{} does not run", told_.server)};
}

finding pid_file_server::end_all(std::vector<int> signals) {
    const sight before = look();
    if (before.ours.empty()) return judged(before);
    for (int number : signals) {
        std::string complaint;
        for (const auto& process : before.ours)
            if (::syscall(SYS_pidfd_send_signal, process.handle.get(), number, nullptr, 0) != 0 &&
                errno != ESRCH)
                complaint = fmt::format(
                    "process {} cannot be signalled: {}; run this as root or "
                    "as the server's user",
                    process.id, std::strerror(errno));
        if (!complaint.empty()) return {condition::running, complaint};
        const auto limit = rt::deadline::after(number == SIGKILL ? kill_time : told_.stop_time);
        for (const auto& process : before.ours)
            has_ended(process, std::chrono::ceil<std::chrono::milliseconds>(limit.left()));
        const bool all_gone =
            std::all_of(before.ours.begin(), before.ours.end(),
                        [](const held_process& process) { return has_ended(process); });
        if (all_gone) break;
    }
    // Looked at afresh: something may have started it again meanwhile.
    return judged(look());
}

}  // namespace

std::unique_ptr<stoppable> make_pid_file_server(const settings& told) {
    return std::make_unique<pid_file_server>(told);
}

}  // namespace primacy::fence_host
