#include "tests/tools/driver_tool.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <iostream>
#include <iterator>
#include <utility>

namespace primacy::tests {

namespace json = boost::json;

std::string text_in(const json::object& from, std::string_view key, std::string otherwise) {
    const auto* found = from.if_contains(key);
    return found ? std::string(found->as_string()) : otherwise;
}

std::int64_t number_in(const json::object& from, std::string_view key, std::int64_t otherwise) {
    const auto* found = from.if_contains(key);
    return found ? found->as_int64() : otherwise;
}

std::uint16_t port_in(const json::object& from, std::string_view key, std::uint16_t otherwise) {
    return static_cast<std::uint16_t>(number_in(from, key, otherwise));
}

const json::object& object_in(const json::object& from, std::string_view key) {
    static const json::object none;
    const auto* found = from.if_contains(key);
    return found ? found->as_object() : none;
}

std::chrono::milliseconds timeout_in(const json::object& options, std::int64_t otherwise) {
    return std::chrono::milliseconds(number_in(options, "timeout_ms", otherwise));
}

json::object shown(const fencing::rung_report& report) {
    json::object facts;
    for (const auto& [key, value] : report.facts)
        facts[key] = value;
    return {{"outcome", to_string(report.outcome)},
            {"reason", to_string(report.reason)},
            {"sentence", report.sentence},
            {"facts", facts}};
}

json::object shown(const rt::result<void>& checked) {
    if (checked) return {{"ok", true}};
    return {{"ok", false},
            {"class", rt::to_string(checked.error().code)},
            {"sentence", checked.error().message}};
}

boost::asio::awaitable<json::object> call(fencing::driver& device, const json::object& asked,
                                          fencing::fence_order order) {
    const auto until =
        rt::deadline::after(std::chrono::milliseconds(number_in(asked, "within_ms", 30000)));
    const std::string what = text_in(asked, "call", "fence");
    if (what == "check") {
        const auto checked = co_await device.check(until);
        co_return shown(checked);
    }
    fencing::rung_report report;
    if (what == "fence")
        report = co_await device.fence(std::move(order), until);
    else
        report = co_await device.verify(std::move(order), until);
    co_return shown(report);
}

json::object read_input() {
    const std::string text((std::istreambuf_iterator<char>(std::cin)), {});
    return json::parse(text).as_object();
}

}  // namespace primacy::tests
