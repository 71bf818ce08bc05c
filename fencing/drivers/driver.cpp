#include "fencing/drivers/driver.hpp"

namespace primacy::fencing {

rung_report not_allowed_report(const std::string& server, bool acted) {
    return {acted ? rung_outcome::unknown : rung_outcome::failed,
            rung_failure::cancelled,
            server + (acted ? " was left in the middle" : " was not touched") +
                ": what allowed its fence is over",
            {}};
}

rt::error not_allowed_error() {
    return {rt::errc::cancelled, 0, "was told to stop: what allowed the fence is over"};
}

}  // namespace primacy::fencing
