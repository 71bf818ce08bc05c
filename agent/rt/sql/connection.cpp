#include "agent/rt/sql/connection.hpp"

#include "agent/rt/offload.hpp"
#include "agent/rt/sql/errors.hpp"
#include "agent/rt/sql/network.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mysql.h>
#include <openssl/err.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace primacy::rt::sql {

namespace asio = boost::asio;

namespace {

constexpr std::size_t rows_at_a_stretch = 100;

constexpr auto on_loop = asio::as_tuple(asio::use_awaitable);

error error_of(MYSQL* handle, const std::string& doing) {
    return server_error(::mysql_errno(handle), ::mysql_error(handle), doing);
}

}  // namespace

struct connection::state : std::enable_shared_from_this<connection::state> {
    state(asio::any_io_executor executor, network& with)
        : shared(with), descriptor(executor), timer(executor) {}
    ~state() { discard(); }

    network& shared;
    asio::posix::stream_descriptor descriptor;  // a dup of the library's socket
    asio::steady_timer timer;                   // the deadline of the operation under way
    MYSQL handle{};
    bool initialised = false;
    bool usable = false;
    bool busy = false;
    bool expired = false;
    bool handshakes = false;  // connecting, and TLS may be part of it
    bool on_thread = false;   // a thread is inside the library with our handle
    bool given_up = false;    // close() was called meanwhile
    int connect_errno = 0;    // why the socket could not be connected
    time_point armed_for{};
    std::uint64_t session = 0;
    std::string where;
    std::vector<char> host;  // what the library was told to connect to, see adopt_name()

    void prepare(const endpoint& target);
    void discard() noexcept;
    void arm(deadline until);
    bool follow_socket();
    bool never_block();
    bool connected();
    const char* lend_address(const std::string& address, const std::string& name);
    void adopt_name(const std::string& name);
    asio::awaitable<bool> wait_for(int& events);
    template <class Continue>
    asio::awaitable<bool> run(int events, Continue proceed);
    template <class Continue>
    asio::awaitable<int> proceed_on_thread(Continue proceed, int events);
    void shut() noexcept;
    error failure(const std::string& doing) const;
    asio::awaitable<result<void>> open_one(const endpoint& target, std::string address,
                                           deadline until);
    asio::awaitable<result<void>> read_answer(rows& answer, answer_limits limits);
    asio::awaitable<result<void>> send(std::string_view statement);
    void abandon(MYSQL_RES* stored) noexcept;
    struct unfinished;
};

void connection::state::prepare(const endpoint& target) {
    discard();
    given_up = false;
    connect_errno = 0;
    ::mysql_init(&handle);
    initialised = true;
    ::mysql_options(&handle, MYSQL_OPT_NONBLOCK, nullptr);
    ::mysql_options4(&handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "primacy");
    // The library's own limit per packet; an endless row ends here.
    unsigned long packet = 16UL << 20;
    ::mysql_options(&handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    my_bool yes = 1;
    const tls_options& tls = target.tls;
    // Over a unix socket there is nobody to hide from, and servers do not offer TLS there.
    if (tls.mode != tls_mode::disabled && target.socket.empty()) {
        ::mysql_options(&handle, MYSQL_OPT_SSL_ENFORCE, &yes);
        auto path = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
        bool checked = tls.mode == tls_mode::verify;
        trusted_authorities trusted{tls.ca, ""};
        if (tls.ca.empty()) trusted = system_authorities();
        ::mysql_ssl_set(&handle, path(tls.key), path(tls.cert),
                        checked ? path(trusted.file) : nullptr,
                        checked ? path(trusted.directory) : nullptr, nullptr);
        if (checked) ::mysql_options(&handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    }
}

void connection::state::discard() noexcept {
    usable = false;
    if (on_thread) {  // the handle is not ours now; open_one() discards it when the thread is out
        given_up = true;
        shut();
        return;
    }
    boost::system::error_code ignored;
    timer.cancel();
    armed_for = {};
    descriptor.close(ignored);
    if (!initialised) return;
    // mysql_close() says good-bye to the server; on a socket that hangs that must not wait.
    if (int socket = static_cast<int>(::mysql_get_socket(&handle)); socket >= 0)
        ::shutdown(socket, SHUT_RDWR);
    ::mysql_close(&handle);
    initialised = false;
}

// One timer per connection, moved only when the deadline differs, because a poll is two or three
// statements under one deadline.
void connection::state::arm(deadline until) {
    if (armed_for == until.at) return;
    armed_for = until.at;
    expired = false;
    timer.expires_at(until.at);
    timer.async_wait([weak = weak_from_this(), at = until.at](boost::system::error_code failed) {
        auto self = weak.lock();
        if (failed || !self || self->armed_for != at) return;
        self->expired = true;
        boost::system::error_code ignored;
        if (self->descriptor.is_open()) self->descriptor.cancel(ignored);
        if (self->on_thread) self->shut();
    });
}

// The library may open another socket while it connects; our dup must be of the present one.
bool connection::state::follow_socket() {
    int socket = static_cast<int>(::mysql_get_socket(&handle));
    if (socket < 0) return false;
    if (descriptor.is_open()) return true;
    int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return false;
    boost::system::error_code failed;
    descriptor.assign(copy, failed);
    if (failed) ::close(copy);
    return !failed;
}

// The library reads and writes plain sockets with MSG_DONTWAIT and leaves them in blocking mode;
// through TLS that mode is all it goes by, and a server that stops in mid-session would stop our
// whole loop. Set again while it connects, because it changes the mode on the way.
bool connection::state::never_block() {
    int socket = static_cast<int>(::mysql_get_socket(&handle));
    int flags = ::fcntl(socket, F_GETFL);
    if (flags < 0) return false;
    return (flags & O_NONBLOCK) != 0 || ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0;
}

// Asked by us, because the library hands the answer on in errno, which is another one on another
// thread.
bool connection::state::connected() {
    socklen_t size = sizeof connect_errno;
    if (::getsockopt(descriptor.native_handle(), SOL_SOCKET, SO_ERROR, &connect_errno, &size) != 0)
        connect_errno = errno;
    return connect_errno == 0;
}

// We connect to an address that we resolved ourselves, and the library compares the certificate
// with whatever it was told to connect to. Of that it keeps only our pointer until the greeting has
// come; when it waits for the first time the address has done its work, and the configured name
// takes its place. (test_tls_mode has a server whose certificate bears only a name: if a library
// did otherwise, that one would be refused, and never a wrong one accepted.)
const char* connection::state::lend_address(const std::string& address, const std::string& name) {
    host.assign(std::max(address.size(), name.size()) + 1, '\0');
    std::copy(address.begin(), address.end(), host.begin());
    return host.data();
}

void connection::state::adopt_name(const std::string& name) {
    std::fill(host.begin(), host.end(), '\0');
    std::copy(name.begin(), name.end(), host.begin());
}

asio::awaitable<bool> connection::state::wait_for(int& events) {
    if (!follow_socket() || expired) co_return false;
    if (!usable && !never_block()) co_return false;
    using wait_type = asio::posix::stream_descriptor::wait_type;
    // The library never asks for both directions at once but while it connects, where writable is
    // the news.
    bool write = (events & MYSQL_WAIT_WRITE) != 0;
    auto [failed] = co_await descriptor.async_wait(
        write ? wait_type::wait_write : wait_type::wait_read, on_loop);
    if (failed || expired) co_return false;
    if (write && !usable && !connected()) co_return false;
    events = write ? MYSQL_WAIT_WRITE : MYSQL_WAIT_READ;
    co_return true;
}

// Whoever is inside the library, waiting for the server, comes out with an error.
void connection::state::shut() noexcept {
    if (descriptor.is_open()) ::shutdown(descriptor.native_handle(), SHUT_RDWR);
}

// One step inside the library. OpenSSL keeps a queue of errors for each thread, which the library
// looks at and does not empty: what one connection left there would end another one.
template <class Continue>
struct library_step {
    Continue proceed;
    int events;
    int operator()() {
        ::ERR_clear_error();
        return proceed(events);
    }
};

template <class Continue>
asio::awaitable<int> connection::state::proceed_on_thread(Continue proceed, int events) {
    auto keep_alive = shared_from_this();
    on_thread = true;
    if (expired) shut();
    int next = co_await offload(shared.handshakes(), library_step<Continue>{proceed, events});
    on_thread = false;
    co_return next;
}

// Drives one _start/_cont pair to its end. False: the deadline passed or we were cancelled, and the
// library must not be entered again for this operation.
template <class Continue>
asio::awaitable<bool> connection::state::run(int events, Continue proceed) {
    while (events != 0) {
        bool ready = co_await wait_for(events);
        if (!ready) co_return false;
        if (handshakes) {
            events = co_await proceed_on_thread(proceed, events);
            if (expired || given_up) co_return false;
        } else {
            events = library_step<Continue>{proceed, events}();
        }
    }
    co_return true;
}

error connection::state::failure(const std::string& doing) const {
    if (expired) return {errc::timeout, 0, doing + ": no answer before the deadline"};
    if (connect_errno != 0) return from_errno(connect_errno, doing);
    return {errc::cancelled, 0, doing + ": cancelled"};
}

asio::awaitable<result<void>> connection::state::open_one(const endpoint& target,
                                                          std::string address, deadline until) {
    prepare(target);
    arm(until);
    std::string doing = "connect to " + where;
    MYSQL* opened = nullptr;
    const char* socket = target.socket.empty() ? nullptr : target.socket.c_str();
    const char* at = socket ? nullptr : lend_address(address, target.host);
    int events =
        ::mysql_real_connect_start(&opened, &handle, at, target.user.c_str(),
                                   target.password.c_str(), nullptr, target.port, socket, 0);
    if (events != 0) adopt_name(target.host);
    handshakes = target.tls.mode != tls_mode::disabled && target.socket.empty();
    bool finished = co_await run(
        events, [&](int ready) { return ::mysql_real_connect_cont(&opened, &handle, ready); });
    handshakes = false;
    if (!finished) {
        error failed = failure(doing);
        discard();
        co_return failed;
    }
    if (!opened) {
        error failed = error_of(&handle, doing);
        discard();
        co_return failed;
    }
    if (target.socket.empty() && target.tls.mode >= tls_mode::required &&
        !::mysql_get_ssl_cipher(&handle)) {
        discard();
        co_return error{errc::tls, 0,
                        doing +
                            ": the server offers no TLS and tls.mode asks for it; enable TLS "
                            "on the server or set tls.mode"};
    }
    if (!never_block()) {
        discard();
        co_return error{errc::internal, errno, doing + ": the socket cannot be made non-blocking"};
    }
    session = ::mysql_thread_id(&handle);
    usable = true;
    co_return result<void>();
}

// Ends an answer that is not to be read to its end: mysql_free_result() would read on, so the
// connection goes first, and the result forgets it.
void connection::state::abandon(MYSQL_RES* stored) noexcept {
    discard();
    stored->handle = nullptr;
    ::mysql_free_result(stored);
}

// Gives an answer back on every way out, also by an exception.
struct connection::state::unfinished {
    state& owner;
    MYSQL_RES* stored;
    bool to_its_end = false;
    unfinished(state& of, MYSQL_RES* answer) : owner(of), stored(answer) {}
    unfinished(const unfinished&) = delete;
    ~unfinished() {
        if (to_its_end)
            ::mysql_free_result(stored);
        else
            owner.abandon(stored);
    }
};

asio::awaitable<result<void>> connection::state::read_answer(rows& answer, answer_limits limits) {
    MYSQL_RES* stored = ::mysql_use_result(&handle);
    if (!stored) {
        answer.end_columns();
        if (::mysql_errno(&handle) == 0) co_return result<void>();  // a statement without rows
        co_return error_of(&handle, "query " + where);
    }
    unfinished reading{*this, stored};
    unsigned count = ::mysql_num_fields(stored);
    const MYSQL_FIELD* fields = ::mysql_fetch_fields(stored);
    for (unsigned i = 0; i < count; ++i)
        answer.add_column({fields[i].name, fields[i].name_length});
    answer.end_columns();
    for (std::size_t number = 1;; ++number) {
        MYSQL_ROW row = nullptr;
        ::ERR_clear_error();
        int events = ::mysql_fetch_row_start(&row, stored);
        bool finished = true;
        if (events != 0)
            finished = co_await run(
                events, [&](int ready) { return ::mysql_fetch_row_cont(&row, stored, ready); });
        // A server that sends without a pause never makes us wait; the others get their turn, and
        // our own deadline its chance, all the same.
        if (finished && number % rows_at_a_stretch == 0) {
            co_await asio::post(descriptor.get_executor(), asio::use_awaitable);
            finished = !expired;
        }
        if (!finished) co_return failure("query " + where);
        if (!row) break;
        const unsigned long* lengths = ::mysql_fetch_lengths(stored);
        for (unsigned i = 0; i < count; ++i)
            answer.add_cell(row[i] ? std::optional<std::string_view>({row[i], lengths[i]})
                                   : std::nullopt);
        if (answer.byte_count() > limits.bytes || answer.row_count() > limits.row_count)
            co_return error{errc::limit, 0,
                            "query " + where + ": the answer is larger than we hold; ended it"};
    }
    reading.to_its_end = true;
    if (::mysql_errno(&handle) != 0) co_return error_of(&handle, "query " + where);
    co_return result<void>();
}

connection::connection(asio::any_io_executor executor, network& shared)
    : state_(std::make_shared<state>(std::move(executor), shared)) {}
connection::~connection() {
    if (state_) close();
}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;

bool connection::usable() const noexcept {
    return state_->usable;
}
std::uint64_t connection::session_id() const noexcept {
    return state_->session;
}
bool connection::encrypted() const noexcept {
    return state_->usable && ::mysql_get_ssl_cipher(&state_->handle);
}

void connection::close() noexcept {
    if (state_->usable && !state_->busy) {
        // A healthy, idle session: its socket takes the few bytes of a good-bye without waiting.
        boost::system::error_code ignored;
        state_->descriptor.close(ignored);
        ::mysql_close(&state_->handle);
        state_->initialised = false;
    }
    state_->discard();
}

namespace {

struct busy_mark {
    bool& flag;
    explicit busy_mark(bool& mark) : flag(mark) {
        assert(!flag && "one operation at a time");
        flag = true;
    }
    ~busy_mark() { flag = false; }
    busy_mark(const busy_mark&) = delete;
};

}  // namespace

asio::awaitable<result<void>> connection::open(const endpoint& where, deadline until) {
    auto self = state_;
    busy_mark mark(self->busy);
    self->where = where.address();
    if (!where.socket.empty()) co_return co_await self->open_one(where, "", until);
    auto addresses = co_await self->shared.names.resolve(where.host, until);
    if (!addresses) co_return addresses.error();
    result<void> outcome;
    for (std::size_t i = 0; i < addresses->size(); ++i) {
        // A black-holed first address must leave time for the second one.
        auto share = until.left() / static_cast<std::int64_t>(addresses->size() - i);
        outcome =
            co_await self->open_one(where, (*addresses)[i], deadline::after(share).sooner(until));
        if (outcome || outcome.error().code == errc::cancelled) break;
        bool next_may_help = outcome.error().code == errc::refused ||
                             outcome.error().code == errc::unreachable ||
                             outcome.error().code == errc::timeout;
        if (!next_may_help) break;
    }
    co_return outcome;
}

// Sends the statement and waits for the head of its answer.
asio::awaitable<result<void>> connection::state::send(std::string_view statement) {
    int failed = 0;
    ::ERR_clear_error();
    int events = ::mysql_real_query_start(&failed, &handle, statement.data(),
                                          static_cast<unsigned long>(statement.size()));
    bool finished = true;
    if (events != 0)
        finished = co_await run(
            events, [&](int ready) { return ::mysql_real_query_cont(&failed, &handle, ready); });
    if (!finished) {
        error why = failure("query " + where);
        discard();
        co_return why;
    }
    if (failed) co_return error_of(&handle, "query " + where);
    co_return result<void>();
}

asio::awaitable<result<void>> connection::query(std::string_view statement, rows& answer,
                                                deadline until, answer_limits limits) {
    auto self = state_;
    busy_mark mark(self->busy);
    answer.restart();
    result<void> outcome = error{errc::lost, 0, "query " + self->where + ": not connected"};
    // A process that was paused wakes up before its timers do, and would send what is long stale.
    if (self->usable && until.passed()) {
        outcome = error{errc::timeout, 0, "query " + self->where + ": no time was left for it"};
    } else if (self->usable) {
        self->arm(until);
        outcome = co_await self->send(statement);
        if (outcome) outcome = co_await self->read_answer(answer, limits);
    }
    if (!outcome) {
        answer.clear();
        errc code = outcome.error().code;
        if (code != errc::query && code != errc::denied) self->discard();
    }
    co_return outcome;
}

}  // namespace primacy::rt::sql
