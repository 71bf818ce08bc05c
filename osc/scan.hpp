// Reads one line of a tool's output from left to right. Pure; knows no tool's words. Whatever does
// not fit leaves the scan where it was, so that a caller can try the next form.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace primacy::osc {

class scan {
public:
    // Refers to `text`, which must outlive it.
    explicit scan(std::string_view text) noexcept : rest_(text) {}

    std::string_view rest() const noexcept { return rest_; }
    bool done() const noexcept { return rest_.empty(); }

    // The literal comes next: it is taken.
    bool skip(std::string_view literal) noexcept {
        if (!rest_.starts_with(literal)) return false;
        rest_.remove_prefix(literal.size());
        return true;
    }

    void skip_blanks() noexcept {
        while (rest_.starts_with(' '))
            rest_.remove_prefix(1);
    }

    // Decimal digits that fit into 64 bits.
    std::optional<std::uint64_t> count() noexcept { return number<std::uint64_t>(digits()); }

    // The same, with or without a minus sign.
    std::optional<std::int64_t> signed_count() noexcept {
        const std::size_t sign = rest_.starts_with('-') ? 1 : 0;
        const std::size_t figures = digits(sign);
        return number<std::int64_t>(figures == 0 ? 0 : sign + figures);
    }

    // "0.02", "-12.5", "3": digits, at most one point with digits on both sides.
    std::optional<double> decimal() noexcept {
        std::size_t length = rest_.starts_with('-') ? 1 : 0;
        const std::size_t whole = digits(length);
        length += whole;
        if (rest_.substr(length).starts_with('.')) {
            const std::size_t fraction = digits(length + 1);
            if (fraction == 0) return std::nullopt;
            length += 1 + fraction;
        }
        return number<double>(whole == 0 ? 0 : length);
    }

    // Exactly two digits, together less than `limit`; of clock times.
    std::optional<unsigned> two_digits(unsigned limit) noexcept {
        if (digits() < 2) return std::nullopt;
        const auto value = static_cast<unsigned>((rest_[0] - '0') * 10 + (rest_[1] - '0'));
        if (value >= limit) return std::nullopt;
        rest_.remove_prefix(2);
        return value;
    }

    // What stands before the first `mark`; both are taken.
    std::optional<std::string_view> until(std::string_view mark) noexcept {
        return before(rest_.find(mark), mark.size());
    }

    // What stands before the last `mark`; both are taken.
    std::optional<std::string_view> until_last(std::string_view mark) noexcept {
        return before(rest_.rfind(mark), mark.size());
    }

    // All the rest but the literal at its end; everything is taken. Something must stand before it.
    std::optional<std::string_view> all_but(std::string_view ending) noexcept {
        if (rest_.size() <= ending.size() || !rest_.ends_with(ending)) return std::nullopt;
        return before(rest_.size() - ending.size(), ending.size());
    }

    // `db`.`table`, as MySQL quotes: a backquote within a name is doubled. As it stands.
    std::optional<std::string_view> table() noexcept {
        const std::size_t schema = quoted_name(0);
        if (schema == 0 || !rest_.substr(schema).starts_with('.')) return std::nullopt;
        const std::size_t name = quoted_name(schema + 1);
        if (name == 0) return std::nullopt;
        return before(schema + 1 + name, 0);
    }

private:
    std::size_t digits(std::size_t from = 0) const noexcept {
        std::size_t end = from;
        while (end < rest_.size() && rest_[end] >= '0' && rest_[end] <= '9')
            ++end;
        return end - from;
    }

    template <class Number>
    std::optional<Number> number(std::size_t length) noexcept {
        Number value{};
        const char* const end = rest_.data() + length;
        const auto parsed = std::from_chars(rest_.data(), end, value);
        if (length == 0 || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
        rest_.remove_prefix(length);
        return value;
    }

    std::optional<std::string_view> before(std::size_t place, std::size_t mark) noexcept {
        if (place == std::string_view::npos) return std::nullopt;
        const auto found = rest_.substr(0, place);
        rest_.remove_prefix(place + mark);
        return found;
    }

    // The length of a quoted name with its quotes; 0 when there is none.
    std::size_t quoted_name(std::size_t from) const noexcept {
        if (!rest_.substr(from).starts_with('`')) return 0;
        for (std::size_t place = from + 1; place < rest_.size(); ++place) {
            if (rest_[place] != '`') continue;
            if (place + 1 < rest_.size() && rest_[place + 1] == '`') {
                ++place;
                continue;
            }
            return place > from + 1 ? place + 1 - from : 0;
        }
        return 0;
    }

    std::string_view rest_;
};

}  // namespace primacy::osc
