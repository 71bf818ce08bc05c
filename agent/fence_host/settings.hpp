// What primacy-fence-host is told about the one server that it stops: /etc/primacy/fence-host.toml.
#pragma once

#include "agent/rt/error.hpp"

#include <chrono>
#include <string>

namespace primacy::fence_host {

struct settings {
    std::string server;  // its name in primacy's configuration
    // One of the two is empty. A server behind `pid_file` must have no supervisor (mariadbd-safe, a
    // unit, a container) that starts it again; with `unit`, stopping it keeps systemd from doing
    // so.
    std::string pid_file;  // absolute
    std::string unit;      // "mariadb.service"
    // How long the server has to end by itself, before it is killed: `stop_seconds`, 1 to 300.
    std::chrono::seconds stop_time{5};
};

// Reads and checks the file; the error's sentence names the file and the key.
rt::result<settings> load_settings(const std::string& path);

}  // namespace primacy::fence_host
