#include "checks/server_facts.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>

namespace primacy::checks {
namespace {

bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) noexcept {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return equal_ignoring_case(text, word); });
}

switch_setting setting_of(std::string_view text, std::initializer_list<std::string_view> off,
                          std::initializer_list<std::string_view> on) {
    auto state = switch_setting::state::unknown;
    if (one_of(text, off)) state = switch_setting::state::off;
    if (one_of(text, on)) state = switch_setting::state::on;
    return {state, std::string(text)};
}

// Takes digits and one dot after them from the front; a number that is too large reads as 0.
int take_number(std::string_view& text) noexcept {
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end == text.data() || text.front() == '-') {
        text = {};
        return 0;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty() || text.front() != '.') {
        text = {};
    } else {
        text.remove_prefix(1);
    }
    return failure == std::errc{} ? value : 0;
}

}  // namespace

std::string_view to_string(flavor value) noexcept {
    switch (value) {
        case flavor::mariadb: return "mariadb";
        case flavor::mysql: return "mysql";
    }
    return "unknown";
}

std::string_view to_string(io_thread value) noexcept {
    switch (value) {
        case io_thread::running: return "running";
        case io_thread::connecting: return "connecting";
        case io_thread::stopped: return "stopped";
        case io_thread::unknown: return "unknown";
    }
    return "unknown";
}

std::string_view to_string(sql_thread value) noexcept {
    switch (value) {
        case sql_thread::running: return "running";
        case sql_thread::stopped: return "stopped";
        case sql_thread::unknown: return "unknown";
    }
    return "unknown";
}

server_version parse_version(std::string_view text) noexcept {
    constexpr std::string_view replication_prefix = "5.5.5-";
    if (text.starts_with(replication_prefix) && text.size() > replication_prefix.size() &&
        text[replication_prefix.size()] >= '0' && text[replication_prefix.size()] <= '9') {
        text.remove_prefix(replication_prefix.size());
    }
    server_version version;
    version.major = take_number(text);
    version.minor = take_number(text);
    version.patch = take_number(text);
    return version;
}

switch_setting parse_read_only(std::string_view text) {
    return setting_of(text, {"0", "OFF"}, {"1", "ON", "NO_LOCK", "NO_LOCK_NO_ADMIN"});
}

switch_setting parse_switch(std::string_view text) {
    return setting_of(text, {"0", "OFF", "NO"}, {"1", "ON", "YES"});
}

bool server_facts::is_being_closed() const noexcept {
    return kind == flavor::mysql && super_read_only && super_read_only->is_on() &&
           read_only.value == switch_setting::state::off;
}

std::optional<bool> server_facts::writable() const noexcept {
    bool understood = true;
    bool closed = false;  // one closed gate is enough, whatever the others are
    const auto look_at = [&](const switch_setting* gate) {
        if (gate == nullptr || gate->value == switch_setting::state::unknown) {
            understood = false;
        } else {
            closed = closed || gate->is_on();
        }
    };
    look_at(&read_only);
    if (kind == flavor::mysql) {
        look_at(super_read_only && !is_being_closed() ? &*super_read_only : nullptr);
        look_at(offline_mode ? &*offline_mode : nullptr);
    }
    if (closed) return false;
    if (!understood) return std::nullopt;
    return true;
}

}  // namespace primacy::checks
