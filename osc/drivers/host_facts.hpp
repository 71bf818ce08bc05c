// What this host can tell of a server that runs on it: how much disk its data directory has left.
// Of a server elsewhere nothing is said. Knows nothing of SQL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace primacy::osc {

struct server_place {
    std::vector<std::string> addresses;  // numeric; none when it is reached by a socket
    bool by_socket = false;
    std::string hostname;  // as the server says it
    std::string datadir;   // absolute
};

// Whether one of the addresses is of this host: loopback, or of a network interface.
bool is_of_this_host(const std::vector<std::string>& addresses);

// Free bytes for ordinary users on the file system of the data directory; absent when the server is
// not on this host as we see it (a container has a host name of its own), or the path is not ours
// to see. Blocks for as long as the file system takes.
std::optional<std::uint64_t> free_bytes_of(const server_place& place);

}  // namespace primacy::osc
