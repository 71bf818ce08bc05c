#include "fencing/drivers/haproxy_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

constexpr std::size_t largest_answer = 64 * 1024;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

using any_stream = asio::generic::stream_protocol;

// A socket that closes at the deadline, whatever is under way. Always held by a shared_ptr: the
// timer's handler may outlive the conversation.
struct timed_socket : std::enable_shared_from_this<timed_socket> {
    explicit timed_socket(const asio::any_io_executor& executor)
        : socket(executor), timer(executor) {}

    void arm(rt::deadline until) {
        timer.expires_at(until.at);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& ended) {
            if (!ended) self->end();
        });
    }
    void end() {
        boost::system::error_code ignored;
        socket.close(ignored);
        timer.cancel();
    }

    any_stream::socket socket;
    asio::steady_timer timer;
};

rt::error connect_error(int native, const haproxy_address& where) {
    if (!where.socket.empty() && (native == ENOENT || native == ECONNREFUSED))
        return {rt::errc::refused, native,
                fmt::format("no HAProxy answers on {}; see its `stats socket`", where.socket)};
    if (native == EACCES || native == EPERM)
        return {rt::errc::denied, native,
                fmt::format("no permission to use {}; give the agent's group to HAProxy's `stats "
                            "socket … group`",
                            where.socket)};
    return rt::from_errno(native, "connect to HAProxy at " + where.text());
}

rt::error ended(const boost::system::error_code& failed, const haproxy_address& where,
                rt::deadline until, bool cancelled) {
    if (cancelled) return {rt::errc::cancelled, 0, "told to stop"};
    if (until.passed())
        return {rt::errc::timeout, 0,
                fmt::format("HAProxy at {} did not answer in time", where.text())};
    return {rt::errc::lost, failed.value(),
            fmt::format("HAProxy at {} ended the connection: {}", where.text(), failed.message())};
}

asio::awaitable<bool> is_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

// Where a connection can be tried, in that order.
asio::awaitable<rt::result<std::vector<any_stream::endpoint>>> endpoints_of(
    rt::resolver& names, const haproxy_address& where, rt::deadline until) {
    std::vector<any_stream::endpoint> found;
    if (!where.socket.empty()) {
        found.emplace_back(asio::local::stream_protocol::endpoint(where.socket));
        co_return found;
    }
    const auto addresses = co_await names.resolve(where.host, until);
    if (!addresses) co_return addresses.error();
    for (const std::string& address : *addresses) {
        boost::system::error_code bad;
        const auto made = asio::ip::make_address(address, bad);
        if (!bad) found.emplace_back(asio::ip::tcp::endpoint(made, where.port));
    }
    if (found.empty())
        co_return rt::error{rt::errc::dns, 0, where.host + " has no address that can be used"};
    co_return found;
}

asio::awaitable<rt::result<void>> connect(timed_socket& link, rt::resolver& names,
                                          const haproxy_address& where, rt::deadline until) {
    const auto endpoints = co_await endpoints_of(names, where, until);
    if (!endpoints) co_return endpoints.error();
    rt::error last;
    for (const any_stream::endpoint& endpoint : *endpoints) {
        boost::system::error_code ignored;
        link.socket.close(ignored);
        const auto [failed] = co_await link.socket.async_connect(endpoint, as_values);
        if (!failed) co_return rt::result<void>();
        const bool cancelled = co_await is_cancelled();
        if (cancelled || until.passed()) co_return ended(failed, where, until, cancelled);
        last = connect_error(failed.value(), where);
    }
    co_return last;
}

asio::awaitable<rt::result<std::string>> read_all(timed_socket& link, const haproxy_address& where,
                                                  rt::deadline until) {
    std::string all;
    std::array<char, 8 * 1024> part{};
    for (;;) {
        const auto [failed, size] =
            co_await link.socket.async_read_some(asio::buffer(part), as_values);
        all.append(part.data(), size);
        if (all.size() > largest_answer)
            co_return rt::error{
                rt::errc::limit, 0,
                fmt::format("the answer of HAProxy at {} is larger than 64 KiB", where.text())};
        if (!failed) continue;
        const bool cancelled = co_await is_cancelled();
        if (failed == asio::error::eof && !cancelled && !until.passed()) co_return all;
        co_return ended(failed, where, until, cancelled);
    }
}

}  // namespace

std::string haproxy_address::text() const {
    if (!socket.empty()) return socket;
    const bool six = host.find(':') != std::string::npos;
    return fmt::format("{}:{}", six ? "[" + host + "]" : host, port);
}

asio::awaitable<haproxy_answer> ask_haproxy(rt::resolver& names, haproxy_address where,
                                            std::string command, rt::deadline until) {
    const auto executor = co_await asio::this_coro::executor;
    const auto link = std::make_shared<timed_socket>(executor);
    link->arm(until);
    const auto connected = co_await connect(*link, names, where, until);
    if (!connected) {
        link->end();
        co_return haproxy_answer{connected.error(), false};
    }
    command += '\n';
    const auto [failed, size] =
        co_await asio::async_write(link->socket, asio::buffer(command), as_values);
    const bool cancelled = co_await is_cancelled();
    if (failed) {
        link->end();
        co_return haproxy_answer{ended(failed, where, until, cancelled), size > 0};
    }
    auto text = co_await read_all(*link, where, until);
    link->end();
    co_return haproxy_answer{std::move(text), true};
}

}  // namespace primacy::fencing
