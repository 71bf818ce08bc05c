// Aligned columns of text; widths count characters, not bytes or escape codes.
#pragma once

#include <string>
#include <vector>

namespace primacy::app {

// Control characters are replaced, so that what a server sent cannot steer a terminal.
std::string printable(std::string_view text);

struct table {
    std::string indent = "  ";
    std::vector<std::vector<std::string>> rows;

    std::string text() const;
};

}  // namespace primacy::app
