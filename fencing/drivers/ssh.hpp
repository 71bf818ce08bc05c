// Stops a server by the one fixed verb that ssh's forced command on its host understands:
// primacy-fence-host, see agent/fence_host. Soft fencing: of no use when the host cannot be
// reached.
//
// Confirmed: `stop NONCE` ended with 0 and the line `FENCED NONCE SERVER`, and then, on a second
// connection, `status NONCE` answered `STOPPED NONCE SERVER`. Failed: ssh itself says that it did
// not get as far as the command, or the command refused (`REFUSED NONCE`). All else is unknown.
#pragma once

#include "agent/rt/process.hpp"
#include "fencing/drivers/driver.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace primacy::fencing {

// Paths are absolute.
struct ssh_options {
    std::string host;  // empty: the target's
    std::uint16_t port = 22;
    std::string user = "primacy";
    std::string key;
    std::string known_hosts;
    std::chrono::milliseconds timeout = std::chrono::seconds(10);  // of the whole exchange
};

// The runner outlives the driver, and the driver its coroutines. Options that ssh could take for
// something else (a host that begins with "-") make every call fail with a sentence.
std::unique_ptr<driver> make_ssh_driver(rt::process_runner& runner, fence_target target,
                                        ssh_options options);

}  // namespace primacy::fencing
