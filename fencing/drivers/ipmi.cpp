#include "fencing/drivers/ipmi.hpp"

#include "agent/rt/checkpoint.hpp"
#include "agent/rt/event.hpp"
#include "fencing/drivers/bounded_driver.hpp"
#include "fencing/drivers/program.hpp"

#include <fmt/format.h>

#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds between_readings{300};
constexpr std::chrono::seconds slow_answer{2};

enum class power {
    on,
    off,
    unreadable  // see the ending of ipmitool
};

struct reading {
    power seen = power::unreadable;
    program_end end;
};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

// ipmitool's own words for a session that did not come about: the request was never sent.
bool no_session(const program_end& end) {
    return end.code && contains(end.errors, "Unable to establish ") &&
           contains(end.errors, " session");
}

// The words of a BMC that does not take our name, password or rights.
bool was_denied(const program_end& end) {
    for (std::string_view words :
         {"RAKP 2 HMAC is invalid", "unauthorized name", "Invalid user name", "insufficient",
          "Insufficient privilege", "Activate Session error", "unauthorized role"})
        if (contains(end.errors, words)) return true;
    return false;
}

bool bmc_refused(const program_end& end) {
    return end.code && *end.code != 0 && contains(end.errors, "Set Chassis Power Control to ") &&
           contains(end.errors, " failed");
}

class ipmi_driver final : public bounded_driver {
public:
    ipmi_driver(rt::process_runner& runner, fence_target target, ipmi_options options)
        : bounded_driver(options.timeout),
          runner_(runner),
          target_(std::move(target)),
          options_(std::move(options)) {}

    std::string_view kind() const noexcept override { return "ipmi"; }

private:
    asio::awaitable<rung_report> act(fence_order order, rt::deadline until) override;
    asio::awaitable<rung_report> wait_for_off(rt::deadline until, bool refused);
    asio::awaitable<rung_report> observe(fence_order order, rt::deadline until) override;
    asio::awaitable<rt::result<void>> ready(rt::deadline until) override;
    asio::awaitable<reading> read_power(rt::deadline until);
    // The first of two readings said off.
    asio::awaitable<reading> read_again(rt::deadline until);

    rt::command command_for(std::string_view action, rt::deadline until) const;
    std::string problem() const;
    rung_report unreadable_report(const program_end& end) const;
    rung_report off_report() const;

    rt::process_runner& runner_;
    const fence_target target_;
    const ipmi_options options_;
};

std::string ipmi_driver::problem() const {
    if (options_.address.empty() || options_.address.front() == '-')
        return fmt::format("\"{}\" is not the address of a BMC; mend `address`", options_.address);
    if (options_.password_file.empty() || options_.password_file.front() != '/')
        return "password_file must be an absolute path: ipmitool reads the password from it";
    return {};
}

rt::command ipmi_driver::command_for(std::string_view action, rt::deadline until) const {
    // ipmitool gives up on a silent BMC after tries * (tries + 1) seconds (-N 1): well before the
    // limit, so that it says itself that no session came about.
    const bool plenty = until.left() > std::chrono::seconds(12);
    const int tries = plenty ? 2 : 1;
    rt::command what;
    // -v: without it a wrong password and a silent BMC end in the same words.
    what.argv = {"ipmitool", "-v", "-I", options_.interface, "-H", options_.address, "-p",
                 std::to_string(options_.port), "-U", options_.user, "-f", options_.password_file,
                 // Enough for the power, and what the account need not have more than.
                 "-L", "OPERATOR", "-N", "1", "-R", std::to_string(tries)};
    if (options_.cipher) {
        what.argv.push_back("-C");
        what.argv.push_back(std::to_string(*options_.cipher));
    }
    for (std::string_view word : {std::string_view("chassis"), std::string_view("power"), action})
        what.argv.emplace_back(word);
    what.environment = {{"LC_ALL", "C"}};
    what.inherited = {"PATH"};
    return what;
}

rung_report ipmi_driver::unreadable_report(const program_end& end) const {
    if (!end.code) return not_ended_report(end);
    const std::string words = last_line(end.errors);
    if (was_denied(end)) {
        return report_of(rung_outcome::unknown, rung_failure::denied,
                         fmt::format("the BMC {} does not let {} in, or not do this; check user, "
                                     "password_file and its operator rights{}",
                                     options_.address, options_.user, words));
    }
    if (no_session(end)) {
        return report_of(rung_outcome::unknown, rung_failure::unreachable,
                         fmt::format("the BMC {} port {} does not answer{}", options_.address,
                                     options_.port, words));
    }
    return report_of(
        rung_outcome::unknown, rung_failure::protocol,
        fmt::format("the BMC {} did not tell its power ({}){}", options_.address, end.how, words));
}

rung_report ipmi_driver::off_report() const {
    auto report = report_of(rung_outcome::confirmed, rung_failure::none,
                            fmt::format("the BMC {} of {} says twice that its power is off",
                                        options_.address, target_.server));
    report.facts = {{"power", "off"}};
    return report;
}

asio::awaitable<reading> ipmi_driver::read_power(rt::deadline until) {
    reading made;
    auto what = command_for("status", until);
    made.end = co_await run_program(runner_, std::move(what), until);
    if (made.end.exited_with(0)) {
        const bool off = has_line(made.end.output, "Chassis Power is off");
        const bool on = has_line(made.end.output, "Chassis Power is on");
        if (on != off) made.seen = on ? power::on : power::off;
    }
    co_return made;
}

asio::awaitable<reading> ipmi_driver::read_again(rt::deadline until) {
    const auto executor = co_await asio::this_coro::executor;
    rt::event never(executor);
    const auto pause = until.sooner(rt::deadline::after(between_readings));
    co_await never.wait(pause);
    co_return co_await read_power(until);
}

asio::awaitable<rung_report> ipmi_driver::act(fence_order order, rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return report_of(rung_outcome::failed, rung_failure::internal, wrong);
    auto what = command_for("off", until);
    rt::checkpoint("ipmi.off");
    if (!allowed(order.may_act)) co_return not_allowed_report(target_.server, false);
    const program_end end = co_await run_program(runner_, std::move(what), until);
    rt::checkpoint("ipmi.off_answered");
    if (!end.code) co_return not_ended_report(end);
    if (no_session(end)) {
        auto report = unreadable_report(end);
        report.outcome = rung_outcome::failed;
        co_return report;
    }
    // Some BMCs refuse to power off what is off: the power decides, not the answer.
    co_return co_await wait_for_off(until, bmc_refused(end));
}

asio::awaitable<rung_report> ipmi_driver::wait_for_off(rt::deadline until, bool refused) {
    reading last = co_await read_power(until);
    bool was_on = last.seen == power::on;
    while (!until.passed()) {
        if (last.end.failure == rung_failure::cancelled) co_return not_ended_report(last.end);
        if (last.seen == power::on && refused) {
            co_return report_of(rung_outcome::failed, rung_failure::refused,
                                fmt::format("the BMC {} refuses to power {} off, and power is on",
                                            options_.address, target_.server));
        }
        const bool off_before = last.seen == power::off;
        rt::checkpoint("ipmi.read_power");
        last = co_await read_again(until);
        if (off_before && last.seen == power::off) co_return off_report();
        if (last.seen != power::unreadable) was_on = last.seen == power::on;
    }
    if (was_on) {
        co_return report_of(rung_outcome::unknown, rung_failure::still_alive,
                            fmt::format("the BMC {} took the order to power {} off, and power was "
                                        "still on when time ran out",
                                        options_.address, target_.server));
    }
    auto report = unreadable_report(last.end);
    report.outcome = rung_outcome::unknown;
    report.sentence = fmt::format(
        "the BMC {} took the order to power {} off; time ran out before "
        "two readings proved it: {}",
        options_.address, target_.server, report.sentence);
    if (last.seen != power::unreadable) report.reason = rung_failure::timeout;
    co_return report;
}

asio::awaitable<rung_report> ipmi_driver::observe(fence_order, rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return report_of(rung_outcome::unknown, rung_failure::internal, wrong);
    reading made = co_await read_power(until);
    if (made.seen == power::off) made = co_await read_again(until);
    if (made.seen == power::off) co_return off_report();
    if (made.seen == power::on) {
        co_return report_of(rung_outcome::failed, rung_failure::still_alive,
                            fmt::format("the BMC {} says that the power of {} is on",
                                        options_.address, target_.server));
    }
    auto report = unreadable_report(made.end);
    report.outcome = rung_outcome::unknown;
    co_return report;
}

asio::awaitable<rt::result<void>> ipmi_driver::ready(rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return rt::error{rt::errc::config, 0, wrong};
    const auto begun = rt::steady_clock::now();
    const reading made = co_await read_power(until);
    if (made.seen == power::unreadable) co_return error_of(unreadable_report(made.end));
    const auto took = rt::steady_clock::now() - begun;
    if (took <= slow_answer) co_return rt::result<void>{};
    co_return rt::error{
        rt::errc::timeout, 0,
        fmt::format("the BMC {} takes {:.1f} s to tell its power{}", options_.address,
                    std::chrono::duration<double>(took).count(),
                    options_.cipher ? std::string()
                                    : "; write cipher = 3 or cipher = 17, so that ipmitool need "
                                      "not ask for its suites")};
}

}  // namespace

std::unique_ptr<driver> make_ipmi_driver(rt::process_runner& runner, fence_target target,
                                         ipmi_options options) {
    return std::make_unique<ipmi_driver>(runner, std::move(target), std::move(options));
}

}  // namespace primacy::fencing
