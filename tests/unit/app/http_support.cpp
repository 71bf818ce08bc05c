#include "tests/unit/app/http_support.hpp"

#include "tests/support/poll_until.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <cstring>
#include <future>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>

namespace primacy::tests {

namespace asio = boost::asio;
namespace http = app::http;

namespace {

constexpr int patience_milliseconds = 15000;

rt::descriptor inet_socket() {
    return rt::descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

sockaddr_in loopback(const char* host, std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    ::inet_pton(AF_INET, host, &made.sin_addr);
    return made;
}

void connect_loopback(int socket, std::uint16_t port) {
    const sockaddr_in to = loopback("127.0.0.1", port);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    }
}

}  // namespace

running_server::running_server(options chosen)
    : released_(context_, asio::steady_timer::time_point::max()) {
    chosen.pool = &pool_;
    start(
        http::server::listen_tcp(context_.get_executor(), "127.0.0.1:0", std::move(chosen),
                                 [this](http::request asked) { return answer(std::move(asked)); }));
}

running_server::running_server(const std::string& path, options chosen)
    : released_(context_, asio::steady_timer::time_point::max()) {
    chosen.pool = &pool_;
    start(http::server::listen_unix(
        context_.get_executor(), path, std::move(chosen),
        [this](http::request asked) { return answer(std::move(asked)); }));
}

void running_server::start(rt::result<http::server> made) {
    if (made.has_error()) throw std::runtime_error(made.error().message);
    server_.emplace(std::move(*made));
    address_ = server_->address();
    large_ = std::make_shared<const std::string>(4 * 1024 * 1024, 'l');
    big_ = std::make_shared<const std::string>(32 * 1024 * 1024, 'b');
    asio::co_spawn(context_, server_->run(),
                   asio::bind_cancellation_slot(cancel_.slot(), asio::detached));
    thread_ = std::thread([this] {
        context_.run();
        ended_ = true;
    });
}

running_server::~running_server() {
    stop(std::chrono::milliseconds(0));
    thread_.join();
    pool_.join();
}

std::uint16_t running_server::port() const {
    return static_cast<std::uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1)));
}

void running_server::on_loop(std::function<void(http::server&)> what) {
    std::promise<void> done;
    asio::post(context_, [&] {
        what(*server_);
        done.set_value();
    });
    done.get_future().wait();
}

http::server_counts running_server::counts() {
    http::server_counts counts;
    on_loop([&](http::server& server) { counts = server.counts(); });
    return counts;
}

std::size_t running_server::waiting() {
    std::size_t count = 0;
    on_loop([&](http::server&) { count = waiting_; });
    return count;
}

void running_server::release() {
    on_loop([&](http::server&) { released_.cancel(); });
}

void running_server::stop(std::chrono::milliseconds patience) {
    asio::post(context_, [this, patience] {
        if (server_) server_->stop(rt::deadline::after(patience));
    });
}

void running_server::cancel() {
    asio::post(context_, [this] { cancel_.emit(asio::cancellation_type::all); });
}

void running_server::destroy() {
    asio::post(context_, [this] { server_.reset(); });
}

bool running_server::ended(std::chrono::milliseconds cap) {
    const auto limit = rt::deadline::after(cap);
    while (!ended_ && !limit.passed())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return ended_;
}

asio::awaitable<http::response> running_server::answer(http::request asked) {
    if (asked.path == "/") co_return http::plain_text(200, "hello");
    if (asked.path == "/echo") {
        co_return http::plain_text(200, asked.method + "|" + asked.path + "|" + asked.query + "|" +
                                            asked.peer + "|" + asked.user + "|" + asked.body);
    }
    if (asked.path == "/throw") throw std::runtime_error("the secret is 42");
    if (asked.path == "/big" || asked.path == "/large") {
        http::response big;
        big.body = asked.path == "/big" ? big_ : large_;
        co_return big;
    }
    if (asked.path != "/wait") co_return http::plain_text(404, "nothing here");
    ++waiting_;
    auto [cancelled] = co_await released_.async_wait(asio::as_tuple(asio::use_awaitable));
    --waiting_;
    static_cast<void>(cancelled);
    co_return http::plain_text(200, "released");
}

client::client(std::uint16_t port, const char* from) : socket_(inet_socket()) {
    const sockaddr_in own = loopback(from, 0);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
        throw std::runtime_error(std::string("bind: ") + std::strerror(errno));
    }
    connect_loopback(socket_.get(), port);
}

client::client(const std::string& path)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    }
}

client::client(rt::descriptor made, std::uint16_t port) : socket_(std::move(made)) {
    connect_loopback(socket_.get(), port);
}

bool client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void client::finish_sending() {
    ::shutdown(socket_.get(), SHUT_WR);
}

std::string client::read_some(std::size_t size, std::chrono::milliseconds wait) {
    pollfd ready{socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(wait.count())) != 1) return {};
    std::string part(size, '\0');
    const auto got = ::recv(socket_.get(), part.data(), part.size(), 0);
    part.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return part;
}

reply client::read_reply(bool with_body) {
    constexpr auto patience = std::chrono::milliseconds(patience_milliseconds);
    std::size_t head_size = received_.npos;
    while ((head_size = received_.find("\r\n\r\n")) == received_.npos) {
        const std::string part = read_some(64 * 1024, patience);
        if (part.empty()) return {};
        received_ += part;
    }
    reply got;
    got.head = received_.substr(0, head_size + 4);
    received_.erase(0, head_size + 4);
    std::size_t length = 0;
    if (const auto at = got.head.find("Content-Length: "); at != got.head.npos) {
        length = std::stoul(got.head.substr(at + 16));
    }
    while (with_body && received_.size() < length) {
        const std::string part = read_some(64 * 1024, patience);
        if (part.empty()) return {};
        received_ += part;
    }
    if (with_body) {
        got.body = received_.substr(0, length);
        received_.erase(0, length);
    }
    got.status = static_cast<unsigned>(std::stoul(got.head.substr(9, 3)));
    return got;
}

reply client::get(std::string_view target) {
    if (!send(get_request(target))) return {};
    return read_reply();
}

bool client::is_closed() {
    return last_read() <= 0;
}

bool client::ends_cleanly() {
    return last_read() == 0;
}

ssize_t client::last_read() {
    pollfd ready{socket_.get(), POLLIN, 0};
    if (!received_.empty() || ::poll(&ready, 1, patience_milliseconds) != 1) return 1;
    char byte = 0;
    return ::recv(socket_.get(), &byte, 1, 0);
}

std::string get_request(std::string_view target, std::string_view fields) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) +
           "\r\n";
}

}  // namespace primacy::tests
