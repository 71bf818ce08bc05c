// How one log entry is written down: text, JSON, or the journal's own form. Pure.
// Whatever a server or a person has sent may stand in an entry; it cannot begin a line, move a
// terminal's cursor or break the JSON.
#pragma once

#include "agent/rt/log.hpp"

#include <string>
#include <string_view>

namespace primacy::rt {

// Control characters, bytes that are not UTF-8 and characters that reverse the writing direction
// become visible escapes (\n, \x1b, \u202e); of a longer text, the first 16 KiB are kept.
std::string printable(std::string_view text);

// `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text);

// "message topology=shop note=\"two words\""
std::string text_entry(std::string_view message, const log_fields& fields);

// "\"message\":\"…\",\"topology\":\"shop\"", without braces: the time and level go before it.
std::string json_entry(std::string_view message, const log_fields& fields);

// The lines of one message of the journal's native protocol.
std::string journal_entry(log_level level, std::string_view module, std::string_view message,
                          const log_fields& fields);

// The syslog priority: 3 for error … 7 for debug.
int priority_of(log_level level) noexcept;

}  // namespace primacy::rt
