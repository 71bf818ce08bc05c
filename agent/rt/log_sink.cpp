#include "agent/rt/log_sink.hpp"

#include "agent/rt/datagram.hpp"
#include "agent/rt/log_text.hpp"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace primacy::rt {

namespace {

log_level level_of(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::trace:
        case spdlog::level::debug: return log_level::debug;
        case spdlog::level::info: return log_level::info;
        case spdlog::level::warn: return log_level::warning;
        default: return log_level::error;
    }
}

// %* in a pattern: the "<4>" by which the journal knows a line's priority.
class priority_flag final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& entry, const std::tm&,
                spdlog::memory_buf_t& to) override {
        fmt::format_to(std::back_inserter(to), "<{}>", priority_of(level_of(entry.level)));
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<priority_flag>();
    }
};

std::unique_ptr<spdlog::formatter> formatter_for(log_format format, bool to_journal) {
    auto made = std::make_unique<spdlog::pattern_formatter>(
        spdlog::pattern_time_type::utc, format == log_format::journal ? "" : "\n");
    made->add_flag<priority_flag>('*');
    if (format == log_format::json)
        made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","logger":"%n",%v})");
    else if (format == log_format::journal)
        made->set_pattern("%v");
    else
        made->set_pattern(to_journal ? "%*%n: %v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v");
    return made;
}

// Counts what put() cannot get rid of, and says so before the next entry that it can.
class lossy_sink : public spdlog::sinks::base_sink<std::mutex> {
protected:
    lossy_sink(log_format format, bool to_journal)
        : base_sink(formatter_for(format, to_journal)), format_(format) {}

    // False when the other side does not take it now.
    virtual bool put(std::string_view entry) = 0;

private:
    void sink_it_(const spdlog::details::log_msg& entry) override {
        if (lost_ > 0 && put_entry(loss())) lost_ = 0;
        if (lost_ > 0 || !put_entry(entry)) ++lost_;
    }

    void flush_() override {}

    bool put_entry(const spdlog::details::log_msg& entry) {
        spdlog::memory_buf_t buffer;
        formatter_->format(entry, buffer);
        return put(std::string_view(buffer.data(), buffer.size()));
    }

    spdlog::details::log_msg loss() {
        const auto message = fmt::format("{} log entries were lost, nobody took them", lost_);
        loss_text_ = format_ == log_format::json ? json_entry(message, {})
                     : format_ == log_format::journal
                         ? journal_entry(log_level::warning, "log", message, {})
                         : message;
        return {"log", spdlog::level::warn, loss_text_};
    }

    log_format format_;
    std::uint64_t lost_ = 0;
    std::string loss_text_;
};

class line_sink final : public lossy_sink {
public:
    line_sink(log_format format, int descriptor)
        : lossy_sink(format, format == log_format::text && leads_to_journal(descriptor)),
          descriptor_(descriptor) {}

private:
    bool put(std::string_view line) override {
        // What was left of a line that got stuck half-way must not run into this one.
        if (broken_line_ && !write("\n")) return false;
        broken_line_ = false;
        std::size_t written = 0;
        while (written < line.size()) {
            const auto count = write(line.substr(written, largest_write));
            if (count == 0) {
                broken_line_ = written > 0;
                return false;
            }
            written += count;
        }
        return true;
    }

    // A pipe that is writable takes this many bytes without blocking.
    static constexpr std::size_t largest_write = 4096;

    // How many bytes were taken; 0 when it would block, or nobody will ever take them.
    std::size_t write(std::string_view bytes) const {
        pollfd state{descriptor_, POLLOUT, 0};
        // An error beside it is a pipe that nobody reads any more; a write would end us by SIGPIPE.
        if (::poll(&state, 1, 0) != 1 || state.revents != POLLOUT) return 0;
        auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno == ENOTSOCK)
            count = ::write(descriptor_, bytes.data(), bytes.size());
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }

    int descriptor_;
    bool broken_line_ = false;
};

class journal_sink final : public lossy_sink {
public:
    explicit journal_sink(const std::string& socket)
        : lossy_sink(log_format::journal, true), journal_(socket) {}

private:
    bool put(std::string_view entry) override {
        return journal_.send(entry, patience::none).has_value();
    }

    datagram_sender journal_;
};

}  // namespace

bool leads_to_journal(int descriptor) {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat facts {};
    if (!stream || ::fstat(descriptor, &facts) != 0) return false;
    return std::string_view(stream) == fmt::format("{}:{}", facts.st_dev, facts.st_ino);
}

std::shared_ptr<spdlog::sinks::sink> make_line_sink(log_format format, int descriptor) {
    return std::make_shared<line_sink>(format, descriptor);
}

std::shared_ptr<spdlog::sinks::sink> make_journal_sink(const std::string& socket) {
    return std::make_shared<journal_sink>(socket);
}

}  // namespace primacy::rt
