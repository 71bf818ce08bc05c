// Runs one coroutine to its end on a loop of the command's own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace primacy::app {

template <class T>
T complete(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
    std::optional<T> made;
    boost::asio::co_spawn(loop, std::move(work), [&made](std::exception_ptr fault, T value) {
        if (fault) std::rethrow_exception(fault);
        made.emplace(std::move(value));
    });
    loop.run();
    return std::move(*made);
}

}  // namespace primacy::app
