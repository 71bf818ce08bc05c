#include "agent/app/report/table.hpp"

#include <algorithm>
#include <cstddef>

namespace primacy::app {

namespace {

// Characters of UTF-8 text: bytes that do not continue one.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

}  // namespace

std::string printable(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return made;
}

std::string table::text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i >= widths.size()) widths.push_back(0);
            widths[i] = std::max(widths[i], width(row[i]));
        }
    std::string made;
    for (const auto& row : rows) {
        std::string line = indent;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line += std::string(widths[i] - width(row[i]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        made += line + "\n";
    }
    return made;
}

}  // namespace primacy::app
