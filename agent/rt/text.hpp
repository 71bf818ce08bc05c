// Text that came from outside, made fit to be shown: servers send whatever they like.
#pragma once

#include <string>
#include <string_view>

namespace primacy::rt {

// True when every byte is ASCII; most text is, and this is quick.
bool is_ascii(std::string_view text) noexcept;

// The text with every byte that is no UTF-8 replaced by U+FFFD. Control characters stay: whoever
// writes to a terminal, a log or JSON escapes them there.
std::string valid_utf8(std::string_view text);

}  // namespace primacy::rt
