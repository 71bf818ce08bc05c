// Why gh-ost says that it is throttled: the text after "throttled, " of its status line, to the
// letter of go/logic/throttler.go. Pure; knows nothing of our own throttle (throttle.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace primacy::osc {

enum class gh_ost_throttle_cause {
    commanded_by_user,
    flag_file,
    max_load,
    critical_load_hibernate,
    leaving_hibernation,
    query,
    http,                 // --throttle-http answered something else than 200, or not at all
    freno,                // the same, with "freno" in the URL
    lag,                  // of the inspected server
    replica_lag,          // of a control replica
    replica_unreachable,  // a control replica that cannot be reached throttles for ever
    replica_error,        // a control replica that answers with an error, as one without the table
    other                 // a load variable that cannot be read, or words not known yet
};
std::string_view to_string(gh_ost_throttle_cause cause) noexcept;

struct gh_ost_throttle {
    gh_ost_throttle_cause cause = gh_ost_throttle_cause::other;
    std::string reason;                 // gh-ost's own words, whole
    std::optional<double> lag_seconds;  // of lag and replica_lag
    std::string replica;                // "host:port" of the replica_… causes
    std::string variable;               // of max_load, with its value and limit
    std::optional<std::int64_t> value, limit;
    std::optional<int> http_status;  // of http and freno; -1 when nobody answered
    bool operator==(const gh_ost_throttle&) const = default;
};

gh_ost_throttle parse_gh_ost_throttle(std::string_view reason);

}  // namespace primacy::osc
