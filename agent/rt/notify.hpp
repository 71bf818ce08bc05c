// What we tell systemd about ourselves: the documented datagram protocol of sd_notify(3), spoken
// here so that a service manager that does not read can never stop the event loop.
// Knows nothing of why. Does nothing when no service manager has asked to be told.
#pragma once

#include "agent/rt/datagram.hpp"
#include "agent/rt/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace primacy::rt {

class notifier {
public:
    // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. They stay in the environment, which our
    // children do not inherit.
    notifier();

    // True when somebody listens.
    bool active() const { return to_.has_value(); }

    // How often watchdog() has to be called at the least; empty when nobody watches us.
    std::optional<std::chrono::microseconds> watchdog_interval() const { return interval_; }

    result<void> ready();
    result<void> reloading();  // followed by ready() when it is done
    result<void> stopping();
    result<void> watchdog();
    // One line for `systemctl status`.
    result<void> status(std::string_view line);

private:
    result<void> tell(const std::string& state, patience how);

    std::optional<datagram_sender> to_;
    std::optional<std::chrono::microseconds> interval_;
};

}  // namespace primacy::rt
