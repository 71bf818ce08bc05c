// Cells by column name, as numbers and words. Private to this folder.
#pragma once

#include "agent/rt/error.hpp"
#include "agent/rt/sql/row.hpp"

#include <charconv>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace primacy::checks::queries {

// ASCII only: names of columns and variables.
bool same_name(std::string_view left, std::string_view right) noexcept;

// Finds columns by name. A search begins behind the last find, so that asking in the order in which
// servers answer compares each column about once.
class column_finder {
public:
    explicit column_finder(const rt::sql::rows& answer) noexcept : answer_(answer) {}
    // Either of two names for the same thing (Master_Host, Source_Host).
    std::optional<std::size_t> find(std::string_view name,
                                    std::string_view other_name = {}) noexcept;

private:
    const rt::sql::rows& answer_;
    std::size_t next_ = 0;
};

// A cell of a column that may not be there; NULL and no such column are both absent.
std::optional<std::string_view> cell(const rt::sql::rows& answer, std::size_t row,
                                     std::optional<std::size_t> column) noexcept;

// Decimal digits, with a minus for signed types, and nothing else.
template <std::integral T>
std::optional<T> number(std::optional<std::string_view> text) noexcept {
    if (!text || text->empty()) return std::nullopt;
    T value{};
    const auto end = text->data() + text->size();
    const auto [parsed, failure] = std::from_chars(text->data(), end, value);
    if (failure != std::errc{} || parsed != end) return std::nullopt;
    return value;
}

std::string text_or_empty(std::optional<std::string_view> text);

rt::error lacks_column(std::string_view statement, std::string_view column);

}  // namespace primacy::checks::queries
