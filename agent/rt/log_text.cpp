#include "agent/rt/log_text.hpp"

#include <fmt/format.h>

#include <cassert>
#include <cctype>

namespace primacy::rt {

namespace {

constexpr std::size_t longest_text = 16384;

struct character {
    std::size_t size = 1;  // bytes
    char32_t code = 0;
    bool valid = false;  // false: one byte that is not UTF-8
};

// The first character of a text that is not empty.
character first_of(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {1, lead, true};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
    char32_t code = lead & (0x7fU >> size);
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xc0U) != 0x80U) return {};
        code = code << 6 | (byte(at) & 0x3fU);
    }
    const bool overlong = code < (size == 4 ? 0x10000U : size == 3 ? 0x800U : 0x80U);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (overlong || surrogate || code > 0x10ffff) return {};
    return {size, code, true};
}

bool is_control(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

bool misleads(char32_t code) {
    const bool ends_a_line = code == 0x2028 || code == 0x2029;
    const bool turns_around = code == 0x200e || code == 0x200f ||
                              (code >= 0x202a && code <= 0x202e) ||
                              (code >= 0x2066 && code <= 0x2069);
    return ends_a_line || turns_around;
}

std::string escape_of(char32_t code) {
    switch (code) {
        case '\n': return "\\n";
        case '\r': return "\\r";
        case '\t': return "\\t";
        default: break;
    }
    if (code < 0x80) return fmt::format("\\x{:02x}", static_cast<unsigned>(code));
    return fmt::format("\\u{:04x}", static_cast<unsigned>(code));
}

// Calls each(character, its bytes) until the end or the limit, and says whether it got to the end.
template <class Each>
bool for_each_character(std::string_view text, Each&& each) {
    std::size_t at = 0;
    while (at < text.size() && at < longest_text) {
        const auto next = first_of(text.substr(at));
        each(next, text.substr(at, next.size));
        at += next.size;
    }
    return at >= text.size();
}

bool needs_quotes(std::string_view value) {
    return value.empty() || value.find_first_of(" \"=\\") != std::string_view::npos;
}

std::string text_value(std::string_view value) {
    const std::string safe = printable(value);
    if (!needs_quotes(safe)) return safe;
    std::string quoted = "\"";
    for (const char each : safe) {
        if (each == '"') quoted += '\\';
        quoted += each;
    }
    return quoted + '"';
}

// Names come from our own code, never from outside.
[[maybe_unused]] bool is_field_name(std::string_view name) {
    if (name.empty() || name == "time" || name == "level" || name == "logger" || name == "message")
        return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
           std::string_view::npos;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string safe;
    const bool whole = for_each_character(text, [&](const character& next, std::string_view bytes) {
        if (!next.valid)
            safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
        else if (is_control(next.code) || misleads(next.code))
            safe += escape_of(next.code);
        else
            safe += bytes;
    });
    if (!whole) safe += "…";
    return safe;
}

std::string json_quoted(std::string_view text) {
    std::string quoted = "\"";
    const bool whole = for_each_character(text, [&](const character& next, std::string_view bytes) {
        if (!next.valid)
            quoted += "\\ufffd";
        else if (is_control(next.code) || misleads(next.code))
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(next.code));
        else if (next.code == '"' || next.code == '\\')
            quoted += fmt::format("\\{}", bytes);
        else
            quoted += bytes;
    });
    if (!whole) quoted += "…";
    return quoted + '"';
}

std::string text_entry(std::string_view message, const log_fields& fields) {
    std::string entry = printable(message);
    for (const auto& [name, value] : fields) {
        assert(is_field_name(name));
        entry += fmt::format(" {}={}", name, text_value(value));
    }
    return entry;
}

std::string json_entry(std::string_view message, const log_fields& fields) {
    std::string entry = "\"message\":" + json_quoted(message);
    for (const auto& [name, value] : fields) {
        assert(is_field_name(name));
        entry += fmt::format(",\"{}\":{}", name, json_quoted(value));
    }
    return entry;
}

std::string journal_entry(log_level level, std::string_view module, std::string_view message,
                          const log_fields& fields) {
    // printable() leaves no line end, which is what ends a value here.
    std::string entry =
        fmt::format("PRIORITY={}\nSYSLOG_IDENTIFIER=primacy\nPRIMACY_LOGGER={}\nMESSAGE={}\n",
                    priority_of(level), module, printable(message));
    for (const auto& [name, value] : fields) {
        assert(is_field_name(name));
        entry += "PRIMACY_";
        for (const char each : name)
            entry += static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
        entry += fmt::format("={}\n", printable(value));
    }
    return entry;
}

int priority_of(log_level level) noexcept {
    switch (level) {
        case log_level::debug: return 7;
        case log_level::info: return 6;
        case log_level::warning: return 4;
        case log_level::error: return 3;
    }
    return 3;
}

}  // namespace primacy::rt
