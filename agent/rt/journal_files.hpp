// What the writer and the reader of a journal agree on: names of files, header, what a line is.
// Not for use outside this folder.
#pragma once

#include "agent/rt/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::rt {

// The first line of every file, without its line end.
inline constexpr std::string_view journal_header = R"({"primacy_journal":1})";

// More than any file of ours; what is larger was not written by us.
inline constexpr std::size_t largest_journal_file = std::size_t{1} << 30;

enum class header_kind {
    ours,     // this version reads and continues it
    newer,    // a newer version has written it
    damaged,  // not a header
};

header_kind judge_header(std::string_view line);

bool is_json_object(std::string_view line);

// directory/journal-00000042.jsonl
std::filesystem::path journal_path(const std::filesystem::path& directory, std::uint64_t number);

// The numbers of the files that are there, ascending; none when there is no such directory.
result<std::vector<std::uint64_t>> journal_numbers(const std::filesystem::path& directory);

error newer_journal(const std::filesystem::path& file);

}  // namespace primacy::rt
