#include "fencing/drivers/fence_agent.hpp"

#include "agent/rt/checkpoint.hpp"
#include "fencing/drivers/bounded_driver.hpp"
#include "fencing/drivers/fence_agent_protocol.hpp"
#include "fencing/drivers/program.hpp"

#include <fmt/format.h>

#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

constexpr int status_off = 2;  // of action=status and monitor only

class fence_agent_driver final : public bounded_driver {
public:
    fence_agent_driver(rt::process_runner& runner, fence_target target, fence_agent_options options)
        : bounded_driver(options.timeout),
          runner_(runner),
          target_(std::move(target)),
          options_(std::move(options)) {}

    std::string_view kind() const noexcept override { return "fence-agent"; }

private:
    asio::awaitable<rung_report> act(fence_order order, rt::deadline until) override;
    asio::awaitable<rung_report> observe(fence_order order, rt::deadline until) override;
    asio::awaitable<rt::result<void>> ready(rt::deadline until) override;
    asio::awaitable<program_end> ask(std::string action, rt::deadline until);

    bool has_status() const { return !options_.metadata || options_.metadata->can("status"); }
    std::string problem() const;
    rung_report report_error(const program_end& end, std::string_view action) const;
    rung_report no_status_report() const;

    rt::process_runner& runner_;
    const fence_target target_;
    const fence_agent_options options_;
};

std::string fence_agent_driver::problem() const {
    for (const auto& [name, value] : options_.options) {
        const std::string plain = option_name(name);
        if (name.empty() || name.front() == '#' || name.find('=') != name.npos ||
            !fits_a_line(name) || !fits_a_line(value))
            return fmt::format("the option \"{}\" cannot be given to an agent", name);
        if (plain == "action" || plain == "option")
            return "the action is chosen by primacy; remove it from the options";
        if (plain == "method" && value == "cycle")
            return "method=cycle reports success while the host may still run; use onoff";
    }
    if (!fits_a_line(options_.password)) return "the password cannot be given to an agent";
    return {};
}

asio::awaitable<program_end> fence_agent_driver::ask(std::string action, rt::deadline until) {
    auto what =
        agent_command(options_.agent, agent_input(options_.options, options_.password, action));
    auto end = co_await run_program(runner_, std::move(what), until);
    end.errors = without_password(std::move(end.errors), options_.password);
    co_return end;
}

// The agent's code for any failure is 1; only its words tell them apart, and badly.
rung_report fence_agent_driver::report_error(const program_end& end,
                                             std::string_view action) const {
    if (!end.code) return not_ended_report(end);
    const auto says = [&end](std::string_view words) {
        return end.errors.find(words) != end.errors.npos;
    };
    auto reason = rung_failure::protocol;
    if (*end.code == 1) reason = rung_failure::refused;
    if (says("timed out") || says("timeout") || says("Timed out")) reason = rung_failure::timeout;
    if (says("Unable to connect") || says("Login failed")) reason = rung_failure::denied;
    if (says("Timed out waiting to power")) reason = rung_failure::still_alive;
    return report_of(rung_outcome::unknown, reason,
                     fmt::format("{} for the action {}{}", end.how, action, last_line(end.errors)));
}

rung_report fence_agent_driver::no_status_report() const {
    return report_of(rung_outcome::unknown, rung_failure::protocol,
                     fmt::format("{} has no action status: it cannot be seen whether {} is off; "
                                 "confirm it by other means",
                                 options_.agent, target_.server));
}

asio::awaitable<rung_report> fence_agent_driver::act(fence_order order, rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return report_of(rung_outcome::failed, rung_failure::internal, wrong);
    rt::checkpoint("fence_agent.off");
    if (!allowed(order.may_act)) co_return not_allowed_report(target_.server, false);
    const program_end end = co_await ask("off", until);
    rt::checkpoint("fence_agent.off_answered");
    if (!end.code) co_return not_ended_report(end);
    if (!has_status()) {
        if (end.exited_with(0)) co_return no_status_report();
        co_return report_error(end, "off");
    }
    auto report = co_await observe(std::move(order), until);
    rt::checkpoint("fence_agent.looked");
    if (report.outcome == rung_outcome::confirmed) co_return report;
    // It was asked to act: nothing is certain any more, also not that it will stay as it was seen.
    report.outcome = rung_outcome::unknown;
    if (!end.exited_with(0)) {
        auto first = report_error(end, "off");
        first.sentence += "; then " + report.sentence;
        if (report.reason == rung_failure::cancelled) first.reason = report.reason;
        co_return first;
    }
    report.sentence = fmt::format("{} says that it powered {} off; then {}", options_.agent,
                                  target_.server, report.sentence);
    co_return report;
}

asio::awaitable<rung_report> fence_agent_driver::observe(fence_order, rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return report_of(rung_outcome::unknown, rung_failure::internal, wrong);
    if (!has_status()) co_return no_status_report();
    const program_end end = co_await ask("status", until);
    if (end.exited_with(status_off)) {
        auto report = report_of(rung_outcome::confirmed, rung_failure::none,
                                fmt::format("asked on its own, {} says that {} is off",
                                            options_.agent, target_.server));
        report.facts = {{"power", "off"}};
        co_return report;
    }
    if (end.exited_with(0)) {
        co_return report_of(rung_outcome::failed, rung_failure::still_alive,
                            fmt::format("{} says that {} is on", options_.agent, target_.server));
    }
    auto report = report_error(end, "status");
    report.outcome = rung_outcome::unknown;
    co_return report;
}

// Also what the agent says about itself: the package that it comes from may have changed.
asio::awaitable<rt::result<void>> fence_agent_driver::ready(rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return rt::error{rt::errc::config, 0, wrong};
    std::optional<agent_metadata> metadata = options_.metadata;
    if (!metadata) {
        auto read = co_await read_metadata(runner_, options_.agent, until);
        if (!read) co_return read.error();
        metadata = std::move(*read);
    }
    const auto problems =
        metadata_problems(*metadata, options_.options, !options_.password.empty());
    if (!problems.empty()) co_return rt::error{rt::errc::config, 0, problems.front().sentence};
    const std::string action = metadata->can("monitor") ? "monitor" : "status";
    const program_end end = co_await ask(action, until);
    if (end.exited_with(0) || end.exited_with(status_off)) co_return rt::result<void>{};
    co_return error_of(report_error(end, action));
}

}  // namespace

std::unique_ptr<driver> make_fence_agent_driver(rt::process_runner& runner, fence_target target,
                                                fence_agent_options options) {
    return std::make_unique<fence_agent_driver>(runner, std::move(target), std::move(options));
}

asio::awaitable<rt::result<agent_metadata>> read_metadata(rt::process_runner& runner,
                                                          std::string agent, rt::deadline until) {
    auto what = agent_command(agent, agent_input({}, "", "metadata"));
    const program_end end = co_await run_program(runner, std::move(what), until);
    if (!end.exited_with(0)) {
        std::string how = end.how;
        if (end.started) how += " for action=metadata" + last_line(end.errors);
        rung_report report =
            report_of(rung_outcome::unknown, rung_failure::protocol, std::move(how));
        if (!end.code) report.reason = end.failure;
        co_return error_of(report);
    }
    co_return parse_agent_metadata(end.output);
}

}  // namespace primacy::fencing
