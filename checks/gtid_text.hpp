// Small text helpers that both GTID parsers share. Knows nothing of either notation.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace primacy::checks::gtid_text {

inline std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Decimal digits and nothing else, at most `limit`.
inline std::optional<std::uint64_t> number(std::string_view text, std::uint64_t limit) noexcept {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end || value > limit) {
        return std::nullopt;
    }
    return value;
}

}  // namespace primacy::checks::gtid_text
