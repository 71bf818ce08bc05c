#include "agent/rt/log.hpp"

#include "agent/rt/log_sink.hpp"
#include "agent/rt/log_text.hpp"

#include <spdlog/details/log_msg.h>

#include <atomic>
#include <map>
#include <mutex>
#include <unistd.h>

namespace primacy::rt {

namespace {

constexpr const char* journal_socket = "/run/systemd/journal/socket";

struct log_state {
    std::atomic<log_level> threshold = log_level::info;
    std::mutex gate;  // for all that follows
    log_format format = log_format::text;
    std::shared_ptr<spdlog::sinks::sink> sink = make_line_sink(log_format::text, STDERR_FILENO);
    // What log_once has said of each module and key.
    std::map<std::pair<std::string, std::string>, std::string> said;
};

// Never destroyed: the last entries come from the destructors of other objects.
log_state& state() {
    static auto* const the_state = new log_state;
    return *the_state;
}

spdlog::level::level_enum to_spdlog(log_level level) {
    switch (level) {
        case log_level::debug: return spdlog::level::debug;
        case log_level::info: return spdlog::level::info;
        case log_level::warning: return spdlog::level::warn;
        case log_level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

void use_sink(log_format format, std::shared_ptr<spdlog::sinks::sink> sink) {
    const std::lock_guard hold(state().gate);
    state().format = format;
    state().sink = std::move(sink);
}

}  // namespace

std::optional<log_level> log_level_from(std::string_view word) {
    if (word == "debug") return log_level::debug;
    if (word == "info") return log_level::info;
    if (word == "warning" || word == "warn") return log_level::warning;
    if (word == "error") return log_level::error;
    return {};
}

std::optional<log_format> log_format_from(std::string_view word) {
    if (word == "text") return log_format::text;
    if (word == "json") return log_format::json;
    if (word == "journal") return log_format::journal;
    return {};
}

result<void> set_log_level(std::string_view level) {
    const auto known = log_level_from(level);
    if (!known) {
        return error{
            errc::config, 0,
            "log level \"" + printable(level) + "\" is none of debug, info, warning, error"};
    }
    state().threshold = *known;
    return {};
}

result<void> start_log(std::string_view level, std::string_view format, int descriptor) {
    const auto known = log_format_from(format);
    if (!known) {
        return error{errc::config, 0,
                     "log format \"" + printable(format) + "\" is none of text, json, journal"};
    }
    if (auto set = set_log_level(level); !set) return set;
    if (*known != log_format::journal) {
        use_sink(*known, make_line_sink(*known, descriptor));
        return {};
    }
    if (::access(journal_socket, W_OK) != 0) {
        use_sink(log_format::text, make_line_sink(log_format::text, descriptor));
        return error{errc::io, 0,
                     std::string("there is no journal at ") + journal_socket +
                         "; the log goes to standard error as text"};
    }
    use_sink(log_format::journal, make_journal_sink(journal_socket));
    return {};
}

bool is_logged(log_level level) {
    return level >= state().threshold.load();
}

void log(log_level level, std::string_view module, std::string_view message,
         const log_fields& fields) {
    if (!is_logged(level)) return;
    std::unique_lock hold(state().gate);
    const auto sink = state().sink;
    const auto format = state().format;
    hold.unlock();
    const std::string entry = format == log_format::json ? json_entry(message, fields)
                              : format == log_format::journal
                                  ? journal_entry(level, module, message, fields)
                                  : text_entry(message, fields);
    const spdlog::string_view_t name(module.data(), module.size());
    sink->log(spdlog::details::log_msg(name, to_spdlog(level), entry));
}

void log_once(log_level level, std::string_view module, std::string_view key,
              std::string_view message, const log_fields& fields) {
    {
        const std::lock_guard hold(state().gate);
        auto& said = state().said[{std::string(module), std::string(key)}];
        if (said == message) return;
        said = message;
    }
    log(level, module, message, fields);
}

void log_cleared(std::string_view module, std::string_view key, std::string_view message,
                 const log_fields& fields) {
    std::string former;
    {
        const std::lock_guard hold(state().gate);
        const auto found = state().said.find({std::string(module), std::string(key)});
        if (found == state().said.end()) return;
        former = std::move(found->second);
        state().said.erase(found);
    }
    log(log_level::info, module, message.empty() ? "fine again: " + former : std::string(message),
        fields);
}

}  // namespace primacy::rt
