// Where log entries go, without ever waiting for the other side. Not for use outside this folder.
#pragma once

#include "agent/rt/log.hpp"

#include <spdlog/sinks/sink.h>

#include <memory>
#include <string>

namespace primacy::rt {

// Text or JSON lines to a descriptor that stays open and is not owned.
std::shared_ptr<spdlog::sinks::sink> make_line_sink(log_format format, int descriptor);

// Entries of the journal's native protocol to its socket.
std::shared_ptr<spdlog::sinks::sink> make_journal_sink(const std::string& socket);

// True when the descriptor leads into the journal, as the service manager says in JOURNAL_STREAM.
bool leads_to_journal(int descriptor);

}  // namespace primacy::rt
