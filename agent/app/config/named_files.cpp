#include "agent/app/config/named_files.hpp"

#include "agent/rt/descriptor.hpp"
#include "agent/rt/secret.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

namespace primacy::app {

namespace {

constexpr mode_t widest_mode = 0640;
constexpr mode_t any_mode = 07777;

// What is wrong with the file, empty when nothing is. Looks at the open file, not at its name.
std::string file_complaint(const std::string& path, mode_t widest) {
    // O_NONBLOCK: opening a fifo must not wait for a writer.
    const rt::descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file)
        return fmt::format("{} cannot be opened: {}", path, std::generic_category().message(errno));
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return path + " is not a regular file";
    const mode_t mode = facts.st_mode & any_mode;
    if ((mode & ~widest) == 0) return {};
    return fmt::format("{} has mode {:04o}, which is wider than {:04o}; run: chmod {:04o} {}", path,
                       mode, widest, widest, path);
}

bool is_named(const reading& into, const setting& file) {
    return into.look_at_files && file.good && !file.text.empty();
}

void check(reading& into, const section_values& values, std::string_view key, mode_t widest) {
    const setting& file = values[key];
    if (!is_named(into, file)) return;
    const std::string complaint = file_complaint(file.text, widest);
    if (!complaint.empty()) into.found.problem(file.at, values.where(key), complaint);
}

}  // namespace

std::string read_named_secret(reading& into, const section_values& values, std::string_view key) {
    const setting& file = values[key];
    if (!is_named(into, file)) return {};
    auto secret = rt::read_secret(file.text);
    if (secret) return std::move(*secret);
    into.found.problem(file.at, values.where(key), secret.error().message);
    return {};
}

void check_named_file(reading& into, const section_values& values, std::string_view key) {
    check(into, values, key, any_mode);
}

void check_named_key(reading& into, const section_values& values, std::string_view key) {
    check(into, values, key, widest_mode);
}

void warn_of_named_file(reading& into, const section_values& values, std::string_view key) {
    const setting& file = values[key];
    if (!is_named(into, file)) return;
    const std::string complaint = file_complaint(file.text, any_mode);
    if (!complaint.empty()) into.found.warning(file.at, values.where(key), complaint);
}

}  // namespace primacy::app
