#include "checks/finding.hpp"

namespace primacy::checks {

std::string_view to_string(severity value) noexcept {
    switch (value) {
        case severity::info: return "info";
        case severity::warning: return "warning";
        case severity::critical: return "critical";
    }
    return "critical";
}

std::string_view to_string(finding_code code) noexcept {
    switch (code) {
        case finding_code::split_brain: return "split_brain";
        case finding_code::former_primary_unseen: return "former_primary_unseen";
        case finding_code::no_writer: return "no_writer";
        case finding_code::server_unknown: return "server_unknown";
        case finding_code::diverged: return "diverged";
        case finding_code::duplicate_server_id: return "duplicate_server_id";
        case finding_code::galera_two_components: return "galera_two_components";
        case finding_code::galera_non_primary: return "galera_non_primary";
        case finding_code::writable_replica: return "writable_replica";
        case finding_code::replication_stopped: return "replication_stopped";
        case finding_code::errant_transactions: return "errant_transactions";
        case finding_code::lag_high: return "lag_high";
        case finding_code::lag_unknown: return "lag_unknown";
        case finding_code::circular_replication: return "circular_replication";
        case finding_code::semisync_degraded: return "semisync_degraded";
        case finding_code::clock_skew: return "clock_skew";
        case finding_code::version_mismatch: return "version_mismatch";
        case finding_code::bypass_accounts: return "bypass_accounts";
        case finding_code::boots_writable: return "boots_writable";
    }
    return "unknown";
}

const std::vector<finding_code>& all_finding_codes() {
    static const std::vector<finding_code> codes = [] {
        std::vector<finding_code> all;
        for (int i = 0; i <= static_cast<int>(finding_code::boots_writable); ++i)
            all.push_back(static_cast<finding_code>(i));
        return all;
    }();
    return codes;
}

}  // namespace primacy::checks
