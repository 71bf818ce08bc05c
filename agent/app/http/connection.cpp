#include "agent/app/http/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace primacy::app::http {

namespace asio = boost::asio;

namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

}  // namespace

connection::connection(socket connected, std::shared_ptr<asio::ssl::context> tls)
    : socket_(std::move(connected)), context_(std::move(tls)), timer_(socket_.get_executor()) {
    if (context_) tls_.emplace(socket_, *context_);
}

asio::awaitable<bool> connection::handshake(rt::deadline until) {
    if (!tls_) co_return true;
    const alarm armed(*this, until, expiry::close);
    auto [failed] = co_await tls_->async_handshake(asio::ssl::stream_base::server, as_values);
    co_return !failed;
}

asio::awaitable<transfer> connection::read_some(std::span<char> into, rt::deadline until) {
    const alarm armed(*this, until, expiry::shut_receive);
    const asio::mutable_buffer space = asio::buffer(into.data(), into.size());
    transfer done;
    if (tls_) {
        std::tie(done.failed, done.size) = co_await tls_->async_read_some(space, as_values);
    } else {
        std::tie(done.failed, done.size) = co_await socket_.async_read_some(space, as_values);
    }
    co_return done;
}

asio::awaitable<bool> connection::write(std::string_view head, std::string_view body,
                                        rt::deadline until) {
    const alarm armed(*this, until, expiry::close);
    const std::array<asio::const_buffer, 2> all = {asio::buffer(head), asio::buffer(body)};
    transfer done;
    if (tls_) {
        std::tie(done.failed, done.size) = co_await asio::async_write(*tls_, all, as_values);
    } else {
        std::tie(done.failed, done.size) = co_await asio::async_write(socket_, all, as_values);
    }
    co_return !done.failed;
}

asio::awaitable<void> connection::linger(rt::deadline until) {
    const alarm armed(*this, until, expiry::close);
    if (tls_) {
        auto [failed] = co_await tls_->async_shutdown(as_values);
        static_cast<void>(failed);  // a client that just goes is a client that is gone
    }
    boost::system::error_code ignored;
    socket_.shutdown(socket::shutdown_send, ignored);
    std::array<char, 4096> discarded;
    // Bounded in bytes as well as in time: a flood would keep the loop busy without ever waiting.
    for (std::size_t total = 0; total < 256 * 1024 && !until.passed();) {
        auto [failed, size] = co_await socket_.async_read_some(asio::buffer(discarded), as_values);
        if (failed) break;
        total += size;
    }
    close();
}

void connection::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

connection::alarm::alarm(connection& watched, rt::deadline until, expiry what) : watched_(watched) {
    const std::uint64_t generation = ++watched.generation_;
    watched.timer_.expires_at(until.at);
    watched.timer_.async_wait([self = watched.shared_from_this(), generation,
                               what](const boost::system::error_code& cancelled) {
        if (!cancelled) self->expire(generation, what);
    });
}

connection::alarm::~alarm() {
    ++watched_.generation_;
    watched_.timer_.cancel();
}

void connection::expire(std::uint64_t generation, expiry what) {
    if (generation != generation_) return;
    if (what == expiry::close) return close();
    // Unlike cancel(), this also ends a read that TLS has not started yet.
    boost::system::error_code ignored;
    socket_.shutdown(socket::shutdown_receive, ignored);
}

}  // namespace primacy::app::http
