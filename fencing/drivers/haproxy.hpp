// Takes a server out of a backend of HAProxy and ends its sessions there, through the runtime
// interface (`stats socket … level admin`). An isolating rung (isolating.hpp): at best `partial`.
//
// Verified: on a new connection, `show servers state` has the server in forced maintenance and
// `show stat` counts no session of it. Failed: HAProxy cannot be reached, or it refused, or does
// not know the server. Maintenance lasts until somebody sets the server ready, or until HAProxy is
// reloaded or restarted: a new process knows nothing of it, and an old one that still ends its
// sessions cannot be seen.
#pragma once

#include "fencing/drivers/driver.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace primacy::fencing {

struct haproxy_options {
    std::string socket;  // absolute path of the runtime socket; wins over host and port
    std::string host;
    std::uint16_t port = 0;
    std::string backend;
    std::string server;                                           // as the backend names it
    std::chrono::milliseconds timeout = std::chrono::seconds(5);  // of the whole exchange
};

// The driver outlives its coroutines. Names that HAProxy could take for something else make every
// call fail with a sentence.
std::unique_ptr<driver> make_haproxy_driver(boost::asio::any_io_executor executor,
                                            fence_target target, haproxy_options options);

}  // namespace primacy::fencing
