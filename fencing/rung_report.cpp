#include "fencing/rung_report.hpp"

namespace primacy::fencing {

std::string_view to_string(rung_outcome outcome) noexcept {
    switch (outcome) {
        case rung_outcome::confirmed: return "confirmed";
        case rung_outcome::partial: return "partial";
        case rung_outcome::failed: return "failed";
        case rung_outcome::unknown: return "unknown";
    }
    return "unknown";
}

namespace {

int rank(rung_outcome outcome) noexcept {
    switch (outcome) {
        case rung_outcome::confirmed: return 3;
        case rung_outcome::partial: return 2;
        case rung_outcome::unknown: return 1;
        case rung_outcome::failed: return 0;
    }
    return 0;
}

}  // namespace

bool outweighs(rung_outcome one, rung_outcome other) noexcept {
    return rank(one) > rank(other);
}

rung_report after_unknown_act(rung_report look) {
    if (look.outcome != rung_outcome::failed) return look;
    look.outcome = rung_outcome::unknown;
    look.sentence += "; what was tried may still take effect";
    return look;
}

std::string_view to_string(rung_failure reason) noexcept {
    switch (reason) {
        case rung_failure::none: return "none";
        case rung_failure::timeout: return "timeout";
        case rung_failure::unreachable: return "unreachable";
        case rung_failure::denied: return "denied";
        case rung_failure::tls: return "tls";
        case rung_failure::refused: return "refused";
        case rung_failure::protocol: return "protocol";
        case rung_failure::still_alive: return "still_alive";
        case rung_failure::bypass: return "bypass";
        case rung_failure::not_found: return "not_found";
        case rung_failure::cancelled: return "cancelled";
        case rung_failure::internal: return "internal";
    }
    return "internal";
}

const std::vector<rung_failure>& all_rung_failures() {
    static const std::vector<rung_failure> all = {
        rung_failure::timeout,     rung_failure::unreachable, rung_failure::denied,
        rung_failure::tls,         rung_failure::refused,     rung_failure::protocol,
        rung_failure::still_alive, rung_failure::bypass,      rung_failure::not_found,
        rung_failure::cancelled,   rung_failure::internal};
    return all;
}

}  // namespace primacy::fencing
