#include "fencing/drivers/haproxy_socket.hpp"

#include "agent/rt/conversation.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <vector>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

// What to do about it, where that is HAProxy's configuration.
rt::error in_haproxys_words(rt::error failed, const haproxy_address& where) {
    if (where.socket.empty()) return failed;
    if (failed.native == ENOENT || failed.native == ECONNREFUSED)
        failed.message =
            fmt::format("no HAProxy answers on {}; see its `stats socket`", where.socket);
    if (failed.native == EACCES || failed.native == EPERM)
        failed.message = fmt::format(
            "no permission to use {}; give the agent's group to HAProxy's `stats socket … group`",
            where.socket);
    return failed;
}

// Where a connection can be tried, in that order.
asio::awaitable<rt::result<std::vector<rt::stream_endpoint>>> endpoints_of(
    rt::resolver& names, const haproxy_address& where, rt::deadline until) {
    std::vector<rt::stream_endpoint> found;
    if (!where.socket.empty()) {
        found.push_back(rt::unix_endpoint(where.socket));
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

}  // namespace

std::string haproxy_address::text() const {
    if (!socket.empty()) return socket;
    const bool six = host.find(':') != std::string::npos;
    return fmt::format("{}:{}", six ? "[" + host + "]" : host, port);
}

asio::awaitable<haproxy_answer> ask_haproxy(rt::resolver& names, haproxy_address where,
                                            std::string command, rt::deadline until) {
    auto endpoints = co_await endpoints_of(names, where, until);
    if (!endpoints) co_return haproxy_answer{endpoints.error(), false};
    auto told = co_await rt::ask_once(std::move(*endpoints), "HAProxy at " + where.text(),
                                      std::move(command) + "\n", until);
    if (!told.text) told.text = in_haproxys_words(told.text.error(), where);
    co_return haproxy_answer{std::move(told.text), told.sent};
}

}  // namespace primacy::fencing
