// The record of what was intended and what came of it: JSON objects, one a line, appended and on
// disk before the call returns, in a directory of numbered files of which the oldest are removed.
// Knows nothing of what is in the objects. All calls block for as long as the disk takes.
#pragma once

#include "agent/rt/descriptor.hpp"
#include "agent/rt/error.hpp"
#include "agent/rt/file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::rt {

struct journal_limits {
    std::uint64_t file_bytes = 8 * 1024 * 1024;  // a file that would grow beyond it ends before
    unsigned files = 8;                          // how many are kept, the current one included
};

// The largest object that can be appended.
constexpr std::size_t largest_journal_record = 1024 * 1024;

class journal {
public:
    // Makes the directory if need be and takes it for this process alone: a second writer gets an
    // error. What a crash left of an unfinished last line is cut off. A journal that a newer
    // version has written is errc::config.
    static result<journal> open(std::filesystem::path directory, journal_limits limits = {});

    // Appends one JSON object, which has no line end in it (else errc::internal). After an error
    // the journal is as it was before the call.
    result<void> append(std::string_view object, durability how);

    // Why the journal stays in a file that has become too large; empty when it does not.
    const std::optional<error>& rotation_trouble() const { return rotation_trouble_; }

private:
    journal(std::filesystem::path directory, journal_limits limits, descriptor lock);

    result<void> open_newest();
    result<void> start_file(std::uint64_t number);
    result<void> continue_file(std::uint64_t number);
    result<void> mend_end(const std::string& content);
    result<void> follow_outside_changes();
    void rotate();
    void remove_oldest();
    result<void> write_line(const std::string& line, durability how);

    std::filesystem::path directory_;
    journal_limits limits_;
    descriptor lock_;  // the directory, locked
    descriptor file_;
    std::filesystem::path path_;
    std::uint64_t number_ = 0;
    std::uint64_t size_ = 0;  // of what is whole; there may be more after a failed append
    bool has_records_ = false;
    std::optional<error> rotation_trouble_;
};

struct journal_record {
    std::filesystem::path file;
    std::size_t line = 0;  // from 1; the first line of a file is its header
    std::string object;
};

// A line that is no JSON object, or, with line 0, a file that cannot be read or is missing.
struct journal_damage {
    std::filesystem::path file;
    std::size_t line = 0;
    std::string what;
};

struct journal_contents {
    std::vector<journal_record> records;  // oldest first
    std::vector<journal_damage> damages;
};

// Reads all there is, also while somebody writes; an unfinished last line is not there yet. No
// directory is no records. A journal that a newer version has written is errc::config.
result<journal_contents> read_journal(const std::filesystem::path& directory);

}  // namespace primacy::rt
