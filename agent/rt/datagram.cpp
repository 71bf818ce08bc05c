#include "agent/rt/datagram.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace primacy::rt {

namespace {

struct unix_address {
    sockaddr_un native{};
    socklen_t size = 0;
};

result<unix_address> parse(const std::string& text) {
    unix_address parsed;
    parsed.native.sun_family = AF_UNIX;
    const bool abstract = text.starts_with('@');
    if (!abstract && !text.starts_with('/'))
        return error{errc::config, EINVAL, text + " is neither a path nor an abstract socket name"};
    // A path ends with a NUL, an abstract name begins with one.
    if (text.size() + (abstract ? 0 : 1) > sizeof parsed.native.sun_path)
        return error{errc::config, ENAMETOOLONG, text + " is too long for a socket's name"};
    std::copy(text.begin(), text.end(), parsed.native.sun_path);
    if (abstract) parsed.native.sun_path[0] = '\0';
    parsed.size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0 : 1));
    return parsed;
}

}  // namespace

datagram_sender::datagram_sender(std::string address)
    : address_(std::move(address)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const timeval half_a_second{0, 500'000};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &half_a_second, sizeof half_a_second);
}

result<void> datagram_sender::send(std::string_view message, patience how) {
    auto target = parse(address_);
    if (!target) return target.error();
    const int flags = MSG_NOSIGNAL | (how == patience::none ? MSG_DONTWAIT : 0);
    ssize_t sent = 0;
    do {
        sent = ::sendto(socket_.get(), message.data(), message.size(), flags,
                        static_cast<const sockaddr*>(static_cast<const void*>(&target->native)),
                        target->size);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return {};
    if (errno == EAGAIN)
        return error{errc::limit, EAGAIN, "send to " + address_ + ": its queue is full"};
    return from_errno(errno, "send to " + address_);
}

}  // namespace primacy::rt
