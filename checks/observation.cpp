#include "checks/observation.hpp"

namespace primacy::checks {

std::string_view to_string(probe_failure failure) noexcept {
    switch (failure) {
        case probe_failure::none: return "none";
        case probe_failure::not_yet: return "not_yet";
        case probe_failure::refused: return "refused";
        case probe_failure::unreachable: return "unreachable";
        case probe_failure::timeout: return "timeout";
        case probe_failure::dns: return "dns";
        case probe_failure::denied: return "denied";
        case probe_failure::too_many_connections: return "too_many_connections";
        case probe_failure::lost: return "lost";
        case probe_failure::tls: return "tls";
        case probe_failure::protocol: return "protocol";
        case probe_failure::query: return "query";
        case probe_failure::internal: return "internal";
    }
    return "internal";
}

bool alive_but_unreadable(probe_failure failure) noexcept {
    return failure == probe_failure::denied || failure == probe_failure::too_many_connections ||
           failure == probe_failure::query;
}

}  // namespace primacy::checks
