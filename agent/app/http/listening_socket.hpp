// A listening socket by address or by path, with every refusal as one sentence.
// Knows nothing of what is spoken on it.
#pragma once

#include "agent/rt/descriptor.hpp"
#include "agent/rt/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace primacy::app::http {

// Which file a unix socket was bound to, so that only that one is ever removed.
struct socket_file {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;
};

struct listening_socket {
    rt::descriptor native;  // non-blocking, closed on exec
    std::string address;    // "127.0.0.1:9963" with the port that it really has, or the path
    std::optional<socket_file> file;
};

// "127.0.0.1:9963", "[::1]:9963", "localhost:9963" or ":9963" (every address, both families).
// Host names are not resolved. Port 0 takes a free one.
// Errors: config (no address), denied, or by errno (in use, not an address of this machine).
rt::result<listening_socket> listen_on_address(std::string_view address);

// Mode 0660, owned by `group` when there is such a group and we may. The file that a dead process
// left is replaced; one that a process answers on, or that is no socket, is an error.
rt::result<listening_socket> listen_on_path(const std::string& path, const std::string& group);

// Removes the file if it is still the one that was bound.
void remove_socket_file(const socket_file& bound);

// The peer of an accepted socket: "10.0.0.9", "fd00::9" or "uid 1000".
std::string peer_name(int accepted);

}  // namespace primacy::app::http
