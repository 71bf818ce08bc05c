// One-way messages to a unix datagram socket of the system: the service manager's, the journal's.
// Knows nothing of what is said.
#pragma once

#include "agent/rt/descriptor.hpp"
#include "agent/rt/error.hpp"

#include <string>
#include <string_view>

namespace primacy::rt {

enum class patience {
    none,    // errc::limit at once when the receiver's queue is full
    little,  // after half a second; for what must not get lost
};

class datagram_sender {
public:
    // A path, or an abstract name written with a leading '@'. Nothing has to listen there yet, and
    // who listens may come and go.
    explicit datagram_sender(std::string address);

    result<void> send(std::string_view message, patience how);

private:
    std::string address_;
    descriptor socket_;
};

}  // namespace primacy::rt
