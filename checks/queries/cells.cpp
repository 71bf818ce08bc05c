#include "checks/queries/cells.hpp"

namespace primacy::checks::queries {
namespace {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool same_name(std::string_view left, std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (lower(left[i]) != lower(right[i])) return false;
    }
    return true;
}

std::optional<std::size_t> column_finder::find(std::string_view name,
                                               std::string_view other_name) noexcept {
    const auto& columns = answer_.columns();
    for (std::size_t tried = 0; tried < columns.size(); ++tried) {
        const std::size_t at = (next_ + tried) % columns.size();
        if (same_name(columns[at], name) ||
            (!other_name.empty() && same_name(columns[at], other_name))) {
            next_ = at + 1;
            return at;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> cell(const rt::sql::rows& answer, std::size_t row,
                                     std::optional<std::size_t> column) noexcept {
    return column ? answer.cell(row, *column) : std::nullopt;
}

std::string text_or_empty(std::optional<std::string_view> text) {
    return text ? std::string(*text) : std::string();
}

rt::error lacks_column(std::string_view statement, std::string_view column) {
    return {rt::errc::protocol, 0,
            "the answer to the " + std::string(statement) + " statement has no column " +
                std::string(column) + "; is a proxy between us and the server?"};
}

}  // namespace primacy::checks::queries
