// Wants the lease of a topology and prints one line of JSON for each change of what it has; ends on
// SIGTERM, giving the lease back. For tests: the same code as in the agent, without the agent.
// On standard input, until its end: {"topology": …, "ttl_seconds": …, "want": true, "user": …,
// "password": …, "voters": [{"name": …, "host": …, "port": …, "socket": …}]}
#include "agent/rt/clock.hpp"
#include "agent/rt/sql/network.hpp"
#include "agent/rt/task_group.hpp"
#include "fencing/drivers/servers_lease.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include <csignal>
#include <iostream>
#include <iterator>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
namespace fencing = primacy::fencing;
namespace rt = primacy::rt;

std::string text_of(const json::object& from, const char* key) {
    const auto* found = from.if_contains(key);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::int64_t number_of(const json::object& from, const char* key, std::int64_t otherwise) {
    const auto* found = from.if_contains(key);
    return found && found->is_int64() ? found->as_int64() : otherwise;
}

fencing::servers_lease_options read_options(const json::object& given) {
    fencing::servers_lease_options options;
    options.topology = text_of(given, "topology");
    options.ttl = std::chrono::seconds(number_of(given, "ttl_seconds", 8));
    for (const auto& each : given.at("voters").as_array()) {
        const auto& one = each.as_object();
        fencing::lease_voter voter;
        voter.name = text_of(one, "name");
        voter.where.host = text_of(one, "host");
        voter.where.port = static_cast<std::uint16_t>(number_of(one, "port", 3306));
        voter.where.socket = text_of(one, "socket");
        voter.where.user = text_of(given, "user");
        voter.where.password = text_of(given, "password");
        options.voters.push_back(std::move(voter));
    }
    return options;
}

// Prints what is new. Times are seconds of CLOCK_BOOTTIME, the same in every process.
class reporter {
public:
    explicit reporter(const fencing::servers_lease& lease) : lease_(lease) {}

    void tell() {
        const auto seen = lease_.view();
        const bool same = told_ && seen.held == before_.held && seen.epoch == before_.epoch &&
                          seen.votes == before_.votes && (seen.held || seen.why == before_.why);
        if (same) return;
        told_ = true;
        before_ = seen;
        using seconds = std::chrono::duration<double>;
        const auto now = rt::boot_clock::now().time_since_epoch();
        std::cout
            << json::object{{"at", seconds(now).count()},
                            {"held", seen.held},
                            {"epoch", seen.epoch},
                            {"votes", seen.votes},
                            {"needed", seen.needed},
                            {"voters", seen.voters},
                            {"acquired_at", seconds(seen.acquired_at.time_since_epoch()).count()},
                            {"valid_until", seconds(seen.valid_until.time_since_epoch()).count()},
                            {"why", seen.why}}
            << std::endl;
    }

private:
    const fencing::servers_lease& lease_;
    fencing::servers_lease_view before_;
    bool told_ = false;
};

// What time alone changes, and the very first thing that a process sees after a pause.
asio::awaitable<void> tell_often(reporter& report, asio::any_io_executor executor) {
    asio::steady_timer timer(executor);
    for (;;) {
        report.tell();
        timer.expires_after(std::chrono::milliseconds(20));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> end_on_signal(rt::task_group& tasks, asio::any_io_executor executor) {
    asio::signal_set signals(executor, SIGTERM, SIGINT);
    co_await signals.async_wait(asio::use_awaitable);
    tasks.cancel();
}

asio::awaitable<void> join(rt::task_group& tasks, std::string& failed) {
    const rt::deadline never{rt::time_point::max()};
    auto ended = co_await tasks.join(never);
    if (!ended) failed = ended.error().message;
}

}  // namespace

int main() {
    const std::string given(std::istreambuf_iterator<char>(std::cin), {});
    const auto parsed = json::parse(given).as_object();
    asio::io_context loop(1);
    std::string failed;
    {
        rt::sql::network network(loop.get_executor());
        fencing::servers_lease lease(loop.get_executor(), network, read_options(parsed));
        reporter report(lease);
        lease.on_change = [&report] { report.tell(); };
        const auto* want = parsed.if_contains("want");
        lease.request(want == nullptr || want->as_bool());
        rt::task_group tasks(loop.get_executor(), rt::on_failure::cancel_others);
        tasks.spawn("lease", lease.run());
        tasks.spawn("changes", tell_often(report, loop.get_executor()));
        tasks.spawn("signals", end_on_signal(tasks, loop.get_executor()));
        asio::co_spawn(loop, join(tasks, failed), asio::detached);
        loop.run();
        report.tell();
    }
    if (!failed.empty()) std::cerr << "lease_tool: " << failed << "\n";
    return failed.empty() ? 0 : 1;
}
