#include "agent/rt/notify.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <unistd.h>

namespace primacy::rt {

namespace {

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::optional<std::int64_t> number_in(const char* name) {
    const auto text = variable(name);
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, value);
    if (failure != std::errc() || stopped != end || text.empty()) return {};
    return value;
}

std::optional<std::chrono::microseconds> interval_from_environment() {
    // Meant for another process, from which we have inherited it.
    if (!variable("WATCHDOG_PID").empty() && number_in("WATCHDOG_PID") != ::getpid()) return {};
    const auto interval = number_in("WATCHDOG_USEC");
    if (!interval || *interval <= 0) return {};
    return std::chrono::microseconds(*interval);
}

std::int64_t monotonic_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

notifier::notifier() {
    if (const auto address = variable("NOTIFY_SOCKET"); !address.empty())
        to_.emplace(std::string(address));
    interval_ = interval_from_environment();
}

result<void> notifier::ready() {
    return tell("READY=1", patience::little);
}

result<void> notifier::reloading() {
    return tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_microseconds()),
                patience::little);
}

result<void> notifier::stopping() {
    return tell("STOPPING=1", patience::little);
}

result<void> notifier::watchdog() {
    return tell("WATCHDOG=1", patience::none);
}

result<void> notifier::status(std::string_view line) {
    std::string text(line);
    // A line end would begin another statement, in our name.
    for (char& each : text) {
        if (each == '\n' || each == '\r') each = ' ';
    }
    return tell("STATUS=" + text, patience::none);
}

result<void> notifier::tell(const std::string& state, patience how) {
    if (!to_) return {};
    return to_->send(state, how);
}

}  // namespace primacy::rt
