// The answer to one statement, copied out of the client library: column names and cells.
// Knows nothing of connections; what a server sends is data, and nothing here can fail on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::rt::sql {

class rows {
public:
    // Builds an answer by hand, for tests and fuzzing; short rows are filled with NULL.
    static rows from(std::vector<std::string> columns,
                     const std::vector<std::vector<std::optional<std::string>>>& data);

    const std::vector<std::string>& columns() const noexcept { return columns_; }
    std::size_t row_count() const noexcept {
        return columns_.empty() ? 0 : cells_.size() / columns_.size();
    }
    // NULL is absent. Views live as long as this object is neither changed nor moved from.
    std::optional<std::string_view> cell(std::size_t row, std::size_t column) const noexcept;
    // Position of a column by its name, letter case ignored.
    std::optional<std::size_t> column(std::string_view name) const noexcept;
    std::size_t byte_count() const noexcept { return bytes_.size(); }

    // Filling: columns first and their end, then the cells of each row from left to right. Bytes
    // that are no UTF-8 become U+FFFD here, once for everybody who shows them later.
    void clear() noexcept { *this = {}; }
    void restart() noexcept;  // as clear(), but keeps what it has room for, names included
    void add_column(std::string_view name);
    void end_columns() { columns_.resize(filled_columns_); }
    void add_cell(std::optional<std::string_view> value);

private:
    struct slice {
        std::size_t offset;
        std::size_t length;
        bool null;
    };
    // restart() leaves the names where they are: the next answer to the same statement has the same
    // ones, and fifty strings a poll are most of what a poll would allocate.
    std::vector<std::string> columns_;
    std::size_t filled_columns_ = 0;
    std::string bytes_;
    std::vector<slice> cells_;
};

}  // namespace primacy::rt::sql
