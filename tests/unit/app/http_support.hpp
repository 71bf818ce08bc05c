// A server on its own thread and plain blocking clients to talk to it: what the tests of the HTTP
// server share.
#pragma once

#include "agent/app/http/server.hpp"
#include "agent/rt/descriptor.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <thread>

namespace primacy::tests {

// Serves "/" ("hello\n"), "/echo" (method, path, query, peer, user and body), "/large" (4 MiB),
// "/big" (32 MiB, more than the kernel buffers), "/throw", and "/wait", which answers after
// release(). Everything else is 404.
class running_server {
public:
    using options = app::http::server_options;

    // On 127.0.0.1 with a free port. The options' pool is filled in.
    explicit running_server(options chosen = {});
    // On a unix socket.
    explicit running_server(const std::string& path, options chosen = {});
    // Stops without patience.
    ~running_server();

    const std::string& address() const { return address_; }
    std::uint16_t port() const;
    app::http::server_counts counts();
    std::size_t waiting();  // how many "/wait" wait
    void release();         // lets them answer
    void stop(std::chrono::milliseconds patience);
    void cancel();   // cancels run(), as a task group would
    void destroy();  // the server object goes while its clients are being served
    // Waits for run() to return; true when it does within the cap.
    bool ended(std::chrono::milliseconds cap = std::chrono::seconds(15));
    // Runs on the server's thread.
    void on_loop(std::function<void(app::http::server&)> what);

private:
    void start(rt::result<app::http::server> made);
    boost::asio::awaitable<app::http::response> answer(app::http::request asked);

    boost::asio::io_context context_;
    boost::asio::thread_pool pool_{1};
    boost::asio::steady_timer released_;
    std::size_t waiting_ = 0;
    std::optional<app::http::server> server_;
    boost::asio::cancellation_signal cancel_;
    std::string address_;
    std::shared_ptr<const std::string> large_;
    std::shared_ptr<const std::string> big_;
    std::thread thread_;
    std::atomic<bool> ended_ = false;
};

struct reply {
    unsigned status = 0;  // 0: none came
    std::string head;
    std::string body;
};

// A blocking client. Whatever does not come within 15 s counts as never.
class client {
public:
    // From another loopback address the server sees another peer.
    explicit client(std::uint16_t port, const char* from = "127.0.0.1");
    explicit client(const std::string& path);
    // Connects a socket that was made before.
    client(rt::descriptor made, std::uint16_t port);

    // False when the server has closed already.
    bool send(std::string_view bytes);
    // One answer; `with_body` false after a HEAD.
    reply read_reply(bool with_body = true);
    reply get(std::string_view target);
    // Reads up to `size` bytes that have come by `wait`; empty at the end of the stream too.
    std::string read_some(std::size_t size, std::chrono::milliseconds wait);
    // True when the server ends the connection without another byte.
    bool is_closed();
    // The same, but not by a reset, which could take back the last answer.
    bool ends_cleanly();
    int native() const { return socket_.get(); }
    void finish_sending();

private:
    // 0 at the end of the stream, negative after a reset, positive when there is more to read.
    ssize_t last_read();

    rt::descriptor socket_;
    std::string received_;
};

std::string get_request(std::string_view target, std::string_view fields = "");

}  // namespace primacy::tests
