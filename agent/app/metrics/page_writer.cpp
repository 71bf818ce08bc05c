#include "agent/app/metrics/page_writer.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace primacy::app::metrics {

std::string_view to_string(family_type type) noexcept {
    switch (type) {
        case family_type::gauge: return "gauge";
        case family_type::counter: return "counter";
        case family_type::histogram: return "histogram";
    }
    return "untyped";
}

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the UTF-8 character at the front of a text that is not empty; 0 when there is none:
// a stray or missing continuation, a longer form than needed, a surrogate, beyond U+10FFFF.
std::size_t character_length(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char first = byte(0), low = 0x80, high = 0xBF;
    std::size_t length = 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) length = 2;
    if (first >= 0xE0 && first <= 0xEF) length = 3;
    if (first >= 0xF0 && first <= 0xF4) length = 4;
    if (length == 0 || text.size() < length) return 0;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    if (byte(1) < low || byte(1) > high) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
    return length;
}

void append_escaped(std::string& to, std::string_view value) {
    while (!value.empty()) {
        char first = value.front();
        std::size_t length = character_length(value);
        // They would steer the terminal of whoever reads the page by hand.
        bool control = (first >= 0 && first < ' ') || first == '\x7F';
        if (first == '\n')
            to += "\\n";
        else if (first == '"' || first == '\\')
            (to += '\\') += first;
        else if (length == 0 || control)
            to += replacement;
        else
            to += value.substr(0, length);
        value.remove_prefix(length == 0 ? 1 : length);
    }
}

void append_number(std::string& to, double value) {
    if (!std::isfinite(value)) {
        to += std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
        return;
    }
    char text[32];
    bool large = std::fabs(value) >= 1e15, tiny = value != 0 && std::fabs(value) < 1e-6;
    std::to_chars_result made{};
    if (large || tiny)
        made = std::to_chars(text, text + sizeof text, value);
    else if (value == std::trunc(value))
        made = std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(value));
    else
        made = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
    to.append(text, made.ptr);
}

}  // namespace

std::string number_text(double value) {
    std::string text;
    append_number(text, value);
    return text;
}

void add_label(std::string& labels, std::string_view name, std::string_view value) {
    if (!labels.empty()) labels += ',';
    (labels += name) += "=\"";
    append_escaped(labels, value);
    labels += '"';
}

void page_writer::begin(std::string_view name, family_type type, std::string_view help) {
    name_ = name;
    ((((text_ += "# HELP ") += name) += ' ') += help) += '\n';
    ((((text_ += "# TYPE ") += name) += ' ') += to_string(type)) += '\n';
}

void page_writer::sample(std::string_view suffix, std::string_view labels, double value) {
    (text_ += name_) += suffix;
    if (!labels.empty()) ((text_ += '{') += labels) += '}';
    text_ += ' ';
    append_number(text_, value);
    text_ += '\n';
}

}  // namespace primacy::app::metrics
