#include "agent/app/config/document_text.hpp"

namespace primacy::app {

namespace {

constexpr std::size_t most_dots_on_a_line = 32;

// Length of the UTF-8 character at the beginning of a text, 0 when there is none: too long forms,
// surrogates and numbers beyond Unicode are none.
std::size_t character_length(std::string_view text) {
    auto byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
    const unsigned first = byte(0);
    const unsigned second = byte(1);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4 || !continues(1)) return 0;
    if (first < 0xE0) return 2;
    if (!continues(2)) return 0;
    if (first < 0xF0) {
        const bool surrogate = first == 0xED && second >= 0xA0;
        return (first == 0xE0 && second < 0xA0) || surrogate ? 0 : 3;
    }
    const bool in_range = (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second < 0x90);
    return in_range && continues(3) ? 4 : 0;
}

// Follows quotes, comments and dots through the lines.
class line_reader {
public:
    // The sentence that forbids the character at the beginning of `rest`, or nothing.
    std::string_view read(std::string_view rest) {
        const char c = rest.front();
        if (c == '\n') {
            if (quote_ != 0) return "the closing quote is missing on this line";
            *this = line_reader();
        } else if (in_comment_) {
            return {};
        } else if (quote_ != 0) {
            read_in_quotes(c);
        } else if (c == '"' || c == '\'') {
            const bool over_lines = rest.size() >= 3 && rest[1] == c && rest[2] == c;
            if (over_lines) return "a text over several lines; write it on one line";
            quote_ = c;
        } else if (c == '#') {
            in_comment_ = true;
        } else if (static_cast<unsigned char>(c) >= 0x80) {
            // The library takes some of these for an impossibility, with undefined behaviour.
            return "a letter or space beyond ASCII outside of quotes";
        } else if (c == '.' && ++dots_ > most_dots_on_a_line) {
            return "more dots on one line than any key or number of this file needs";
        }
        return {};
    }

private:
    void read_in_quotes(char c) {
        const bool escape = !escaped_ && c == '\\' && quote_ == '"';
        if (c == quote_ && !escaped_) quote_ = 0;
        escaped_ = escape;
    }

    bool in_comment_ = false;
    bool escaped_ = false;
    char quote_ = 0;
    std::size_t dots_ = 0;
};

std::string_view byte_order_complaint(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF"))
        return "the file begins with a byte order mark; save it as UTF-8 without one";
    if (text.starts_with("\xFE\xFF") || text.starts_with("\xFF\xFE"))
        return "the file is UTF-16; save it as UTF-8";
    return {};
}

}  // namespace

std::optional<config_problem> check_document_text(std::string_view text) {
    config_problem here{1, 1, std::string(byte_order_complaint(text))};
    line_reader line;
    for (std::size_t at = 0; at < text.size() && here.message.empty();) {
        const std::string_view rest = text.substr(at);
        const std::size_t length = character_length(rest);
        if (length == 0)
            here.message = "these bytes are not UTF-8; save the file as UTF-8";
        else if (rest.front() == '\0')
            here.message = "a NUL byte; the file is damaged or not a text file";
        else
            here.message = line.read(rest);
        if (!here.message.empty()) break;
        const bool line_ends = rest.front() == '\n';
        here.line += line_ends ? 1 : 0;
        here.column = line_ends ? 1 : here.column + 1;
        at += length;
    }
    if (here.message.empty()) return std::nullopt;
    return here;
}

}  // namespace primacy::app
