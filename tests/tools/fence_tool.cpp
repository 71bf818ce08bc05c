// Makes one fence driver from JSON on standard input, calls it once, and prints what it reports as
// one JSON object. For integration tests; judges nothing.
//
// {"kind":"ssh","call":"fence"|"verify"|"check","within_ms":8000,"target":{…},"order":{…},
//  "options":{…}}, or "call":"metadata" for what the agent's own description says about them.

#include "agent/rt/process.hpp"
#include "fencing/drivers/exec.hpp"
#include "fencing/drivers/fence_agent.hpp"
#include "fencing/drivers/ipmi.hpp"
#include "fencing/drivers/ssh.hpp"
#include "tests/tools/driver_tool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace primacy;
using namespace primacy::fencing;
using namespace primacy::tests;

fence_target target_in(const json::object& asked) {
    const auto& from = object_in(asked, "target");
    fence_target target;
    target.topology = text_in(from, "topology", "shop");
    target.server = text_in(from, "server", "db1");
    target.host = text_in(from, "host", "127.0.0.1");
    target.port = port_in(from, "port", 3306);
    return target;
}

std::unique_ptr<driver> make_ssh(rt::process_runner& runner, const json::object& asked) {
    const auto& from = object_in(asked, "options");
    ssh_options options;
    options.host = text_in(from, "host");
    options.port = port_in(from, "port", 22);
    options.user = text_in(from, "user");
    options.key = text_in(from, "key");
    options.known_hosts = text_in(from, "known_hosts");
    options.timeout = timeout_in(from, 10000);
    return make_ssh_driver(runner, target_in(asked), options);
}

std::unique_ptr<driver> make_ipmi(rt::process_runner& runner, const json::object& asked) {
    const auto& from = object_in(asked, "options");
    ipmi_options options;
    options.address = text_in(from, "address");
    options.port = port_in(from, "port", 623);
    options.user = text_in(from, "user");
    options.password_file = text_in(from, "password_file");
    options.interface = text_in(from, "interface", "lanplus");
    if (from.contains("cipher")) options.cipher = static_cast<int>(number_in(from, "cipher", 3));
    options.timeout = timeout_in(from, 10000);
    return make_ipmi_driver(runner, target_in(asked), options);
}

fence_agent_options agent_options_in(const json::object& asked) {
    const auto& from = object_in(asked, "options");
    fence_agent_options options;
    options.agent = text_in(from, "agent");
    options.password = text_in(from, "password");
    for (const auto& [key, value] : object_in(from, "options"))
        options.options.emplace(key, value.as_string());
    options.timeout = timeout_in(from, 10000);
    return options;
}

std::unique_ptr<driver> make_exec(rt::process_runner& runner, const json::object& asked) {
    const auto& from = object_in(asked, "options");
    exec_options options;
    for (const auto& word : from.at("command").as_array())
        options.command.emplace_back(word.as_string());
    options.timeout = timeout_in(from, 10000);
    options.verify = from.contains("verify") && from.at("verify").as_bool();
    if (text_in(from, "style") == "mha") options.style = exec_style::mha;
    return make_exec_driver(runner, target_in(asked), options);
}

std::unique_ptr<driver> make_driver(rt::process_runner& runner, const json::object& asked) {
    const std::string kind = text_in(asked, "kind");
    if (kind == "ssh") return make_ssh(runner, asked);
    if (kind == "ipmi") return make_ipmi(runner, asked);
    if (kind == "fence-agent")
        return make_fence_agent_driver(runner, target_in(asked), agent_options_in(asked));
    if (kind == "exec") return make_exec(runner, asked);
    throw std::runtime_error("no driver of kind " + kind);
}

// What read_metadata() and metadata_problems() make of the agent and its options.
asio::awaitable<void> judge_agent(rt::process_runner& runner, const json::object& asked,
                                  json::object& answer) {
    const auto options = agent_options_in(asked);
    const auto until = rt::deadline::after(std::chrono::seconds(20));
    const auto metadata = co_await read_metadata(runner, options.agent, until);
    if (!metadata) {
        answer["error"] = metadata.error().message;
        co_return;
    }
    json::array problems;
    for (const auto& problem :
         metadata_problems(*metadata, options.options, !options.password.empty()))
        problems.emplace_back(problem.sentence);
    answer["name"] = metadata->name;
    answer["problems"] = problems;
}

asio::awaitable<void> call_device(driver& device, const json::object& asked, json::object& answer) {
    const auto& from = object_in(asked, "order");
    fence_order order;
    order.incident = text_in(from, "incident", "incident-1");
    order.nonce = text_in(from, "nonce", "nonce-1");
    order.reason = text_in(from, "reason", "two servers of shop are writable");
    answer = co_await call(device, asked, std::move(order));
}

int run() {
    const json::object asked = read_input();
    asio::io_context context(1);
    rt::system_process_runner runner;
    json::object answer;
    const bool metadata = text_in(asked, "call") == "metadata";
    const auto device = metadata ? nullptr : make_driver(runner, asked);
    std::exception_ptr thrown;
    const auto begun = std::chrono::steady_clock::now();
    auto work = metadata ? judge_agent(runner, asked, answer) : call_device(*device, asked, answer);
    asio::co_spawn(context, std::move(work),
                   [&thrown](std::exception_ptr failure) { thrown = failure; });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    answer["took_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::steady_clock::now() - begun)
                            .count();
    std::cout << json::serialize(answer) << "\n";
    return 0;
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& failure) {
        std::cerr << "fence_tool: " << failure.what() << "\n";
        return 1;
    }
}
