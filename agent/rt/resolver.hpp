// Names to addresses without ever blocking the event loop or one another. getaddrinfo() cannot be
// interrupted and may hang for as long as a name server is silent; each lookup therefore has a
// thread of its own, and whoever waits for it gives up at a deadline. A name has one lookup at a
// time; at most `most_threads` run at once, further ones are refused at once.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace primacy::rt {

class resolver {
public:
    // Blocking; returns numeric addresses in the order to try them. Called on a thread of its own.
    using lookup = std::function<result<std::vector<std::string>>(const std::string& name)>;

    // `how` is the system's getaddrinfo() unless a test gives another.
    explicit resolver(boost::asio::any_io_executor executor, std::size_t most_threads = 64,
                      lookup how = {});
    ~resolver();
    resolver(const resolver&) = delete;

    // Numeric addresses of `name` (a numeric one is returned as it is, without a thread). Never
    // empty on success. errc::dns when the name server says no, errc::timeout never: a lookup that
    // does not end in time is errc::dns too, and its sentence says so.
    boost::asio::awaitable<result<std::vector<std::string>>> resolve(std::string name,
                                                                     deadline until);

private:
    struct shared;
    std::shared_ptr<shared> shared_;
};

}  // namespace primacy::rt
