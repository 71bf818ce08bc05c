#include "agent/app/config/nearest_name.hpp"

#include <algorithm>
#include <cctype>

namespace primacy::app {

namespace {

constexpr std::size_t longest_mistyped = 100;  // nobody mistypes more than that
constexpr std::size_t shortest_beginning = 3;

std::string lower(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return made;
}

bool begins_alike(std::string_view one, std::string_view other) {
    return std::min(one.size(), other.size()) >= shortest_beginning &&
           (one.starts_with(other) || other.starts_with(one));
}

}  // namespace

std::size_t edit_distance(std::string_view from, std::string_view to) {
    const std::size_t width = to.size() + 1;
    // Three rows of the usual matrix: a swap looks back two.
    std::vector<std::size_t> before(width);
    std::vector<std::size_t> above(width);
    std::vector<std::size_t> row(width);
    for (std::size_t j = 0; j < width; ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::swap(before, above);
        std::swap(above, row);
        row[0] = i;
        for (std::size_t j = 1; j < width; ++j) {
            const std::size_t replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            const bool swapped =
                i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[to.size()];
}

std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& valid) {
    if (name.empty() || name.size() > longest_mistyped) return {};
    const std::string wanted = lower(name);
    std::size_t closest = std::max(std::min<std::size_t>(2, name.size() / 2), name.size() / 3) + 1;
    std::string_view found;
    for (std::string_view candidate : valid) {
        const std::size_t distance = edit_distance(wanted, lower(candidate));
        if (distance >= closest) continue;
        closest = distance;
        found = candidate;
    }
    if (!found.empty()) return found;
    auto alike = std::find_if(valid.begin(), valid.end(), [&](std::string_view candidate) {
        return begins_alike(wanted, lower(candidate));
    });
    return alike == valid.end() ? std::string_view() : *alike;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& valid) {
    const std::string_view meant = nearest_name(name, valid);
    if (meant.empty()) return {};
    return "; did you mean \"" + std::string(meant) + "\"?";
}

}  // namespace primacy::app
