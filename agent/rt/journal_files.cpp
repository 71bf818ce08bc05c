#include "agent/rt/journal_files.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>

namespace primacy::rt {

namespace {

constexpr std::string_view name_begin = "journal-";
constexpr std::string_view name_end = ".jsonl";

std::optional<std::uint64_t> number_of(std::string_view name) {
    if (!name.starts_with(name_begin) || !name.ends_with(name_end)) return {};
    name.remove_prefix(name_begin.size());
    name.remove_suffix(std::min(name.size(), name_end.size()));
    std::uint64_t number = 0;
    const auto* end = name.data() + name.size();
    const auto [stopped, failure] = std::from_chars(name.data(), end, number);
    if (failure != std::errc() || stopped != end) return {};
    return number;
}

boost::json::value parse(std::string_view line) {
    // What a server has sent may be quoted in a record; that it is not UTF-8 must not keep us from
    // writing the record down.
    boost::json::parse_options lenient;
    lenient.allow_invalid_utf8 = true;
    boost::system::error_code failure;
    auto value = boost::json::parse(boost::json::string_view(line.data(), line.size()), failure, {},
                                    lenient);
    return failure ? boost::json::value() : value;
}

}  // namespace

header_kind judge_header(std::string_view line) {
    const auto value = parse(line);
    const auto* object = value.if_object();
    const auto* version = object ? object->if_contains("primacy_journal") : nullptr;
    if (!version || !version->is_int64()) return header_kind::damaged;
    if (version->as_int64() > 1) return header_kind::newer;
    return version->as_int64() == 1 ? header_kind::ours : header_kind::damaged;
}

bool is_json_object(std::string_view line) {
    return parse(line).is_object();
}

std::filesystem::path journal_path(const std::filesystem::path& directory, std::uint64_t number) {
    return directory / fmt::format("{}{:08}{}", name_begin, number, name_end);
}

result<std::vector<std::uint64_t>> journal_numbers(const std::filesystem::path& directory) {
    std::vector<std::uint64_t> numbers;
    std::error_code failure;
    std::filesystem::directory_iterator entry(directory, failure);
    for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
        if (const auto number = number_of(entry->path().filename().string()))
            numbers.push_back(*number);
    }
    if (failure && failure.value() != ENOENT)
        return from_errno(failure.value(), "read directory " + directory.string());
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

error newer_journal(const std::filesystem::path& file) {
    return {errc::config, 0,
            fmt::format("{} was written by a newer version of primacy; run that version, or move "
                        "the file away",
                        file.string())};
}

}  // namespace primacy::rt
