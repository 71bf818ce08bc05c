#include "osc/go_text.hpp"

#include "osc/scan.hpp"

#include <cstdint>
#include <limits>

namespace primacy::osc {

namespace {

constexpr std::int64_t second = 1'000'000'000;

struct unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

// Go writes the micro sign U+00B5; its documentation allows U+03BC and "us" for it.
constexpr unit small_units[] = {
    {"ns", 1}, {"us", 1'000}, {"\xC2\xB5s", 1'000}, {"\xCE\xBCs", 1'000}, {"ms", 1'000'000}};

// value × unit + more, as long as that fits.
std::optional<std::int64_t> sum(std::uint64_t value, std::int64_t unit, std::int64_t more) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (value > static_cast<std::uint64_t>((most - more) / unit)) return std::nullopt;
    return static_cast<std::int64_t>(value) * unit + more;
}

// "57", "1.5" and the unit that ends the text; `limit` is for the whole part. In nanoseconds.
std::optional<std::int64_t> last_figure(scan text, const unit& last, std::uint64_t limit) {
    const auto whole = text.count();
    if (!whole || *whole >= limit) return std::nullopt;
    std::int64_t part = 0;
    if (text.skip(".")) {
        const auto digits = text.all_but(last.name);
        if (!digits || digits->size() > 9 ||
            digits->find_first_not_of("0123456789") != std::string_view::npos)
            return std::nullopt;
        std::int64_t place = last.nanoseconds;
        for (const char digit : *digits)
            part += (place /= 10) * (digit - '0');
    } else if (!text.skip(last.name) || !text.done()) {
        return std::nullopt;
    }
    return sum(*whole, last.nanoseconds, part);
}

// A whole figure before `name`, which is taken with it; none takes nothing.
std::optional<std::uint64_t> leading_figure(scan& text, std::string_view name) {
    scan ahead = text;
    const auto value = ahead.count();
    if (!value || !ahead.skip(name)) return std::nullopt;
    text = ahead;
    return value;
}

std::optional<std::int64_t> hours_minutes_seconds(scan text) {
    const auto hours = leading_figure(text, "h");
    const auto minutes = leading_figure(text, "m");
    if ((hours && !minutes) || minutes.value_or(0) >= 60) return std::nullopt;
    auto total = last_figure(text, {"s", second}, 60);
    if (total && minutes) total = sum(*minutes, 60 * second, *total);
    if (total && hours) total = sum(*hours, 3600 * second, *total);
    return total;
}

}  // namespace

std::optional<checks::duration> parse_go_duration(std::string_view text) {
    scan all(text);
    const bool negative = all.skip("-");
    auto found = hours_minutes_seconds(all);
    for (const unit& small : small_units) {
        if (!found) found = last_figure(all, small, 1000);
    }
    if (!found) return std::nullopt;
    return checks::duration(negative ? -*found : *found);
}

}  // namespace primacy::osc
