#include "agent/rt/conversation.hpp"

#include "agent/rt/event.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cerrno>
#include <memory>

namespace primacy::rt {

namespace asio = boost::asio;

namespace {

constexpr std::size_t largest_answer = 64 * 1024;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

// A socket that closes at the deadline, whatever is under way. Always held by a shared_ptr: the
// timer's handler may outlive the conversation.
struct timed_socket : std::enable_shared_from_this<timed_socket> {
    explicit timed_socket(const asio::any_io_executor& executor)
        : socket(executor), timer(executor) {}

    void arm(deadline until) {
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

    asio::generic::stream_protocol::socket socket;
    asio::steady_timer timer;
};

error ended(const boost::system::error_code& failed, const std::string& peer, deadline until,
            bool cancelled) {
    if (cancelled) return {errc::cancelled, 0, "told to stop"};
    if (until.passed()) return {errc::timeout, 0, peer + " did not answer in time"};
    return {errc::lost, failed.value(), peer + " ended the connection: " + failed.message()};
}

asio::awaitable<result<void>> connect(timed_socket& link, const std::vector<stream_endpoint>& where,
                                      const std::string& peer, deadline until) {
    error last{errc::usage, 0, "there is no address of " + peer};
    for (const stream_endpoint& endpoint : where) {
        boost::system::error_code ignored;
        link.socket.close(ignored);
        const auto [failed] = co_await link.socket.async_connect(endpoint, as_values);
        if (!failed) co_return result<void>();
        const bool cancelled = co_await is_cancelled();
        if (cancelled || until.passed()) co_return ended(failed, peer, until, cancelled);
        last = from_errno(failed.value(), "connect to " + peer);
        // A unix socket that is not there is a peer that does not run.
        if (failed.value() == ENOENT) last.code = errc::refused;
    }
    co_return last;
}

asio::awaitable<result<std::string>> read_all(timed_socket& link, const std::string& peer,
                                              deadline until) {
    std::string all;
    std::array<char, 8 * 1024> part{};
    for (;;) {
        const auto [failed, size] =
            co_await link.socket.async_read_some(asio::buffer(part), as_values);
        all.append(part.data(), size);
        if (all.size() > largest_answer)
            co_return error{errc::limit, 0, "the answer of " + peer + " is larger than 64 KiB"};
        if (!failed) continue;
        const bool cancelled = co_await is_cancelled();
        if (failed == asio::error::eof && !cancelled && !until.passed()) co_return all;
        co_return ended(failed, peer, until, cancelled);
    }
}

}  // namespace

stream_endpoint unix_endpoint(const std::string& path) {
    return asio::local::stream_protocol::endpoint(path);
}

asio::awaitable<told_answer> ask_once(std::vector<stream_endpoint> where, std::string peer,
                                      std::string question, deadline until) {
    const auto executor = co_await asio::this_coro::executor;
    const auto link = std::make_shared<timed_socket>(executor);
    link->arm(until);
    const auto connected = co_await connect(*link, where, peer, until);
    if (!connected) {
        link->end();
        co_return told_answer{connected.error(), false};
    }
    const auto [failed, size] =
        co_await asio::async_write(link->socket, asio::buffer(question), as_values);
    if (failed) {
        const bool cancelled = co_await is_cancelled();
        link->end();
        co_return told_answer{ended(failed, peer, until, cancelled), size > 0};
    }
    auto text = co_await read_all(*link, peer, until);
    link->end();
    co_return told_answer{std::move(text), true};
}

}  // namespace primacy::rt
