#include "agent/app/commands/question.hpp"

#include "agent/app/commands/complete.hpp"
#include "agent/app/http/client.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/app/version.hpp"
#include "agent/app/watch/settled.hpp"
#include "agent/app/watch/sql_prober.hpp"
#include "agent/app/watch/topology_monitor.hpp"
#include "agent/rt/event.hpp"
#include "agent/rt/sql/network.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <unistd.h>

namespace primacy::app {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

bool colours_wanted() {
    const char* term = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr && term &&
           std::string_view(term) != "dumb";
}

namespace {

rt::result<json::object> from_agent(const config& settings, const question& asked) {
    asio::io_context loop{1};
    std::string target = asked.what == asked_for::status ? "/api/v1/status" : "/api/v1/explain";
    if (!asked.topology.empty()) target += "?topology=" + asked.topology;
    auto got =
        complete(loop, http::get_unix(settings.agent.control, target, rt::deadline::after(5s)));
    if (!got) return got.error();
    if (got->status == 404)
        return rt::error{rt::errc::usage, 0,
                         "the agent does not watch " + asked.topology +
                             "; was the configuration changed without a reload?"};
    if (got->status != 200)
        return rt::error{rt::errc::protocol, 0,
                         "the agent answered with HTTP status " + std::to_string(got->status)};
    boost::system::error_code failed;
    json::value parsed = json::parse(got->body ? *got->body : std::string(), failed);
    if (failed || !parsed.is_object())
        return rt::error{rt::errc::protocol, 0, "the agent's answer is not JSON"};
    return parsed.as_object();
}

// Polls for itself. What the first round says stands, unless it says "suspected": then polling goes
// on until that is confirmed or cleared.
class direct_look {
public:
    direct_look(const config& settings, const question& asked)
        : settings_(settings), asked_(asked), network_(loop_.get_executor()) {}

    json::object run() {
        rt::task_group monitors(loop_.get_executor());
        for (const auto& topology : settings_.topologies)
            if (asked_.topology.empty() || topology.name == asked_.topology)
                start(topology, monitors);
        asio::co_spawn(loop_, stop_when_settled(monitors), asio::detached);
        loop_.run();
        agent_snapshot found;
        found.agent = settings_.agent.name;
        found.version = version_text;
        for (const auto& topology : settings_.topologies)
            if (judged_[topology.name]) found.topologies.push_back(judged_[topology.name]);
        return asked_.what == asked_for::status ? status_json(found, "", report_now())
                                                : explain_json(found, "", report_now());
    }

private:
    void start(const topology_config& topology, rt::task_group& monitors) {
        topology_monitor::services with;
        with.executor = loop_.get_executor();
        with.probe = [this](const topology_config& in, const server_config& server) {
            return make_sql_prober(loop_.get_executor(), network_,
                                   {endpoint_of(in, server), in.detail_interval, 600s});
        };
        with.publish = [this](std::shared_ptr<const topology_snapshot> judged) {
            judged_[judged->config->name] = std::move(judged);
            changed_.notify();
        };
        with.random_unit = [] { return 0.5; };
        longest_ = std::max(longest_, longest_look(topology));
        wanted_.push_back(topology.name);
        running_.push_back(std::make_unique<topology_monitor>(
            std::make_shared<const topology_config>(topology), checks::watch_state{},
            rt::steady_clock::now(), std::move(with)));
        monitors.spawn("watch " + topology.name, running_.back()->run());
    }

    bool all_settled() {
        return std::all_of(wanted_.begin(), wanted_.end(), [this](const auto& name) {
            return judged_[name] && settled(*judged_[name]);
        });
    }

    asio::awaitable<void> stop_when_settled(rt::task_group& monitors) {
        rt::deadline end = rt::deadline::after(longest_);
        while (!all_settled() && !end.passed())
            co_await changed_.wait(end);
        monitors.cancel();
        std::ignore = co_await monitors.join(rt::deadline::after(5s));
    }

    const config& settings_;
    const question& asked_;
    asio::io_context loop_{1};
    rt::sql::network network_;
    rt::event changed_{loop_.get_executor()};
    std::vector<std::string> wanted_;
    std::vector<std::unique_ptr<topology_monitor>> running_;
    std::map<std::string, std::shared_ptr<const topology_snapshot>> judged_;
    std::chrono::milliseconds longest_{0};
};

bool configured(const config& settings, const std::string& topology) {
    for (const auto& each : settings.topologies)
        if (each.name == topology) return true;
    return false;
}

}  // namespace

rt::result<answer_found> ask(const config& settings, const question& asked) {
    if (!asked.topology.empty() && !configured(settings, asked.topology)) {
        std::string names;
        for (const auto& each : settings.topologies)
            names += (names.empty() ? "" : ", ") + each.name;
        return rt::error{rt::errc::usage, 0,
                         "there is no topology \"" + asked.topology + "\"; there is " + names};
    }
    answer_found found;
    if (!asked.direct) {
        auto from = from_agent(settings, asked);
        if (from) {
            found.json = std::move(*from);
            return found;
        }
        if (from.error().code == rt::errc::usage) return from.error();
        found.why_direct = "no agent answers at " + settings.agent.control + " (" +
                           std::string(rt::to_string(from.error().code)) +
                           "); asked the servers directly";
    }
    found.json = direct_look(settings, asked).run();
    return found;
}

}  // namespace primacy::app
