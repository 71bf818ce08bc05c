#include "agent/rt/resolver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <map>
#include <mutex>
#include <netdb.h>
#include <sys/socket.h>
#include <thread>

namespace primacy::rt {

namespace asio = boost::asio;
using answer = result<std::vector<std::string>>;

namespace {

answer system_lookup(const std::string& name) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    int code = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
    if (code != 0) return error{errc::dns, code, "resolve " + name + ": " + ::gai_strerror(code)};
    std::vector<std::string> addresses;
    for (addrinfo* each = found; each; each = each->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, nullptr, 0,
                          NI_NUMERICHOST) == 0)
            addresses.emplace_back(text);
    }
    ::freeaddrinfo(found);
    if (addresses.empty()) return error{errc::dns, 0, "resolve " + name + ": no address"};
    return addresses;
}

// One lookup under way; every waiter sleeps on its own timer until it is done.
struct pending {
    std::vector<asio::steady_timer*> waiters;
    std::shared_ptr<const answer> done;
};

}  // namespace

// Shared with the lookup threads, which may outlive the resolver and then find nobody listening.
struct resolver::shared : std::enable_shared_from_this<resolver::shared> {
    asio::any_io_executor executor;
    std::size_t most_threads;
    lookup how;
    std::map<std::string, std::shared_ptr<pending>> running;
    std::mutex gate;      // a lookup thread posts only while it holds this and closed is false, so
    bool closed = false;  // that it never reaches for an event loop that is gone

    void finish(const std::string& name, answer outcome) {
        auto found = running.find(name);
        if (found == running.end()) return;
        auto entry = found->second;
        running.erase(found);
        entry->done = std::make_shared<const answer>(std::move(outcome));
        for (auto* waiter : entry->waiters)
            waiter->cancel();
    }

    std::shared_ptr<pending> start(const std::string& name);
};

std::shared_ptr<pending> resolver::shared::start(const std::string& name) {
    auto entry = std::make_shared<pending>();
    running.emplace(name, entry);
    // The thread holds the executor's context only by a weak reference to us: a lookup that hangs
    // for ever must not keep the program from ending.
    std::thread([weak = weak_from_this(), name, call = how, target = executor] {
        auto outcome = call(name);
        auto self = weak.lock();
        if (!self) return;
        std::lock_guard hold(self->gate);
        if (self->closed) return;
        asio::post(target, [weak, name, outcome = std::move(outcome)]() mutable {
            if (auto listening = weak.lock()) listening->finish(name, std::move(outcome));
        });
    }).detach();
    return entry;
}

resolver::resolver(asio::any_io_executor executor, std::size_t most_threads, lookup how)
    : shared_(std::make_shared<shared>()) {
    shared_->executor = std::move(executor);
    shared_->most_threads = most_threads;
    shared_->how = how ? std::move(how) : lookup(system_lookup);
}

resolver::~resolver() {
    std::lock_guard hold(shared_->gate);
    shared_->closed = true;
}

namespace {

// A waiter's place in the list, also given back when its coroutine is destroyed while it sleeps.
struct place {
    std::shared_ptr<pending> entry;
    asio::steady_timer* timer;
    place(std::shared_ptr<pending> in, asio::steady_timer& who)
        : entry(std::move(in)), timer(&who) {
        entry->waiters.push_back(timer);
    }
    ~place() { std::erase(entry->waiters, timer); }
    place(const place&) = delete;
};

}  // namespace

asio::awaitable<answer> resolver::resolve(std::string name, deadline until) {
    boost::system::error_code not_numeric;
    asio::ip::make_address(name, not_numeric);
    if (!not_numeric) co_return std::vector<std::string>{name};

    auto mine = shared_;
    std::shared_ptr<pending> entry;
    if (auto found = mine->running.find(name); found != mine->running.end()) {
        entry = found->second;
    } else {
        if (mine->running.size() >= mine->most_threads)
            co_return error{errc::dns, 0,
                            "resolve " + name + ": too many lookups are waiting for name servers"};
        entry = mine->start(name);
    }
    asio::steady_timer timer(mine->executor, until.at);
    place waiting(entry, timer);
    auto [woken] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (entry->done) co_return *entry->done;
    if (woken) co_return error{errc::cancelled, 0, "resolve " + name + ": cancelled"};
    co_return error{errc::dns, 0, "resolve " + name + ": no name server answered in time"};
}

}  // namespace primacy::rt
