#include "agent/app/http/server.hpp"

#include "agent/app/http/listening_socket.hpp"
#include "agent/app/http/session.hpp"
#include "agent/app/http/tls.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <exception>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unordered_map>

namespace primacy::app::http {

namespace asio = boost::asio;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

// With no descriptor left the waiting client stays readable: asking at once would spin.
constexpr auto accept_pause = std::chrono::milliseconds(100);
// Then the loop gets a turn, however many clients knock.
constexpr int accepts_in_a_row = 16;

constexpr std::string_view busy_sentence = "The agent serves as many clients as it may; ask again.";
constexpr std::string_view peer_busy_sentence = "Too many connections from your address.";

}  // namespace

class server::impl : public std::enable_shared_from_this<server::impl> {
public:
    impl(asio::any_io_executor executor, listening_socket listening, server_options& options,
         handler handle);
    ~impl() { close_listener(); }

    static asio::awaitable<void> run(std::shared_ptr<impl> self);
    void stop(rt::deadline patience);

    std::string address;
    std::optional<tls_files> files;
    std::shared_ptr<asio::ssl::context> tls;
    asio::thread_pool* pool = nullptr;
    session_context shared;
    server_counts counts;

private:
    enum class accepting {
        took_one,     // there may be more
        none_waits,   // wait until somebody knocks
        cannot_take,  // not now: pause
    };

    asio::awaitable<void> accept_until_stopped();
    accepting accept_one();
    void admit(connection::socket socket, std::string peer);
    void start(const std::shared_ptr<session>& client, asio::awaitable<void> conversation,
               bool turned_away);
    void ended(const std::shared_ptr<session>& client, bool turned_away);
    std::size_t open_from(const std::string& peer) const;
    void close_listener();
    void abort_all();

    asio::any_io_executor executor_;
    asio::posix::stream_descriptor listener_;
    std::optional<socket_file> file_;
    int family_ = 0;
    bool stopping_ = false;
    asio::steady_timer pause_;      // between two attempts to accept
    asio::steady_timer patience_;   // of stop()
    asio::steady_timer all_ended_;  // never fires; cancelled when the last session is gone
    std::unordered_map<session*, std::shared_ptr<session>> sessions_;
    std::size_t being_turned_away_ = 0;
    std::unordered_map<std::string, std::size_t> open_by_peer_;
};

server::impl::impl(asio::any_io_executor executor, listening_socket listening,
                   server_options& options, handler handle)
    : address(listening.address),
      files(options.tls),
      pool(options.pool),
      executor_(std::move(executor)),
      listener_(executor_),
      file_(listening.file),
      pause_(executor_),
      patience_(executor_),
      all_ended_(executor_, asio::steady_timer::time_point::max()) {
    shared.bounds = options.bounds;
    shared.allow_post = options.allow_post;
    shared.handle = std::move(handle);
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    ::getsockname(listening.native.get(), reinterpret_cast<sockaddr*>(&own), &size);
    family_ = own.ss_family;
    listener_.assign(listening.native.release());
}

asio::awaitable<void> server::impl::run(std::shared_ptr<impl> self) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await self->accept_until_stopped();
    if (!self->stopping_) self->stop(rt::deadline::after(std::chrono::seconds(0)));
    // From here on a cancellation can hurry nothing; the sessions must end first.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (!self->sessions_.empty())
        co_await self->all_ended_.async_wait(as_value);
    self->patience_.cancel();
}

asio::awaitable<void> server::impl::accept_until_stopped() {
    while (!stopping_) {
        auto [failed] =
            co_await listener_.async_wait(asio::posix::descriptor_base::wait_read, as_value);
        if (failed == asio::error::operation_aborted) co_return;
        accepting last = failed ? accepting::cannot_take : accepting::took_one;
        for (int i = 0; i < accepts_in_a_row && last == accepting::took_one; ++i)
            last = accept_one();
        if (last != accepting::cannot_take) continue;
        ++counts.accept_failures;
        pause_.expires_after(accept_pause);
        auto [cancelled] = co_await pause_.async_wait(as_value);
        if (cancelled) co_return;
    }
}

server::impl::accepting server::impl::accept_one() {
    rt::descriptor native(
        ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!native) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return accepting::none_waits;
        // That client left before we looked. Anything else would come again at once: no descriptor,
        // no memory, or something unheard of.
        const bool left = errno == ECONNABORTED || errno == EPROTO || errno == EINTR;
        return left ? accepting::took_one : accepting::cannot_take;
    }
    const bool internet = family_ != AF_UNIX;
    const int on = 1;
    if (internet) ::setsockopt(native.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::string peer = peer_name(native.get());
    connection::socket socket(executor_);
    boost::system::error_code failed;
    socket.assign(asio::generic::stream_protocol(family_, internet ? IPPROTO_TCP : 0), native.get(),
                  failed);
    if (failed) return accepting::cannot_take;
    static_cast<void>(native.release());
    admit(std::move(socket), std::move(peer));
    return accepting::took_one;
}

void server::impl::admit(connection::socket socket, std::string peer) {
    const limits& bounds = shared.bounds;
    const bool full = counts.open >= bounds.connections;
    const bool peer_full = family_ != AF_UNIX && open_from(peer) >= bounds.connections_per_peer;
    if (!full && !peer_full) {
        ++counts.accepted;
        auto link = std::make_shared<connection>(std::move(socket), tls);
        const auto client = std::make_shared<session>(shared, std::move(link), std::move(peer));
        return start(client, client->serve(), false);
    }
    ++counts.turned_away;
    // A word of explanation where it costs nothing: not through TLS, and not to any number.
    if (tls || being_turned_away_ >= bounds.connections) return;
    auto link = std::make_shared<connection>(std::move(socket), nullptr);
    const auto client = std::make_shared<session>(shared, std::move(link), std::move(peer));
    start(client,
          full ? client->turn_away(503, busy_sentence) : client->turn_away(429, peer_busy_sentence),
          true);
}

void server::impl::start(const std::shared_ptr<session>& client, asio::awaitable<void> conversation,
                         bool turned_away) {
    sessions_.emplace(client.get(), client);
    if (turned_away) {
        ++being_turned_away_;
    } else {
        ++counts.open;
        ++open_by_peer_[client->peer()];
    }
    asio::co_spawn(executor_, std::move(conversation),
                   asio::bind_cancellation_slot(client->slot(), [self = shared_from_this(), client,
                                                                 turned_away](std::exception_ptr) {
                       // However it ended: it has ended, and nobody else is concerned.
                       self->ended(client, turned_away);
                   }));
}

void server::impl::ended(const std::shared_ptr<session>& client, bool turned_away) {
    client->finish();  // closes the connection if an exception left it open
    if (turned_away) {
        --being_turned_away_;
    } else {
        --counts.open;
        const auto from = open_by_peer_.find(client->peer());
        if (--from->second == 0) open_by_peer_.erase(from);
    }
    sessions_.erase(client.get());
    if (sessions_.empty()) all_ended_.cancel();
}

std::size_t server::impl::open_from(const std::string& peer) const {
    const auto from = open_by_peer_.find(peer);
    return from == open_by_peer_.end() ? 0 : from->second;
}

void server::impl::close_listener() {
    boost::system::error_code ignored;
    listener_.close(ignored);
    pause_.cancel();
    if (file_) remove_socket_file(*file_);
    file_.reset();
}

void server::impl::stop(rt::deadline patience) {
    const bool first = !stopping_;
    stopping_ = true;
    close_listener();
    if (first) {
        for (const auto& [key, client] : sessions_)
            client->finish();
    }
    if (sessions_.empty()) return;
    if (!first && patience_.expiry() <= patience.at) return;
    patience_.expires_at(patience.at);
    patience_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
        if (!cancelled) self->abort_all();
    });
}

void server::impl::abort_all() {
    if (shared.auth) shared.auth->give_up();
    const auto sessions = sessions_;  // an abort may end a session on the spot
    for (const auto& [key, client] : sessions)
        client->abort();
}

server::server(std::shared_ptr<impl> made) : impl_(std::move(made)) {}

server::~server() {
    if (impl_) impl_->stop(rt::deadline::after(std::chrono::seconds(0)));
}

namespace {

struct prepared {
    std::shared_ptr<asio::ssl::context> tls;
    std::shared_ptr<basic_auth> auth;
};

// Everything that can be wrong in the options, before any socket is touched.
rt::result<prepared> prepare(const server_options& options) {
    prepared made;
    if (options.tls) {
        auto loaded = load_tls(*options.tls);
        if (loaded.has_error()) return loaded.error();
        made.tls = *loaded;
    }
    if (!options.users.empty()) {
        if (options.pool == nullptr) {
            return rt::error{rt::errc::internal, 0, "basic auth needs a thread pool"};
        }
        auto auth = basic_auth::make(options.users, *options.pool, options.bounds.password_checks);
        if (auth.has_error()) return auth.error();
        made.auth = *auth;
    }
    return made;
}

}  // namespace

rt::result<server> server::listen_tcp(asio::any_io_executor executor, std::string_view address,
                                      server_options options, handler handle) {
    auto ready = prepare(options);
    if (ready.has_error()) return ready.error();
    auto listening = listen_on_address(address);
    if (listening.has_error()) return listening.error();
    auto made = std::make_shared<impl>(std::move(executor), std::move(*listening), options,
                                       std::move(handle));
    made->tls = ready->tls;
    made->shared.auth = ready->auth;
    return server(std::move(made));
}

rt::result<server> server::listen_unix(asio::any_io_executor executor, const std::string& path,
                                       server_options options, handler handle) {
    options.tls.reset();
    auto ready = prepare(options);
    if (ready.has_error()) return ready.error();
    auto listening = listen_on_path(path, options.socket_group);
    if (listening.has_error()) return listening.error();
    auto made = std::make_shared<impl>(std::move(executor), std::move(*listening), options,
                                       std::move(handle));
    made->shared.auth = ready->auth;
    return server(std::move(made));
}

asio::awaitable<void> server::run() {
    return impl::run(impl_);
}

void server::stop(rt::deadline patience) {
    impl_->stop(patience);
}

rt::result<> server::reload_tls() {
    if (!impl_->files) return {};
    auto loaded = load_tls(*impl_->files);
    if (loaded.has_error()) return loaded.error();
    impl_->tls = *loaded;
    return {};
}

rt::result<> server::replace_users(user_hashes users) {
    if (!impl_->shared.auth) return {};
    auto made =
        basic_auth::make(std::move(users), *impl_->pool, impl_->shared.bounds.password_checks);
    if (made.has_error()) return made.error();
    impl_->shared.auth = *made;
    return {};
}

const std::string& server::address() const {
    return impl_->address;
}

server_counts server::counts() const {
    return impl_->counts;
}

}  // namespace primacy::app::http
