// The other end of a unix datagram socket: plays the service manager or the journal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace primacy::tests {

class datagram_receiver {
public:
    // A path, or an abstract name with a leading '@'.
    explicit datagram_receiver(const std::string& address)
        : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un native{};
        native.sun_family = AF_UNIX;
        std::copy(address.begin(), address.end(), native.sun_path);
        if (address.front() == '@') native.sun_path[0] = '\0';
        const auto size = offsetof(sockaddr_un, sun_path) + address.size();
        const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&native));
        if (::bind(socket_, generic, static_cast<socklen_t>(size)) != 0)
            throw std::runtime_error("cannot bind " + address);
    }
    datagram_receiver(const datagram_receiver&) = delete;
    datagram_receiver& operator=(const datagram_receiver&) = delete;
    ~datagram_receiver() { ::close(socket_); }

    // The next message that has already arrived.
    std::optional<std::string> receive() {
        char buffer[65536];
        const auto size = ::recv(socket_, buffer, sizeof buffer, 0);
        if (size < 0) return {};
        return std::string(buffer, static_cast<std::size_t>(size));
    }

private:
    int socket_;
};

}  // namespace primacy::tests
