#include "agent/rt/sql/row.hpp"

#include "agent/rt/text.hpp"

#include <strings.h>

namespace primacy::rt::sql {

rows rows::from(std::vector<std::string> columns,
                const std::vector<std::vector<std::optional<std::string>>>& data) {
    rows made;
    made.columns_ = std::move(columns);
    made.filled_columns_ = made.columns_.size();
    for (const auto& row : data)
        for (std::size_t i = 0; i < made.columns_.size(); ++i)
            made.add_cell(i < row.size() && row[i] ? std::optional<std::string_view>(*row[i])
                                                   : std::nullopt);
    return made;
}

std::optional<std::string_view> rows::cell(std::size_t row, std::size_t column) const noexcept {
    if (column >= columns_.size()) return std::nullopt;
    std::size_t index = row * columns_.size() + column;
    if (index >= cells_.size() || cells_[index].null) return std::nullopt;
    return std::string_view(bytes_).substr(cells_[index].offset, cells_[index].length);
}

std::optional<std::size_t> rows::column(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < columns_.size(); ++i)
        if (columns_[i].size() == name.size() &&
            ::strncasecmp(columns_[i].data(), name.data(), name.size()) == 0)
            return i;
    return std::nullopt;
}

void rows::restart() noexcept {
    filled_columns_ = 0;
    bytes_.clear();
    cells_.clear();
}

void rows::add_column(std::string_view name) {
    if (filled_columns_ == columns_.size())
        columns_.emplace_back(name);
    else if (columns_[filled_columns_] != name)
        columns_[filled_columns_] = name;
    ++filled_columns_;
}

void rows::add_cell(std::optional<std::string_view> value) {
    if (!value) {
        cells_.push_back({0, 0, true});
        return;
    }
    std::size_t start = bytes_.size();
    if (is_ascii(*value))
        bytes_.append(*value);
    else
        bytes_ += valid_utf8(*value);
    cells_.push_back({start, bytes_.size() - start, false});
}

}  // namespace primacy::rt::sql
