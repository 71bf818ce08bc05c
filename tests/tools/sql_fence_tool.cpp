// Makes the SQL fence driver from JSON on standard input, calls it, and prints what it reports as
// one JSON object a call. For integration tests; judges nothing.
//
// {"call":"fence"|"verify"|"check"|"open","within_ms":5000,"times":1,"cancel_after_ms":0,
//  "server":"db1",
//  "endpoint":{"host":…,"port":…,"socket":…,"user":…,"password":…},
//  "options":{"lock_wait_s":1,"kill_rounds":5,"settle_ms":50,"patience_ms":20}}

#include "agent/rt/sql/network.hpp"
#include "fencing/drivers/sql.hpp"
#include "tests/tools/driver_tool.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace primacy;
using namespace primacy::fencing;
using namespace primacy::tests;

sql_fence_options options_in(const json::object& asked) {
    const auto& at = object_in(asked, "endpoint");
    const auto& given = object_in(asked, "options");
    sql_fence_options options;
    options.where.host = text_in(at, "host", "127.0.0.1");
    options.where.port = port_in(at, "port", 3306);
    options.where.socket = text_in(at, "socket");
    options.where.user = text_in(at, "user");
    options.where.password = text_in(at, "password");
    options.lock_wait = std::chrono::seconds(number_in(given, "lock_wait_s", 1));
    options.kill_rounds = static_cast<int>(number_in(given, "kill_rounds", 5));
    options.settle = std::chrono::milliseconds(number_in(given, "settle_ms", 50));
    options.patience = std::chrono::milliseconds(number_in(given, "patience_ms", 20));
    return options;
}

asio::awaitable<void> run(asio::any_io_executor executor, json::object asked) {
    rt::sql::network network(executor);
    const auto options = options_in(asked);
    const std::string call = text_in(asked, "call", "fence");
    const fence_target target{"shop", text_in(asked, "server", "db1"), options.where.host,
                              options.where.port, options.where.socket};
    const fence_order order{"test", "nonce", "a test"};
    const auto fencer = make_sql_driver(executor, network, target, options);
    const std::chrono::milliseconds within(number_in(asked, "within_ms", 5000));
    for (auto times = number_in(asked, "times", 1); times > 0; --times) {
        const auto began = rt::steady_clock::now();
        const rt::deadline until{began + within};
        json::object said;
        if (call == "open") {
            const auto outcome = co_await open_for_writing(executor, network, options.where, until);
            said = shown(outcome);
        } else {
            said = co_await tests::call(*fencer, asked, order);
        }
        using milliseconds = std::chrono::duration<double, std::milli>;
        said["milliseconds"] = milliseconds(rt::steady_clock::now() - began).count();
        std::cout << json::serialize(said) << std::endl;
    }
}

}  // namespace

int main() {
    const json::object asked = read_input();
    asio::io_context loop(1);
    std::exception_ptr thrown;
    asio::cancellation_signal stop;
    asio::steady_timer alarm(loop);
    if (const auto after = number_in(asked, "cancel_after_ms", 0); after > 0) {
        alarm.expires_after(std::chrono::milliseconds(after));
        alarm.async_wait([&stop](boost::system::error_code failed) {
            if (!failed) stop.emit(asio::cancellation_type::all);
        });
    }
    const auto ended = [&thrown, &alarm](std::exception_ptr what) {
        thrown = what;
        alarm.cancel();
    };
    asio::co_spawn(loop, run(loop.get_executor(), asked),
                   asio::bind_cancellation_slot(stop.slot(), ended));
    loop.run();
    if (!thrown) return 0;
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& failure) {
        std::cerr << "sql_fence_tool: " << failure.what() << "\n";
    }
    return 1;
}
