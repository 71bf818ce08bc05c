#include "agent/rt/spawn.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <system_error>
#include <unistd.h>

namespace primacy::rt {

namespace {

struct pipe_ends {
    descriptor read;
    descriptor write;
};

// Never 0, 1 or 2, which the child's ends are moved to: one of them would overwrite another.
result<descriptor> above_standard(descriptor file) {
    if (file.get() > STDERR_FILENO) return file;
    descriptor moved(::fcntl(file.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!moved) return from_errno(errno, "move a pipe");
    return moved;
}

result<pipe_ends> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return from_errno(errno, "make a pipe");
    descriptor first(ends[0]);
    descriptor second(ends[1]);
    auto read = above_standard(std::move(first));
    if (!read) return read.error();
    auto write = above_standard(std::move(second));
    if (!write) return write.error();
    return pipe_ends{std::move(*read), std::move(*write)};
}

struct spawn_attributes {
    posix_spawnattr_t native;

    spawn_attributes() {
        ::posix_spawnattr_init(&native);
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&native, &none);
        ::posix_spawnattr_setsigdefault(&native, &all);
        // A session of its own is a process group of its own, and has no terminal to ask for a
        // password on.
        ::posix_spawnattr_setflags(
            &native, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    spawn_attributes(const spawn_attributes&) = delete;
    spawn_attributes& operator=(const spawn_attributes&) = delete;
    ~spawn_attributes() { ::posix_spawnattr_destroy(&native); }
};

struct spawn_actions {
    posix_spawn_file_actions_t native;

    spawn_actions(int input, int output, int errors) {
        ::posix_spawn_file_actions_init(&native);
        ::posix_spawn_file_actions_adddup2(&native, input, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&native, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&native, errors, STDERR_FILENO);
        // All of ours are close-on-exec, those of libraries may not be.
        ::posix_spawn_file_actions_addclosefrom_np(&native, STDERR_FILENO + 1);
    }
    spawn_actions(const spawn_actions&) = delete;
    spawn_actions& operator=(const spawn_actions&) = delete;
    ~spawn_actions() { ::posix_spawn_file_actions_destroy(&native); }
};

// The array of pointers that C wants; `texts` outlives it.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (auto& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> environment_of(const command& what) {
    auto all = what.environment;
    for (const auto& name : what.inherited) {
        // What is given by value wins over what is inherited.
        if (const char* value = std::getenv(name.c_str())) all.emplace(name, value);
    }
    std::vector<std::string> lines;
    for (const auto& [name, value] : all)
        lines.push_back(name + "=" + value);
    return lines;
}

bool has_nul(const std::string& text) {
    return text.find('\0') != std::string::npos;
}

result<void> check(const command& what) {
    if (what.argv.empty() || what.argv[0].empty())
        return error{errc::usage, 0, "a command needs the name of a program"};
    const error bad_text{errc::usage, EINVAL,
                         "the command for " + what.argv[0] +
                             " holds a NUL character or an environment name that is not one"};
    for (const auto& text : what.argv) {
        if (has_nul(text)) return bad_text;
    }
    for (const auto& [name, value] : what.environment) {
        if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value))
            return bad_text;
    }
    return {};
}

error cannot_start(const std::string& program, int native) {
    const bool has_path = program.find('/') != std::string::npos;
    std::string why = std::generic_category().message(native);
    if (native == ENOENT && !has_path)
        why = "no such program in PATH; install it or give its full path";
    else if (native == ENOENT && ::access(program.c_str(), F_OK) == 0)
        why = "the interpreter that its first line names does not exist";
    else if (native == EACCES)
        why = "it is not executable for this user; check its mode and the mount options";
    else if (native == ENOEXEC)
        why = "it is neither a program for this machine nor a script that begins with #!";
    return {errc::io, native, fmt::format("cannot start {}: {}", program, why)};
}

result<void> make_non_blocking(const descriptor& file) {
    if (::fcntl(file.get(), F_SETFL, O_NONBLOCK) != 0) return from_errno(errno, "set up a pipe");
    return {};
}

}  // namespace

result<spawned> spawn(const command& what) {
    if (auto fine = check(what); !fine) return fine.error();
    auto input = make_pipe();
    auto output = make_pipe();
    auto errors = make_pipe();
    for (const auto* each : {&input, &output, &errors}) {
        if (each->has_error()) {
            return error{each->error().code, each->error().native,
                         fmt::format("cannot start {}: {}", what.argv[0], each->error().message)};
        }
    }
    for (const auto* ours : {&input->write, &output->read, &errors->read}) {
        if (auto done = make_non_blocking(*ours); !done) return done.error();
    }
    const spawn_attributes attributes;
    const spawn_actions actions(input->read.get(), output->write.get(), errors->write.get());
    auto arguments = what.argv;
    auto environment = environment_of(what);
    pid_t id = -1;
    const int failure =
        ::posix_spawnp(&id, arguments[0].c_str(), &actions.native, &attributes.native,
                       pointers_to(arguments).data(), pointers_to(environment).data());
    if (failure != 0) return cannot_start(what.argv[0], failure);
    return spawned{id, std::move(input->write), std::move(output->read), std::move(errors->read)};
}

}  // namespace primacy::rt
