#include "fencing/drivers/exec.hpp"

#include "agent/rt/checkpoint.hpp"
#include "fencing/drivers/bounded_driver.hpp"
#include "fencing/drivers/program.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <unistd.h>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

class exec_driver final : public bounded_driver {
public:
    exec_driver(rt::process_runner& runner, fence_target target, exec_options options)
        : bounded_driver(options.timeout),
          runner_(runner),
          target_(std::move(target)),
          options_(std::move(options)) {}

    std::string_view kind() const noexcept override { return "exec"; }

private:
    asio::awaitable<rung_report> act(fence_order order, rt::deadline until) override;
    asio::awaitable<rung_report> observe(fence_order order, rt::deadline until) override;
    asio::awaitable<rt::result<void>> ready(rt::deadline until) override;

    bool can_verify() const { return options_.verify && options_.style == exec_style::json; }
    std::string problem() const;
    const std::string& program() const { return options_.command.front(); }
    rt::command command_for(const std::string& action, const fence_order& order) const;
    void tell_in_json(rt::command& what, const std::string& action, const fence_order& order) const;
    void tell_as_mha(rt::command& what, const std::string& action) const;

    rt::process_runner& runner_;
    const fence_target target_;
    const exec_options options_;
};

std::string exec_driver::problem() const {
    if (options_.command.empty() || !options_.command.front().starts_with('/'))
        return "command must begin with the absolute path of a program";
    return {};
}

void exec_driver::tell_in_json(rt::command& what, const std::string& action,
                               const fence_order& order) const {
    const boost::json::object told = {
        {"version", 1},
        {"action", action},
        {"topology", target_.topology},
        {"server", target_.server},
        {"host", target_.host},
        {"port", target_.port},
        {"socket", target_.socket},
        {"incident", order.incident},
        {"nonce", order.nonce},
        {"reason", order.reason},
    };
    what.standard_input = boost::json::serialize(told) + "\n";
    what.environment = {
        {"PRIMACY_ACTION", action},
        {"PRIMACY_TOPOLOGY", target_.topology},
        {"PRIMACY_SERVER", target_.server},
        {"PRIMACY_HOST", target_.host},
        {"PRIMACY_PORT", std::to_string(target_.port)},
        {"PRIMACY_INCIDENT", order.incident},
        {"PRIMACY_NONCE", order.nonce},
    };
}

void exec_driver::tell_as_mha(rt::command& what, const std::string& action) const {
    what.argv.push_back(action == "fence" ? "--command=stop" : "--command=status");
    what.argv.push_back("--ssh_user=" + options_.ssh_user);
    what.argv.push_back("--host=" + target_.host);
    what.argv.push_back("--ip=" + target_.host);
    what.argv.push_back("--port=" + std::to_string(target_.port));
    if (!options_.pid_file.empty()) what.argv.push_back("--pid_file=" + options_.pid_file);
}

rt::command exec_driver::command_for(const std::string& action, const fence_order& order) const {
    rt::command what;
    what.argv = options_.command;
    if (options_.style == exec_style::json)
        tell_in_json(what, action, order);
    else
        tell_as_mha(what, action);
    what.inherited = {"PATH"};
    return what;
}

asio::awaitable<rung_report> exec_driver::act(fence_order order, rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return report_of(rung_outcome::failed, rung_failure::internal, wrong);
    if (!is_token(order.nonce) || !is_token(order.incident)) co_return bad_order_report();
    auto what = command_for("fence", order);
    rt::checkpoint("exec.fence");
    if (!allowed(order.may_act)) co_return not_allowed_report(target_.server, false);
    const program_end end = co_await run_program(runner_, std::move(what), until);
    rt::checkpoint("exec.fence_answered");
    if (!end.code) co_return not_ended_report(end);
    const bool done = end.exited_with(0);
    if (!can_verify() && done) {
        co_return report_of(
            rung_outcome::unknown, rung_failure::protocol,
            fmt::format("{} says done; it has no way to verify (see `verify`)", program()));
    }
    const auto not_done = report_of(rung_outcome::unknown, rung_failure::refused,
                                    fmt::format("{}{}", end.how, last_line(end.errors)));
    if (!can_verify()) co_return not_done;
    auto report = co_await observe(std::move(order), until);
    rt::checkpoint("exec.looked");
    if (report.outcome == rung_outcome::confirmed) co_return report;
    report.outcome = rung_outcome::unknown;
    if (done)
        report.sentence = fmt::format("{} says done; then {}", program(), report.sentence);
    else
        report.sentence = not_done.sentence + "; then " + report.sentence;
    co_return report;
}

asio::awaitable<rung_report> exec_driver::observe(fence_order order, rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return report_of(rung_outcome::unknown, rung_failure::internal, wrong);
    if (!can_verify()) {
        co_return report_of(rung_outcome::unknown, rung_failure::protocol,
                            fmt::format("{} has no way to verify (see `verify`)", program()));
    }
    auto what = command_for("verify", order);
    const program_end end = co_await run_program(runner_, std::move(what), until);
    if (end.exited_with(0)) {
        co_return report_of(
            rung_outcome::confirmed, rung_failure::none,
            fmt::format("asked on its own, {} says that {} is stopped", program(), target_.server));
    }
    if (end.exited_with(1)) {
        co_return report_of(rung_outcome::failed, rung_failure::still_alive,
                            fmt::format("{} says that {} still runs{}", program(), target_.server,
                                        last_line(end.errors)));
    }
    auto report =
        report_of(rung_outcome::unknown, rung_failure::protocol,
                  fmt::format("{} for the action verify{}", end.how, last_line(end.errors)));
    if (!end.code) report.reason = end.failure;
    co_return report;
}

asio::awaitable<rt::result<void>> exec_driver::ready(rt::deadline until) {
    const std::string wrong = problem();
    if (!wrong.empty()) co_return rt::error{rt::errc::config, 0, wrong};
    if (::access(program().c_str(), X_OK) != 0) co_return rt::from_errno(errno, "run " + program());
    if (!can_verify()) co_return rt::result<void>{};
    auto what = command_for("check", fence_order{"check", "check", "a check; change nothing"});
    const program_end end = co_await run_program(runner_, std::move(what), until);
    if (end.exited_with(0)) co_return rt::result<void>{};
    auto report =
        report_of(rung_outcome::unknown, rung_failure::refused,
                  fmt::format("{} for the action check{}", end.how, last_line(end.errors)));
    if (!end.code) report.reason = end.failure;
    co_return error_of(report);
}

}  // namespace

std::unique_ptr<driver> make_exec_driver(rt::process_runner& runner, fence_target target,
                                         exec_options options) {
    return std::make_unique<exec_driver>(runner, std::move(target), std::move(options));
}

}  // namespace primacy::fencing
