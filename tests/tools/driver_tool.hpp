// What the programs share that make one fence driver from JSON on standard input, call it and print
// what it reports as JSON. For integration tests; judges nothing.
#pragma once

#include "fencing/drivers/driver.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace primacy::tests {

// Values of a key; what stands there and is of another type is an exception.
std::string text_in(const boost::json::object& from, std::string_view key,
                    std::string otherwise = "");
std::int64_t number_in(const boost::json::object& from, std::string_view key,
                       std::int64_t otherwise);
std::uint16_t port_in(const boost::json::object& from, std::string_view key,
                      std::uint16_t otherwise = 0);
// An empty one when there is none.
const boost::json::object& object_in(const boost::json::object& from, std::string_view key);
// "timeout_ms" of the options.
std::chrono::milliseconds timeout_in(const boost::json::object& options, std::int64_t otherwise);

boost::json::object shown(const fencing::rung_report& report);
boost::json::object shown(const rt::result<void>& checked);

// The call that "call" names: fence (the default), verify or check, within "within_ms".
boost::asio::awaitable<boost::json::object> call(fencing::driver& device,
                                                 const boost::json::object& asked,
                                                 fencing::fence_order order);

// All of standard input as one JSON object.
boost::json::object read_input();

}  // namespace primacy::tests
