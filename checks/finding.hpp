// A judgement about one subject, with its reason and what it rests on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace primacy::checks {

enum class severity {
    info,     // worth knowing; the topology is healthy all the same
    warning,  // somebody should look, in daylight
    critical  // data is at risk now
};
std::string_view to_string(severity value) noexcept;

enum class finding_code {
    split_brain,
    former_primary_unseen,
    no_writer,
    server_unknown,
    diverged,
    duplicate_server_id,
    galera_two_components,
    galera_non_primary,
    writable_replica,
    replication_stopped,
    errant_transactions,
    lag_high,
    lag_unknown,
    circular_replication,
    semisync_degraded,
    clock_skew,
    version_mismatch,
    bypass_accounts,
    boots_writable
};
std::string_view to_string(finding_code code) noexcept;
// Every code, most urgent first: the order in which findings are shown.
const std::vector<finding_code>& all_finding_codes();

struct finding {
    finding_code code;
    severity level;
    std::string subject;                // a server, "db1, db2", or the channel "db3/eu"
    std::string reason;                 // one sentence; it does not change while nothing changes
    std::vector<std::string> evidence;  // what it rests on, with ages and numbers
};

}  // namespace primacy::checks
