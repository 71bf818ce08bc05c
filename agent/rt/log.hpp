// The log of this process: text or JSON on standard error, or the journal. It never blocks: lines
// that nobody takes are counted, and the count is told when somebody does again.
// Messages never hold a secret. May be called from any thread.
#pragma once

#include "agent/rt/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace primacy::rt {

enum class log_level {
    debug,    // for whoever works on this program
    info,     // what somebody who reads the log next week wants to know
    warning,  // somebody should look at it
    error,    // something does not work
};

enum class log_format {
    text,  // one line for people; with a priority instead of the time when it goes to the journal
    json,  // one object a line
    journal,  // sent to the journal, fields and all
};

// Names are [a-z0-9_]+ from our own code ("topology", "server"), values are anything.
using log_fields = std::vector<std::pair<std::string, std::string>>;

// "debug", "info", "warning" or "warn", "error"; "text", "json", "journal".
std::optional<log_level> log_level_from(std::string_view word);
std::optional<log_format> log_format_from(std::string_view word);

// Before it is called, entries go to standard error as text, from info on. An unknown word is
// errc::config; journal where there is none is errc::io, and text is written instead. The
// descriptor is not owned and stays open as long as anything is logged.
result<void> start_log(std::string_view level, std::string_view format, int descriptor = 2);
result<void> set_log_level(std::string_view level);

// Says whether building a costly message is worth it.
bool is_logged(log_level level);

// `module` is a short name from our own code ("watch", "http").
void log(log_level level, std::string_view module, std::string_view message,
         const log_fields& fields = {});

// For what goes wrong again and again: writes the message of this (module, key) the first time and
// whenever it differs from the last one, until log_cleared().
void log_once(log_level level, std::string_view module, std::string_view key,
              std::string_view message, const log_fields& fields = {});

// Writes at level info that it is over, if there was anything to be over. Without a message, it is
// "fine again: " and the former one.
void log_cleared(std::string_view module, std::string_view key, std::string_view message = {},
                 const log_fields& fields = {});

}  // namespace primacy::rt
