#include "agent/rt/detached.hpp"

#include "agent/rt/descriptor.hpp"
#include "agent/rt/file.hpp"

#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace primacy::rt {

namespace {

constexpr std::size_t small = 4096;

// After the last ')' of /proc/PID/stat, because a program's name may hold anything: state is the
// first word there, the start time the twentieth.
struct stat_words {
    char state = 'X';
    std::uint64_t start_ticks = 0;
};

std::optional<stat_words> read_stat(pid_t id) {
    descriptor file(
        ::open(("/proc/" + std::to_string(id) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    auto text = read_to_end(file, small, "stat");
    if (!text) return std::nullopt;
    std::size_t at = text->rfind(')');
    if (at == std::string::npos || at + 2 >= text->size()) return std::nullopt;
    std::string_view rest = std::string_view(*text).substr(at + 2);
    stat_words made;
    made.state = rest[0];
    for (int word = 0; word < 19; ++word) {
        auto space = rest.find(' ');
        if (space == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(space + 1);
    }
    auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), made.start_ticks);
    if (failed != std::errc{}) return std::nullopt;
    return made;
}

std::string text_of(const process_identity& who) {
    return std::to_string(who.id) + " " + std::to_string(who.start_ticks) + "\n";
}

std::optional<process_identity> read_identity(const std::string& path) {
    auto text = read_file(path, small);
    if (!text) return std::nullopt;
    process_identity made;
    const char* end = text->data() + text->size();
    auto [middle, failed] = std::from_chars(text->data(), end, made.id);
    if (failed != std::errc{} || middle == end) return std::nullopt;
    if (std::from_chars(middle + 1, end, made.start_ticks).ec != std::errc{}) return std::nullopt;
    return made;
}

// The file of how it ended: "exited 0" or "signalled 9".
void read_ending(const std::string& path, detached_state& into) {
    auto text = read_file(path, small);
    if (!text) return;
    auto number_after = [&](std::string_view word) -> std::optional<int> {
        if (!text->starts_with(word)) return std::nullopt;
        int number = 0;
        const char* begin = text->data() + word.size();
        if (std::from_chars(begin, text->data() + text->size(), number).ec != std::errc{})
            return std::nullopt;
        return number;
    };
    into.exit_code = number_after("exited ");
    into.signal = number_after("signalled ");
    if (into.exit_code || into.signal) into.what = detached_state::fate::ended;
}

// Tells the parent what came of the start, and lets it go: a text is why it failed.
struct starting_line {
    int to;
    void failed(const std::string& why) const {
        std::ignore = ::write(to, why.data(), why.size());
        ::_exit(1);
    }
    void done() const { ::close(to); }
};

void redirect(const std::string& path, int to, const starting_line& parent) {
    int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file < 0 || ::dup2(file, to) < 0)
        parent.failed("open " + path + ": " + std::strerror(errno));
    ::close(file);
}

pid_t start_program(std::vector<std::string>& argv, const starting_line& parent) {
    std::vector<char*> words;
    for (auto& word : argv)
        words.push_back(word.data());
    words.push_back(nullptr);
    posix_spawnattr_t how;
    ::posix_spawnattr_init(&how);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&how, &none);
    ::posix_spawnattr_setsigdefault(&how, &all);
    // A group of its own: what is sent to it does not reach its watcher.
    ::posix_spawnattr_setpgroup(&how, 0);
    ::posix_spawnattr_setflags(
        &how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t id = 0;
    int failed = ::posix_spawnp(&id, words[0], nullptr, &how, words.data(), environ);
    ::posix_spawnattr_destroy(&how);
    if (failed != 0) parent.failed("start " + argv[0] + ": " + std::strerror(failed));
    return id;
}

void note_identity(const std::string& path, pid_t id, const starting_line& parent) {
    auto who = identify(id);
    // It may have ended already; then only its ending counts.
    auto noted =
        replace_file(path, text_of(who.value_or(process_identity{id, 0})), durability::durable);
    if (!noted) parent.failed(noted.error().message);
}

[[noreturn]] void be_the_watcher(const detached_files& files, std::vector<std::string> argv,
                                 starting_line parent) {
    ::setsid();
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGTSTP})
        std::signal(number, SIG_IGN);
    int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    redirect(files.output, STDOUT_FILENO, parent);
    redirect(files.errors, STDERR_FILENO, parent);
    std::ignore = ::chdir("/");
    note_identity(files.watcher, ::getpid(), parent);
    pid_t program = start_program(argv, parent);
    note_identity(files.program, program, parent);
    parent.done();
    int status = 0;
    while (::waitpid(program, &status, 0) < 0 && errno == EINTR) {
    }
    std::string ending = WIFEXITED(status) ? "exited " + std::to_string(WEXITSTATUS(status)) + "\n"
                                           : "signalled " + std::to_string(WTERMSIG(status)) + "\n";
    std::ignore = replace_file(files.ending, ending, durability::durable);
    ::_exit(0);
}

}  // namespace

std::optional<process_identity> identify(pid_t id) {
    auto words = read_stat(id);
    if (!words || words->state == 'Z' || words->state == 'X') return std::nullopt;
    return process_identity{id, words->start_ticks};
}

bool is_running(const process_identity& who) {
    auto now = identify(who.id);
    return now && *now == who;
}

detached_files detached_files_in(const std::string& folder, const std::string& log_folder) {
    return {folder + "/watcher", folder + "/program", folder + "/ending",
            log_folder + "/output.log", log_folder + "/errors.log"};
}

result<void> watch_detached(const detached_files& files, std::vector<std::string> argv) {
    if (argv.empty()) return error{errc::usage, 0, "a command needs the name of a program"};
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return from_errno(errno, "make a pipe");
    descriptor from(ends[0]);
    pid_t child = ::fork();
    if (child < 0) {
        ::close(ends[1]);
        return from_errno(errno, "fork");
    }
    if (child == 0) be_the_watcher(files, std::move(argv), starting_line{ends[1]});
    ::close(ends[1]);
    auto why = read_to_end(from, small, "the watcher's answer");
    if (!why) return why.error();
    if (!why->empty()) return error{errc::io, 0, "cannot " + *why};
    return {};
}

detached_state look_at_detached(const detached_files& files) {
    detached_state made;
    auto watcher = read_identity(files.watcher);
    made.program = read_identity(files.program);
    if (!watcher && !made.program) return made;
    // Who runs is looked at before the ending is read, so that an end in between is seen as
    // "alive" and the next look tells more, never as "gone".
    const bool runs =
        (watcher && is_running(*watcher)) || (made.program && is_running(*made.program));
    made.what = runs ? detached_state::fate::alive : detached_state::fate::gone;
    read_ending(files.ending, made);
    return made;
}

result<void> forget_detached(const detached_files& files) {
    // The ending last: until then a look still finds it.
    for (const auto& path : {files.watcher, files.program, files.ending})
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            return from_errno(errno, "remove " + path);
    return {};
}

bool signal_detached(const process_identity& program, int number) {
    return is_running(program) && ::kill(-program.id, number) == 0;
}

}  // namespace primacy::rt
