#include "agent/app/config/duration.hpp"

#include <charconv>
#include <cstdint>

namespace primacy::app {

namespace {

using std::chrono::milliseconds;

struct unit {
    std::string_view name;
    std::int64_t milliseconds;
};

constexpr unit units[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr std::int64_t longest = 365 * 24 * units[0].milliseconds;

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, count);
    if (failed != std::errc() || text.front() == '-') return std::nullopt;
    const std::string_view name(stop, static_cast<std::size_t>(end - stop));
    for (const unit& known : units) {
        if (known.name != name) continue;
        if (count > longest / known.milliseconds) return std::nullopt;
        return milliseconds(count * known.milliseconds);
    }
    return std::nullopt;
}

std::string to_text(milliseconds length) {
    if (length.count() == 0) return "0s";
    for (const unit& known : units) {
        if (length.count() % known.milliseconds == 0)
            return std::to_string(length.count() / known.milliseconds) + std::string(known.name);
    }
    return std::to_string(length.count()) + "ms";
}

}  // namespace primacy::app
