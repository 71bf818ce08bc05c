#include "agent/app/http/client.hpp"

#include "agent/app/http/connection.hpp"
#include "agent/app/http/response_text.hpp"
#include "agent/rt/descriptor.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

namespace primacy::app::http {

namespace asio = boost::asio;

namespace {

rt::error connect_error(int native, const std::string& path) {
    switch (native) {
        case ENOENT:
            return {rt::errc::refused, native,
                    "there is no socket at " + path + "; is the agent running?"};
        case ECONNREFUSED:
            return {rt::errc::refused, native,
                    "nobody answers on " + path + "; the agent that made it is gone"};
        case EACCES:
        case EPERM:
            return {rt::errc::denied, native,
                    "no permission to use " + path + "; join the socket's group or become root"};
        case EAGAIN:
            return {rt::errc::too_many_connections, native,
                    "the agent behind " + path + " takes no more connections; it may be stuck"};
        default: return rt::from_errno(native, "connect to " + path);
    }
}

// On a unix socket a connect either succeeds or fails on the spot.
rt::result<rt::descriptor> connect_to(const std::string& path) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof where.sun_path) {
        return rt::error{rt::errc::usage, 0, "\"" + path + "\" cannot be the path of a socket"};
    }
    std::memcpy(where.sun_path, path.data(), path.size());
    rt::descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made) return rt::from_errno(errno, "make a socket");
    if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
        return connect_error(errno, path);
    }
    return made;
}

rt::error broken(rt::deadline until, const std::string& path) {
    if (until.passed()) {
        return {rt::errc::timeout, 0, "the agent behind " + path + " did not answer in time"};
    }
    return {rt::errc::lost, 0, "the agent behind " + path + " closed the connection"};
}

asio::awaitable<rt::result<std::string>> read_all(connection& link, rt::deadline until,
                                                  std::size_t largest, const std::string& path) {
    std::string all;
    std::array<char, 16 * 1024> part;
    for (;;) {
        const transfer got = co_await link.read_some(part, until);
        if (until.passed()) co_return broken(until, path);
        if (got.failed == asio::error::eof) co_return all;
        if (got.failed) co_return broken(until, path);
        all.append(part.data(), got.size);
        if (all.size() > largest) {
            co_return rt::error{rt::errc::limit, 0,
                                "the answer from " + path + " is larger than " +
                                    std::to_string(largest) + " bytes"};
        }
    }
}

}  // namespace

namespace {

asio::awaitable<rt::result<response>> exchange(std::string path, std::string target,
                                               std::string head, std::string body,
                                               rt::deadline until, std::size_t largest) {
    const bool printable = std::all_of(target.begin(), target.end(),
                                       [](unsigned char c) { return c > ' ' && c < 127; });
    if (!printable || !target.starts_with('/')) {
        co_return rt::error{rt::errc::usage, 0, "\"" + target + "\" cannot be asked for"};
    }
    auto native = connect_to(path);
    if (native.has_error()) co_return native.error();
    connection::socket socket(co_await asio::this_coro::executor);
    boost::system::error_code failed;
    socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), native->get(), failed);
    if (failed) co_return rt::from_errno(failed.value(), "use a socket");
    static_cast<void>(native->release());
    const auto link = std::make_shared<connection>(std::move(socket), nullptr);

    const std::string asked = head + " " + target +
                              " HTTP/1.1\r\nHost: primacy\r\nConnection: close\r\n" +
                              (body.empty() ? "" : "Content-Type: application/json\r\n") +
                              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    // A server that turns us away may close before it has read this; its answer still waits for us.
    const bool sent = co_await link->write(asked, {}, until);
    auto bytes = co_await read_all(*link, until, largest, path);
    link->close();
    if (bytes.has_error()) co_return bytes.error();
    if (bytes->empty()) co_return broken(until, path);
    static_cast<void>(sent);
    co_return parse_response(*bytes);
}

}  // namespace

asio::awaitable<rt::result<response>> get_unix(std::string path, std::string target,
                                               rt::deadline until, std::size_t largest) {
    return exchange(std::move(path), std::move(target), "GET", "", until, largest);
}

asio::awaitable<rt::result<response>> post_unix(std::string path, std::string target,
                                                std::string body, rt::deadline until) {
    constexpr std::size_t largest = 1024 * 1024;
    return exchange(std::move(path), std::move(target), "POST", std::move(body), until, largest);
}

}  // namespace primacy::app::http
