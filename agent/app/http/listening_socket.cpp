#include "agent/app/http/listening_socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <grp.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <vector>

namespace primacy::app::http {

namespace {

constexpr int backlog = 128;
constexpr mode_t socket_mode = 0660;

struct bind_address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    bool any = false;  // ":port": both families
};

rt::error bad_address(std::string_view text, std::string_view why) {
    return {rt::errc::config, 0,
            "cannot listen on \"" + std::string(text) + "\": " + std::string(why) +
                "; write for example 127.0.0.1:9963, [::1]:9963 or :9963"};
}

rt::error listen_error(int native, std::string_view address) {
    const std::string where = "cannot listen on " + std::string(address);
    switch (native) {
        case EADDRINUSE:
            return {rt::errc::io, native, where + ": another process listens there already"};
        case EADDRNOTAVAIL:
            return {rt::errc::io, native, where + ": this machine does not have that address"};
        case EACCES:
        case EPERM: return {rt::errc::denied, native, where + ": we lack the permission"};
        default: return rt::from_errno(native, where);
    }
}

void set_ipv4(bind_address& made, in_addr host, in_port_t port) {
    sockaddr_in plain{};
    plain.sin_family = AF_INET;
    plain.sin_port = htons(port);
    plain.sin_addr = host;
    std::memcpy(&made.storage, &plain, sizeof plain);
    made.size = sizeof plain;
}

void set_ipv6(bind_address& made, in6_addr host, in_port_t port) {
    sockaddr_in6 plain{};
    plain.sin6_family = AF_INET6;
    plain.sin6_port = htons(port);
    plain.sin6_addr = host;
    std::memcpy(&made.storage, &plain, sizeof plain);
    made.size = sizeof plain;
}

rt::result<bind_address> parse_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) return bad_address(text, "the port is missing");
    const std::string_view digits = text.substr(colon + 1);
    in_port_t port = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failed != std::errc() || end != digits.data() + digits.size()) {
        return bad_address(text, "the port is not a number from 0 to 65535");
    }
    std::string host(text.substr(0, colon));
    bind_address made;
    made.any = host.empty();
    if (host == "localhost") host = "127.0.0.1";
    if (host.starts_with('[') && host.ends_with(']')) {
        in6_addr numeric{};
        if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &numeric) != 1) {
            return bad_address(text, "what the brackets hold is not an IPv6 address");
        }
        set_ipv6(made, numeric, port);
        return made;
    }
    if (host.find(':') != host.npos) return bad_address(text, "an IPv6 address needs brackets");
    in_addr numeric{};
    if (made.any) {
        set_ipv6(made, in6addr_any, port);
    } else if (::inet_pton(AF_INET, host.c_str(), &numeric) == 1) {
        set_ipv4(made, numeric, port);
    } else {
        return bad_address(text, "\"" + host + "\" is not an IP address");
    }
    return made;
}

rt::result<rt::descriptor> bound_socket(const bind_address& where, std::string_view text) {
    const int family = where.storage.ss_family;
    rt::descriptor made(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made) return listen_error(errno, text);
    const int on = 1;
    const int off = 0;
    // A restart must not wait for the old connections' TIME_WAIT to pass.
    ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6) ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&where.storage), where.size) != 0 ||
        ::listen(made.get(), backlog) != 0) {
        return listen_error(errno, text);
    }
    return made;
}

std::string host_text(const sockaddr_storage& from) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (from.ss_family == AF_INET) {
        sockaddr_in plain{};
        std::memcpy(&plain, &from, sizeof plain);
        ::inet_ntop(AF_INET, &plain.sin_addr, text.data(), text.size());
    } else if (from.ss_family == AF_INET6) {
        sockaddr_in6 plain{};
        std::memcpy(&plain, &from, sizeof plain);
        ::inet_ntop(AF_INET6, &plain.sin6_addr, text.data(), text.size());
    }
    std::string_view host = text.data();
    if (host.starts_with("::ffff:")) host.remove_prefix(7);
    return std::string(host);
}

std::string own_address(int native) {
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    ::getsockname(native, reinterpret_cast<sockaddr*>(&own), &size);
    sockaddr_in plain{};  // the port lies at the same place in both families
    std::memcpy(&plain, &own, sizeof plain);
    const std::string port = std::to_string(ntohs(plain.sin_port));
    const std::string host = host_text(own);
    return (host.find(':') == host.npos ? host : "[" + host + "]") + ":" + port;
}

bool path_address(const std::string& path, sockaddr_un& made) {
    made = {};
    made.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof made.sun_path) return false;
    std::memcpy(made.sun_path, path.data(), path.size());
    return true;
}

// Makes way for our own socket, or says why there is none.
rt::result<> remove_stale(const std::string& path, const sockaddr_un& where) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT) return {};
        return listen_error(errno, path);
    }
    if (!S_ISSOCK(found.st_mode)) {
        return rt::error{rt::errc::io, EEXIST,
                         "cannot listen on " + path + ": it exists and is not a socket"};
    }
    const rt::descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!probe) return listen_error(errno, path);
    const int answer =
        ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where);
    // EAGAIN: its queue is full, so somebody owns it.
    if (answer == 0 || errno == EAGAIN) return listen_error(EADDRINUSE, path);
    if (errno != ECONNREFUSED) return listen_error(errno, path);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return listen_error(errno, path);
    return {};
}

void give_to_group(const std::string& path, const std::string& group) {
    ::group entry{};
    ::group* found = nullptr;
    std::vector<char> scratch(16 * 1024);
    ::getgrnam_r(group.c_str(), &entry, scratch.data(), scratch.size(), &found);
    // Refused to an ordinary user; the file then keeps that user's own group, which is narrower.
    if (found != nullptr && ::lchown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0)
        return;
}

}  // namespace

rt::result<listening_socket> listen_on_address(std::string_view address) {
    auto where = parse_address(address);
    if (where.has_error()) return where.error();
    auto made = bound_socket(*where, address);
    if (made.has_error() && where->any && made.error().native == EAFNOSUPPORT) {
        sockaddr_in6 wanted{};
        std::memcpy(&wanted, &where->storage, sizeof wanted);
        set_ipv4(*where, in_addr{INADDR_ANY}, ntohs(wanted.sin6_port));
        made = bound_socket(*where, address);
    }
    if (made.has_error()) return made.error();
    listening_socket listening;
    listening.native = std::move(*made);
    listening.address = own_address(listening.native.get());
    return listening;
}

rt::result<listening_socket> listen_on_path(const std::string& path, const std::string& group) {
    sockaddr_un where{};
    if (!path_address(path, where)) {
        return rt::error{rt::errc::config, ENAMETOOLONG,
                         "cannot listen on \"" + path + "\": a socket's path has 1 to 107 bytes"};
    }
    // Two agents that start at once must not both find the other's file stale: the directory is
    // locked between looking and listening.
    const auto directory = std::filesystem::path(path).parent_path();
    const rt::descriptor lock(
        ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) return listen_error(errno, path);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return listen_error(EADDRINUSE, path);
    if (auto cleared = remove_stale(path, where); cleared.has_error()) return cleared.error();

    listening_socket listening;
    listening.address = path;
    listening.native.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    // Linux creates the file with the socket's own mode less the umask, so it is never too wide.
    if (!listening.native || ::fchmod(listening.native.get(), socket_mode) != 0 ||
        ::bind(listening.native.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) !=
            0) {
        return listen_error(errno, path);
    }
    give_to_group(path, group);
    struct stat bound {};
    if (::chmod(path.c_str(), socket_mode) != 0 || ::lstat(path.c_str(), &bound) != 0 ||
        ::listen(listening.native.get(), backlog) != 0) {
        return listen_error(errno, path);
    }
    listening.file = socket_file{path, bound.st_dev, bound.st_ino};
    return listening;
}

void remove_socket_file(const socket_file& bound) {
    struct stat found {};
    if (::lstat(bound.path.c_str(), &found) != 0) return;
    if (found.st_dev == bound.device && found.st_ino == bound.inode) ::unlink(bound.path.c_str());
}

std::string peer_name(int accepted) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    if (::getpeername(accepted, reinterpret_cast<sockaddr*>(&from), &size) != 0) return "unknown";
    if (from.ss_family != AF_UNIX) return host_text(from);
    ucred owner{};
    size = sizeof owner;
    ::getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &owner, &size);
    return "uid " + std::to_string(owner.uid);
}

}  // namespace primacy::app::http
