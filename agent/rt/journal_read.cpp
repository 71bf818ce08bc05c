#include "agent/rt/file.hpp"
#include "agent/rt/journal.hpp"
#include "agent/rt/journal_files.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace primacy::rt {

namespace {

// Reads one file's lines into the contents; false when a newer version has written it.
bool read_lines(const std::filesystem::path& file, std::string_view text, bool newest,
                journal_contents& contents) {
    for (std::size_t line = 1; !text.empty(); ++line) {
        const auto end = text.find('\n');
        const bool unfinished = end == std::string_view::npos;
        const auto object = text.substr(0, end);
        text.remove_prefix(unfinished ? text.size() : end + 1);
        const auto header = line == 1 ? judge_header(object) : header_kind::damaged;
        if (header == header_kind::newer) return false;
        if (header == header_kind::ours) continue;
        if (line > 1 && is_json_object(object))
            contents.records.push_back({file, line, std::string(object)});
        else if (!unfinished || !newest || line == 1)
            contents.damages.push_back(
                {file, line,
                 line == 1 ? "is not the header of a journal" : "is not a JSON object"});
    }
    return true;
}

void note_gap(const std::filesystem::path& directory, std::uint64_t former, std::uint64_t next,
              journal_contents& contents) {
    if (next == former + 1) return;
    contents.damages.push_back(
        {journal_path(directory, former + 1), 0,
         next == former + 2 ? std::string("is missing")
                            : fmt::format("is missing, and all others before number {}", next)});
}

}  // namespace

result<journal_contents> read_journal(const std::filesystem::path& directory) {
    const auto numbers = journal_numbers(directory);
    if (!numbers) return numbers.error();
    journal_contents contents;
    for (std::size_t at = 0; at < numbers->size(); ++at) {
        const auto number = (*numbers)[at];
        if (at > 0) note_gap(directory, (*numbers)[at - 1], number, contents);
        const auto file = journal_path(directory, number);
        const auto text = read_file(file, largest_journal_file);
        // The writer has removed it since we have listed it.
        if (!text && text.error().native == ENOENT) continue;
        if (!text) {
            contents.damages.push_back({file, 0, text.error().message});
            continue;
        }
        if (!read_lines(file, *text, at + 1 == numbers->size(), contents))
            return newer_journal(file);
    }
    return contents;
}

}  // namespace primacy::rt
