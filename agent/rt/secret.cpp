#include "agent/rt/secret.hpp"

#include "agent/rt/descriptor.hpp"
#include "agent/rt/file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

namespace primacy::rt {

namespace {

constexpr std::size_t largest_secret = 4096;
constexpr mode_t widest_mode = 0640;

error complaint(int native, std::string sentence) {
    return {errc::config, native, std::move(sentence)};
}

error cannot_open(const std::filesystem::path& path, int native) {
    const char* remedy =
        native == EACCES ? "; let the group of the agent's user read it (chgrp, chmod 0640)" : "";
    return complaint(native, fmt::format("secret file {} cannot be opened: {}{}", path.string(),
                                         std::generic_category().message(native), remedy));
}

// Looks at the open file, not at its name: whoever swaps the name afterwards gains nothing.
result<void> check_file(const descriptor& file, const std::filesystem::path& path) {
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return cannot_open(path, errno);
    if (!S_ISREG(facts.st_mode)) {
        return complaint(0, fmt::format("secret file {} is not a regular file; put the secret "
                                        "alone into a file of its own",
                                        path.string()));
    }
    const mode_t mode = facts.st_mode & 07777;
    if ((mode & ~widest_mode) != 0) {
        return complaint(0,
                         fmt::format("secret file {} has mode {:04o}, which is wider than {:04o}; "
                                     "run: chmod 0640 {}",
                                     path.string(), mode, widest_mode, path.string()));
    }
    return {};
}

void strip_line_end(std::string& text) {
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (!text.empty() && text.back() == '\r') text.pop_back();
}

}  // namespace

result<std::string> read_secret(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a fifo must not wait for a writer.
    const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) return cannot_open(path, errno);
    if (auto fine = check_file(file, path); !fine) return fine.error();
    auto content = read_to_end(file, largest_secret, "secret file " + path.string());
    if (!content) return complaint(content.error().native, content.error().message);
    strip_line_end(*content);
    if (content->empty())
        return complaint(
            0, fmt::format("secret file {} is empty; write the secret into it", path.string()));
    // A NUL would end the secret early in every C library it is handed to.
    if (content->find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos) {
        return complaint(0, fmt::format("secret file {} holds more than one line of text; leave "
                                        "only the secret in it",
                                        path.string()));
    }
    return content;
}

}  // namespace primacy::rt
