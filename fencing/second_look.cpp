#include "fencing/second_look.hpp"

namespace primacy::fencing {

namespace {

// Whatever is dead says none of this.
bool answered(rung_failure reason) noexcept {
    switch (reason) {
        case rung_failure::denied:
        case rung_failure::refused:
        case rung_failure::protocol:
        case rung_failure::tls: return true;
        default: return false;
    }
}

}  // namespace

rung_report after_second_look(rung_report said, const rung_report& look) {
    if (said.outcome != rung_outcome::confirmed || look.outcome == rung_outcome::confirmed)
        return said;
    if (look.outcome == rung_outcome::unknown && !answered(look.reason)) return said;
    said.sentence += "; but the server still answers: " + look.sentence;
    if (look.outcome == rung_outcome::partial) {
        said.outcome = rung_outcome::partial;
        said.reason = rung_failure::bypass;
    } else {
        said.outcome = rung_outcome::unknown;
        said.reason = rung_failure::still_alive;
    }
    return said;
}

}  // namespace primacy::fencing
