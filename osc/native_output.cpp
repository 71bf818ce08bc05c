#include "osc/native_output.hpp"

#include <algorithm>
#include <charconv>

namespace primacy::osc {

namespace {

constexpr std::string_view front = "native: ";
using what = native_line::what;

struct word_of {
    what kind;
    std::string_view word;
};
constexpr word_of words[] = {{what::session, "session"},
                             {what::progress, "progress"},
                             {what::done, "done"},
                             {what::failed, "failed"}};

std::string_view take_word(std::string_view& text) {
    auto end = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

}  // namespace

// "native: progress 0 4321 copy to tmp table": kind, number, ratio in ten thousandths, text.
std::string to_line(const native_line& line) {
    std::string text = line.text;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    for (const auto& [kind, word] : words)
        if (kind == line.kind)
            return std::string(front) + std::string(word) + " " + std::to_string(line.number) +
                   " " + std::to_string(static_cast<int>(line.ratio * 10'000)) + " " + text;
    return "";
}

std::optional<native_line> parse_native_line(std::string_view text) {
    if (!text.starts_with(front)) return std::nullopt;
    text.remove_prefix(front.size());
    std::string_view word = take_word(text);
    std::string_view number = take_word(text);
    std::string_view parts = take_word(text);
    native_line made;
    bool known = false;
    for (const auto& each : words)
        if (each.word == word) {
            made.kind = each.kind;
            known = true;
        }
    int ten_thousandths = 0;
    auto read = [](std::string_view from, auto& into) {
        auto [end, failed] = std::from_chars(from.data(), from.data() + from.size(), into);
        return failed == std::errc{} && end == from.data() + from.size();
    };
    if (!known || !read(number, made.number) || !read(parts, ten_thousandths)) return std::nullopt;
    made.ratio = std::clamp(ten_thousandths / 10'000.0, 0.0, 1.0);
    made.text = text;
    return made;
}

}  // namespace primacy::osc
