#include "agent/rt/text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace primacy::rt {

bool is_ascii(std::string_view text) noexcept {
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= sizeof(std::uint64_t); at += 8, left -= 8) {
        std::uint64_t block;
        std::memcpy(&block, at, sizeof block);
        if (block & 0x8080808080808080ULL) return false;
    }
    return std::all_of(at, at + left, [](char c) { return static_cast<signed char>(c) >= 0; });
}

namespace {

// Length of the well-formed sequence at the start of `text`, 0 if there is none (RFC 3629).
std::size_t sequence_length(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char first = byte(0);
    if (first < 0x80) return 1;
    std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                         : first >= 0xE0 && first <= 0xEF ? 3
                         : first >= 0xF0 && first <= 0xF4 ? 4
                                                          : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
    bool surrogate = first == 0xED && byte(1) > 0x9F;
    bool too_large = first == 0xF4 && byte(1) > 0x8F;
    return overlong || surrogate || too_large ? 0 : length;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    std::string made;
    while (!text.empty()) {
        std::size_t length = sequence_length(text);
        if (length == 0)
            made += "\xEF\xBF\xBD";
        else
            made += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return made;
}

}  // namespace primacy::rt
