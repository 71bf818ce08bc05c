#include "agent/rt/journal.hpp"

#include "agent/rt/journal_files.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace primacy::rt {

namespace {

constexpr mode_t directory_mode = 0750;

// What root makes on behalf of an agent that runs as somebody else must be of use to that agent.
result<void> give(const descriptor& made, const std::filesystem::path& to_owner_of) {
    struct stat ours {};
    struct stat theirs {};
    if (::geteuid() != 0) return {};
    if (::fstat(made.get(), &ours) != 0 || ::stat(to_owner_of.c_str(), &theirs) != 0)
        return from_errno(errno, "find the owner of " + to_owner_of.string());
    // A name that leads to something else by now is somebody's trick, and is not given away.
    const bool is_ours = ours.st_uid == 0 && (S_ISDIR(ours.st_mode) || ours.st_nlink == 1);
    if (!is_ours || ::fchown(made.get(), theirs.st_uid, theirs.st_gid) == 0) return {};
    return from_errno(errno, "give what was made to the owner of " + to_owner_of.string());
}

// As ensure_directory(); a new one belongs to whoever owns the one that it is in.
result<void> ensure_own_directory(const std::filesystem::path& directory) {
    std::error_code failed;
    const bool there = std::filesystem::exists(directory, failed);
    if (auto made = ensure_directory(directory, directory_mode); !made) return made;
    if (there || failed) return {};
    const descriptor made(
        ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!made) return from_errno(errno, "open directory " + directory.string());
    return give(made, std::filesystem::absolute(directory).parent_path());
}

result<descriptor> lock_directory(const std::filesystem::path& directory) {
    descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return from_errno(errno, "open directory " + directory.string());
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) == 0) return opened;
    if (errno != EWOULDBLOCK) return from_errno(errno, "lock " + directory.string());
    return error{
        errc::io, EWOULDBLOCK,
        "another process writes the journal " + directory.string() + "; only one agent may use it"};
}

}  // namespace

journal::journal(std::filesystem::path directory, journal_limits limits, descriptor lock)
    : directory_(std::move(directory)), limits_(limits), lock_(std::move(lock)) {}

result<journal> journal::open(std::filesystem::path directory, journal_limits limits) {
    if (auto made = ensure_own_directory(directory); !made) return made.error();
    auto lock = lock_directory(directory);
    if (!lock) return lock.error();
    journal opened(std::move(directory), limits, std::move(*lock));
    if (auto done = opened.open_newest(); !done) return done.error();
    return opened;
}

result<void> journal::open_newest() {
    const auto numbers = journal_numbers(directory_);
    if (!numbers) return numbers.error();
    if (numbers->empty()) return start_file(1);
    return continue_file(numbers->back());
}

// The file appears with its header in it, so that no crash can leave one without.
result<void> journal::start_file(std::uint64_t number) {
    const auto path = journal_path(directory_, number);
    const auto header = std::string(journal_header) + "\n";
    if (auto made = replace_file(path, header, durability::durable); !made) return made;
    descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return from_errno(errno, "open " + path.string());
    if (auto given = give(file, directory_); !given) return given;
    file_ = std::move(file);
    path_ = path;
    number_ = number;
    size_ = header.size();
    has_records_ = false;
    return {};
}

result<void> journal::continue_file(std::uint64_t number) {
    const auto path = journal_path(directory_, number);
    const auto content = read_file(path, largest_journal_file);
    if (!content) return content.error();
    const auto header = judge_header(std::string_view(*content).substr(0, content->find('\n')));
    if (header == header_kind::newer) return newer_journal(path);
    // What cannot be understood is left for a person to look at.
    if (header == header_kind::damaged) return start_file(number + 1);
    descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return from_errno(errno, "open " + path.string());
    file_ = std::move(file);
    path_ = path;
    number_ = number;
    return mend_end(*content);
}

// The last line may lack its line end, if a crash came between. Whole, it gets one; else it goes:
// it belongs to an append() that never returned, so nobody has acted on it.
result<void> journal::mend_end(const std::string& content) {
    const auto whole = content.rfind('\n') == std::string::npos ? 0 : content.rfind('\n') + 1;
    const auto rest = std::string_view(content).substr(whole);
    size_ = whole;
    if (!rest.empty() && is_json_object(rest)) {
        size_ = content.size();
        if (auto ended = write_line("\n", durability::durable); !ended) return ended;
    } else if (!rest.empty() && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) {
        return from_errno(errno, "cut off the unfinished last line of " + path_.string());
    }
    const auto header_end = content.find('\n');
    has_records_ = header_end != std::string::npos && header_end + 1 < size_;
    return {};
}

result<void> journal::append(std::string_view object, durability how) {
    if (object.find_first_of("\r\n") != std::string_view::npos || !is_json_object(object))
        return error{errc::internal, 0,
                     "only a JSON object of one line can be put into the journal"};
    if (object.size() > largest_journal_record) {
        return error{errc::limit, 0,
                     fmt::format("a journal entry of {} bytes is too large", object.size())};
    }
    if (auto followed = follow_outside_changes(); !followed) return followed;
    const std::string line = std::string(object) + "\n";
    if (has_records_ && size_ + line.size() > limits_.file_bytes) rotate();
    auto written = write_line(line, how);
    if (written) has_records_ = true;
    return written;
}

// Somebody may have removed, emptied or edited the file; what we append must be found again.
result<void> journal::follow_outside_changes() {
    struct stat facts {};
    if (file_ && ::fstat(file_.get(), &facts) != 0) return from_errno(errno, "stat the journal");
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    if (file_ && facts.st_nlink > 0 && size == size_) return {};
    file_.reset();
    if (auto there = ensure_own_directory(directory_); !there) return there;
    return open_newest();
}

void journal::rotate() {
    // An intent that is not recorded is worse than a file that is too large: on failure go on
    // there.
    if (auto started = start_file(number_ + 1); !started) {
        rotation_trouble_ = started.error();
        return;
    }
    rotation_trouble_.reset();
    remove_oldest();
}

void journal::remove_oldest() {
    const auto numbers = journal_numbers(directory_);
    if (!numbers) return;
    for (const auto number : *numbers) {
        if (number + limits_.files <= number_) ::unlink(journal_path(directory_, number).c_str());
    }
}

result<void> journal::write_line(const std::string& line, durability how) {
    auto written = write_all(file_, line, path_.string());
    if (written && how == durability::durable && ::fdatasync(file_.get()) != 0)
        written = from_errno(errno, "fsync " + path_.string());
    if (written) {
        size_ += line.size();
        return written;
    }
    // Should this fail as well, the next append finds a size that is not ours and mends the end.
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) file_.reset();
    return written;
}

}  // namespace primacy::rt
