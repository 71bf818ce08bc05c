#include "osc/gh_ost_throttle.hpp"

#include "osc/scan.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

using cause = gh_ost_throttle_cause;

struct fixed_reason {
    std::string_view words;
    cause why;
};

constexpr fixed_reason fixed_reasons[] = {
    {"commanded by user", cause::commanded_by_user},
    {"flag-file", cause::flag_file},
    {"leaving hibernation", cause::leaving_hibernation},
    {"throttle-query", cause::query},
};

constexpr fixed_reason http_messages[] = {
    {"OK (", cause::http},
    {"Not found (", cause::http},
    {"Expectation failed (", cause::http},
    {"Too many requests (", cause::http},
    {"Internal server error (", cause::http},
    {"Connection error (", cause::http},
    {"freno: unknown metric (", cause::freno},
    {"freno: access forbidden (", cause::freno},
    {"freno: threshold exceeded (", cause::freno},
    {"freno: internal error (", cause::freno},
    {"freno: connection error (", cause::freno},
};

// "lag=2.483039s", and nothing after it.
std::optional<double> lag_after(scan text, std::string_view word) {
    if (!text.skip(word)) return std::nullopt;
    const auto seconds = text.decimal();
    if (!seconds || !text.skip("s") || !text.done()) return std::nullopt;
    return seconds;
}

std::optional<int> http_status(scan text, std::string_view ending) {
    if (!text.skip("http=")) return std::nullopt;
    const auto status = text.signed_count();
    if (!status || text.rest() != ending || *status < -1 || *status > 999) return std::nullopt;
    return static_cast<int>(*status);
}

bool read_http(scan text, gh_ost_throttle& found) {
    for (const fixed_reason& message : http_messages) {
        scan after = text;
        if (!after.skip(message.words)) continue;
        found.http_status = http_status(after, ")");
        found.cause = message.why;
        return found.http_status.has_value();
    }
    found.http_status = http_status(text, "");
    found.cause = cause::http;
    return found.http_status.has_value();
}

// "max-load Threads_running=26 >= 25"
bool read_load(scan text, gh_ost_throttle& found) {
    if (!text.skip("max-load ")) return false;
    const auto variable = text.until("=");
    const auto value = text.signed_count();
    if (!variable || !value || !text.skip(" >= ")) return false;
    const auto limit = text.signed_count();
    if (!limit || !text.done()) return false;
    found.cause = cause::max_load;
    found.variable = *variable;
    found.value = value;
    found.limit = limit;
    return true;
}

// Words of Go's net package and of its MySQL driver for a server that did not answer.
bool is_unreachable(std::string_view error) {
    constexpr std::string_view signs[] = {
        "dial ",         "lookup ",        "read tcp",         "write tcp",
        "invalid conn",  "bad connection", "unexpected EOF",   "i/o timeout",
        "context dead",  "driver: bad",    "connection reset", "connection refused",
        "no such host",  "broken pipe",    "network is unr",   "no route to host",
        "TLS handshake",
    };
    if (error.starts_with("Error ")) return false;  // the server's own words
    return error == "EOF" || std::any_of(std::begin(signs), std::end(signs), [&](auto sign) {
               return error.find(sign) != std::string_view::npos;
           });
}

// "127.0.0.1:3307 dial tcp …": the replica, which has no blanks and ends in a port, and what of it.
bool read_replica(scan text, gh_ost_throttle& found) {
    const auto replica = text.until(" ");
    if (!replica || text.done()) return false;
    const auto colon = replica->rfind(':');
    if (colon == 0 || colon == std::string_view::npos) return false;
    scan port(replica->substr(colon + 1));
    if (!port.count() || !port.done()) return false;
    found.replica = *replica;
    found.lag_seconds = lag_after(text, "replica-lag=");
    if (found.lag_seconds)
        found.cause = cause::replica_lag;
    else
        found.cause =
            is_unreachable(text.rest()) ? cause::replica_unreachable : cause::replica_error;
    return true;
}

}  // namespace

std::string_view to_string(gh_ost_throttle_cause which) noexcept {
    switch (which) {
        case cause::commanded_by_user: return "commanded by user";
        case cause::flag_file: return "flag file";
        case cause::max_load: return "max load";
        case cause::critical_load_hibernate: return "critical load";
        case cause::leaving_hibernation: return "leaving hibernation";
        case cause::query: return "query";
        case cause::http: return "http";
        case cause::freno: return "freno";
        case cause::lag: return "lag";
        case cause::replica_lag: return "replica lag";
        case cause::replica_unreachable: return "replica unreachable";
        case cause::replica_error: return "replica error";
        case cause::other: return "other";
    }
    return "other";
}

gh_ost_throttle parse_gh_ost_throttle(std::string_view reason) {
    gh_ost_throttle found;
    const scan text(reason);
    for (const fixed_reason& fixed : fixed_reasons) {
        if (reason == fixed.words) found.cause = fixed.why;
    }
    if (found.cause != cause::other) {
        // It is one of the fixed ones.
    } else if (reason.starts_with("critical-load-hibernate until ")) {
        found.cause = cause::critical_load_hibernate;
    } else if (const auto lag = lag_after(text, "lag=")) {
        found.cause = cause::lag;
        found.lag_seconds = lag;
    } else if (!read_load(text, found) && !read_http(text, found) && !read_replica(text, found)) {
        found = {};
    }
    found.reason = reason;
    return found;
}

}  // namespace primacy::osc
