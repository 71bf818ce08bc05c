// Makes one isolating driver (haproxy, proxysql, detach) from JSON on standard input, calls it
// once, and prints what it reports as one JSON object. For integration tests; judges nothing.
//
// {"kind":"haproxy","call":"fence"|"verify"|"check","within_ms":8000,
//  "target":{"server":"db1","host":"127.0.0.1","port":3306},"options":{…}}

#include "agent/rt/sql/network.hpp"
#include "fencing/drivers/detach.hpp"
#include "fencing/drivers/haproxy.hpp"
#include "fencing/drivers/proxysql.hpp"
#include "tests/tools/driver_tool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace primacy;
using namespace primacy::fencing;
using namespace primacy::tests;

rt::sql::endpoint endpoint_in(const json::object& from) {
    rt::sql::endpoint where;
    where.host = text_in(from, "host");
    where.port = port_in(from, "port");
    where.user = text_in(from, "user");
    where.password = text_in(from, "password");
    return where;
}

haproxy_options haproxy_in(const json::object& from) {
    haproxy_options options;
    options.socket = text_in(from, "socket");
    options.host = text_in(from, "host");
    options.port = port_in(from, "port");
    options.backend = text_in(from, "backend");
    options.server = text_in(from, "server");
    options.timeout = timeout_in(from, 5000);
    return options;
}

proxysql_options proxysql_in(const json::object& from) {
    proxysql_options options;
    options.admin = endpoint_in(from);
    options.server_host = text_in(from, "server_host");
    options.server_port = port_in(from, "server_port");
    if (const auto* group = from.if_contains("writer_hostgroup"))
        options.writer_hostgroup = group->as_int64();
    options.timeout = timeout_in(from, 5000);
    return options;
}

detach_options detach_in(const json::object& from) {
    detach_options options;
    for (const json::value& replica : from.at("replicas").as_array())
        options.replicas.push_back(
            {text_in(replica.as_object(), "server"), endpoint_in(replica.as_object())});
    options.timeout = timeout_in(from, 5000);
    return options;
}

std::unique_ptr<driver> make_driver(const asio::any_io_executor& executor,
                                    rt::sql::network& network, const json::object& asked) {
    const json::object& named = asked.at("target").as_object();
    fence_target target;
    target.topology = "shop";
    target.server = text_in(named, "server");
    target.host = text_in(named, "host");
    target.port = port_in(named, "port");
    const json::object& options = asked.at("options").as_object();
    const std::string kind = text_in(asked, "kind");
    if (kind == "haproxy") return make_haproxy_driver(executor, target, haproxy_in(options));
    if (kind == "detach") return make_detach_driver(executor, network, target, detach_in(options));
    if (kind == "proxysql")
        return make_proxysql_driver(executor, network, target, proxysql_in(options));
    throw std::runtime_error("no driver of kind " + kind);
}

asio::awaitable<void> call_device(driver& device, const json::object& asked, json::object& answer) {
    fence_order order{"incident-1", "nonce-1", "two servers of shop are writable"};
    answer = co_await call(device, asked, std::move(order));
}

int run() {
    const json::object asked = read_input();
    asio::io_context context(1);
    rt::sql::network network(context.get_executor());
    const auto device = make_driver(context.get_executor(), network, asked);
    json::object answer;
    std::exception_ptr thrown;
    const auto begun = std::chrono::steady_clock::now();
    asio::co_spawn(context, call_device(*device, asked, answer),
                   [&thrown](std::exception_ptr failure) { thrown = failure; });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    const auto took = std::chrono::steady_clock::now() - begun;
    answer["took_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    std::cout << json::serialize(answer) << "\n";
    return 0;
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& failure) {
        std::cerr << "proxy_fence_tool: " << failure.what() << "\n";
        return 1;
    }
}
