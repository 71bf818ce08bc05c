// What the isolating rungs share (haproxy, proxysql, detach). They keep others away from a server
// and do not touch the server itself: whoever connects to it directly still writes. So their own
// effect, once it is verified, is `partial` with rung_failure::bypass; they never report
// `confirmed`, the ladder goes on to the next rung, and what they did stays in its record.
// Knows no proxy and no replica.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"
#include "fencing/drivers/driver.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace primacy::fencing {

// The verified effect; `sentence` says what was done and what proves it.
rung_report isolated_report(const fence_target& target, std::string_view sentence);

// What an error says about an act or a look. `acted`: an act was sent before, so that it may have
// had an effect; without it nothing was changed.
rung_report error_report(const rt::error& failure, bool acted);

rung_failure failure_of(rt::errc code) noexcept;

// The report of a look at what an act would change: nothing was certain.
rung_report as_look(rung_report report);

// Letters, digits and -_.: only: what may stand in a command or a statement of a proxy as it is.
bool is_plain_name(std::string_view name) noexcept;

// A pause between two looks, no longer than the deadline allows.
boost::asio::awaitable<void> pause(std::chrono::milliseconds length, rt::deadline until);

}  // namespace primacy::fencing
