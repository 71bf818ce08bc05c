#include "agent/rt/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>

namespace primacy::rt {

namespace {

std::string doing(std::string_view what, const std::filesystem::path& path) {
    return std::string(what) + " " + path.string();
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
    auto parent = path.parent_path();
    return parent.empty() ? std::filesystem::path(".") : parent;
}

bool names_directory(const std::filesystem::path& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

// True when the open file is still the one that `path` names.
bool is_still_at(const descriptor& file, const std::filesystem::path& path) {
    struct stat open_file {};
    struct stat named {};
    return ::fstat(file.get(), &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

// Opens the file that only one writer may have. Its lock goes away with its owner, so that what a
// killed writer left behind is free to be taken over.
result<descriptor> open_exclusively(const std::filesystem::path& path, mode_t mode) {
    for (int attempt = 0; attempt < 10; ++attempt) {
        descriptor file(
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode));
        if (!file) return from_errno(errno, doing("open", path));
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK) return from_errno(errno, doing("lock", path));
            return error{errc::io, EWOULDBLOCK,
                         "another process is writing " + path.string() + " at this moment"};
        }
        // Between open and lock the other writer may have moved it into place.
        if (is_still_at(file, path)) return file;
    }
    return error{errc::io, 0,
                 path.string() + " is replaced by others faster than it can be locked"};
}

result<void> fill(const descriptor& file, const std::filesystem::path& path, std::string_view bytes,
                  durability how, mode_t mode) {
    if (::ftruncate(file.get(), 0) != 0) return from_errno(errno, doing("truncate", path));
    if (::fchmod(file.get(), mode) != 0) return from_errno(errno, doing("set the mode of", path));
    if (auto written = write_all(file, bytes, path.string()); !written) return written;
    if (how == durability::durable && ::fsync(file.get()) != 0)
        return from_errno(errno, doing("fsync", path));
    return {};
}

}  // namespace

result<std::string> read_to_end(const descriptor& from, std::size_t limit_bytes,
                                std::string_view name) {
    std::string content;
    char buffer[16384];
    for (;;) {
        const ssize_t count = ::read(from.get(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return from_errno(errno, "read " + std::string(name));
        if (count == 0) return content;
        content.append(buffer, static_cast<std::size_t>(count));
        if (content.size() > limit_bytes) {
            return error{
                errc::limit, 0,
                std::string(name) + " is larger than " + std::to_string(limit_bytes) + " bytes"};
        }
    }
}

result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes) {
    // O_NONBLOCK: opening a fifo must not wait for a writer.
    const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) return from_errno(errno, doing("open", path));
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return from_errno(errno, doing("stat", path));
    if (!S_ISREG(facts.st_mode))
        return error{errc::io, 0, path.string() + " is not a regular file"};
    return read_to_end(file, limit_bytes, path.string());
}

result<void> write_all(const descriptor& to, std::string_view bytes, std::string_view name) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(to.get(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return from_errno(errno, "write " + std::string(name));
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

result<void> sync_directory(const std::filesystem::path& directory) {
    const descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return from_errno(errno, doing("open directory", directory));
    if (::fsync(opened.get()) != 0) return from_errno(errno, doing("fsync directory", directory));
    return {};
}

result<void> replace_file(const std::filesystem::path& path, std::string_view bytes, durability how,
                          mode_t mode) {
    auto beside = path;
    beside += ".new";
    auto file = open_exclusively(beside, mode);
    if (!file) return file.error();
    if (auto filled = fill(*file, beside, bytes, how, mode); !filled) {
        ::unlink(beside.c_str());
        return filled;
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) {
        const int failure = errno;
        ::unlink(beside.c_str());
        return from_errno(failure, doing("move the new content to", path));
    }
    if (how == durability::durable) return sync_directory(directory_of(path));
    return {};
}

result<void> ensure_directory(const std::filesystem::path& path, mode_t mode) {
    if (names_directory(path)) return {};
    // "a/b/" names the same directory as "a/b"; without this it would be its own parent.
    if (path.has_parent_path() && !path.has_filename())
        return ensure_directory(path.parent_path(), mode);
    if (path.has_parent_path()) {
        if (auto parent = ensure_directory(path.parent_path(), 0755); !parent) return parent;
    }
    if (::mkdir(path.c_str(), mode) != 0) {
        if (errno != EEXIST) return from_errno(errno, doing("make directory", path));
        if (names_directory(path)) return {};  // somebody else was quicker
        return error{errc::io, ENOTDIR, path.string() + " exists and is not a directory"};
    }
    // The umask must not decide who reads our state.
    if (::chmod(path.c_str(), mode) != 0) return from_errno(errno, doing("set the mode of", path));
    return {};
}

}  // namespace primacy::rt
