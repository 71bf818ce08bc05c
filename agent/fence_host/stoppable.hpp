// The server that primacy-fence-host stops, whichever way it is known on this host.
#pragma once

#include "agent/fence_host/settings.hpp"

#include <memory>
#include <string>

namespace primacy::fence_host {

enum class condition {
    stopped,  // proved: it does not run, and nothing has begun to start it
    running,
    refused,  // nothing was done: what we are told to stop does not exist here
    unknown   // it cannot be told whether it runs
};

struct finding {
    condition seen = condition::unknown;
    std::string sentence;  // why, for a person
};

// Each call blocks until it knows, at most stop_time and 15 seconds.
class stoppable {
public:
    virtual ~stoppable() = default;
    virtual finding status() = 0;
    virtual finding stop() = 0;  // politely, then by force
    virtual finding kill() = 0;  // by force
};

// By the pid in a file, and by what runs with `--pid-file` naming that file.
std::unique_ptr<stoppable> make_pid_file_server(const settings& told);

// By its systemd unit; `systemctl` is the program to ask.
std::unique_ptr<stoppable> make_systemd_server(const settings& told, std::string systemctl);

}  // namespace primacy::fence_host
