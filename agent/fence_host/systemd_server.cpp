#include "agent/fence_host/stoppable.hpp"
#include "agent/rt/process.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <map>
#include <optional>
#include <poll.h>
#include <string_view>
#include <utility>

namespace primacy::fence_host {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds answer_time{3};  // of systemctl, for what changes nothing
constexpr std::chrono::seconds unit_kill_time{5};
constexpr int look_again_ms = 50;

class systemd_server final : public stoppable {
public:
    systemd_server(settings told, std::string systemctl)
        : told_(std::move(told)), systemctl_(std::move(systemctl)) {}

    finding status() override;
    finding stop() override;
    finding kill() override;

private:
    rt::result<rt::exit_report> ask(std::vector<std::string> words, std::chrono::seconds time);
    finding killed();

    const settings told_;
    const std::string systemctl_;
    rt::system_process_runner runner_;
};

rt::result<rt::exit_report> systemd_server::ask(std::vector<std::string> words,
                                                std::chrono::seconds time) {
    rt::command what;
    what.argv = std::move(words);
    what.argv.insert(what.argv.begin(), systemctl_);
    what.argv.insert(what.argv.end(), {"--", told_.unit});
    what.environment = {{"LC_ALL", "C"}, {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
    rt::run_limits limits;
    limits.until = rt::deadline::after(time);
    limits.grace = std::chrono::milliseconds(500);
    asio::io_context context(1);
    std::optional<rt::result<rt::exit_report>> report;
    asio::co_spawn(context, runner_.run(std::move(what), limits, nullptr),
                   [&report](std::exception_ptr, rt::result<rt::exit_report> made) {
                       report = std::move(made);
                   });
    context.run();
    return std::move(*report);
}

std::map<std::string, std::string, std::less<>> properties_in(std::string_view text) {
    std::map<std::string, std::string, std::less<>> read;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const std::size_t equals = line.find('=');
        if (equals != line.npos) read.emplace(line.substr(0, equals), line.substr(equals + 1));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return read;
}

finding systemd_server::status() {
    const auto asked =
        ask({"show", "--property=LoadState,ActiveState,SubState,TasksCurrent"}, answer_time);
    if (!asked) return {condition::unknown, asked.error().message};
    if (!rt::succeeded(*asked))
        return {condition::unknown, "systemctl show " + rt::describe(*asked)};
    const auto properties = properties_in(asked->output.text);
    const auto value = [&properties](std::string_view name) {
        const auto found = properties.find(name);
        return found == properties.end() ? std::string() : found->second;
    };
    // A unit that does not exist is "inactive" too: a slip of the pen must not count as stopped.
    if (value("LoadState") != "loaded" && value("LoadState") != "masked") {
        return {condition::refused,
                fmt::format("there is no unit {} here (it is {})", told_.unit, value("LoadState"))};
    }
    const std::string active = value("ActiveState");
    const std::string tasks = value("TasksCurrent");
    const bool empty = tasks.empty() || tasks == "0" || tasks == "[not set]";
    const std::string state = fmt::format("{} is {} ({})", told_.unit, active, value("SubState"));
    if (active == "inactive" || active == "failed") {
        if (empty) return {condition::stopped, state};
        return {condition::running, fmt::format("{} and has {} tasks left", state, tasks)};
    }
    if (active.empty()) return {condition::unknown, "systemctl did not tell the unit's state"};
    return {condition::running, state};
}

finding systemd_server::stop() {
    const finding before = status();
    if (before.seen == condition::refused) return before;
    // Also of a unit that is stopped already: it takes back a start that is waiting. That it ran
    // out of time is seen from the state.
    (void)ask({"stop"}, told_.stop_time);
    const finding after = status();
    return after.seen == condition::running ? killed() : after;
}

finding systemd_server::kill() {
    const finding before = status();
    return before.seen == condition::refused ? before : killed();
}

finding systemd_server::killed() {
    const auto limit = rt::deadline::after(unit_kill_time);
    (void)ask({"kill", "--signal=SIGKILL"}, answer_time);
    // Keeps Restart= from starting it again.
    (void)ask({"stop"}, answer_time);
    finding seen = status();
    while (seen.seen == condition::running && !limit.passed()) {
        ::poll(nullptr, 0, look_again_ms);
        seen = status();
    }
    return seen;
}

}  // namespace

std::unique_ptr<stoppable> make_systemd_server(const settings& told, std::string systemctl) {
    return std::make_unique<systemd_server>(told, std::move(systemctl));
}

}  // namespace primacy::fence_host
