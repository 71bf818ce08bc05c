#include "fencing/drivers/haproxy.hpp"

#include "agent/rt/checkpoint.hpp"
#include "fencing/drivers/bounded_driver.hpp"
#include "fencing/drivers/haproxy_socket.hpp"
#include "fencing/drivers/haproxy_text.hpp"
#include "fencing/drivers/isolating.hpp"
#include "fencing/drivers/program.hpp"

#include <fmt/format.h>

#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds between_looks{20};

std::string options_problem(const haproxy_options& options) {
    for (const std::string* name : {&options.backend, &options.server}) {
        if (!is_plain_name(*name))
            return fmt::format(
                "\"{}\" cannot be a backend or a server of HAProxy; mend `backend` "
                "and `server`",
                *name);
    }
    if (options.socket.empty() && options.host.empty())
        return "no socket of HAProxy is given; set `socket`";
    return {};
}

// What HAProxy says of the server.
struct seen_server {
    haproxy_server_state state;
    std::uint64_t sessions = 0;

    bool isolated() const { return state.in_maintenance && sessions == 0; }
};

class haproxy_driver final : public bounded_driver {
public:
    haproxy_driver(asio::any_io_executor executor, fence_target target, haproxy_options options)
        : bounded_driver(options.timeout),
          names_(std::move(executor)),
          target_(std::move(target)),
          options_(std::move(options)),
          problem_(options_problem(options_)),
          where_{options_.socket, options_.host, options_.port},
          server_(options_.backend + "/" + options_.server) {}

    std::string_view kind() const noexcept override { return "haproxy"; }

private:
    struct command_end {
        rt::result<void> done;
        bool sent = false;
    };

    asio::awaitable<rung_report> act(fence_order order, rt::deadline until) override;
    asio::awaitable<rung_report> observe(fence_order order, rt::deadline until) override;
    asio::awaitable<rt::result<void>> ready(rt::deadline until) override;
    asio::awaitable<command_end> command(std::string text, rt::deadline until);
    asio::awaitable<rt::result<seen_server>> look(rt::deadline until);
    rung_report report_isolated(const seen_server& seen) const;
    rung_report report_not_isolated(const seen_server& seen, rung_outcome outcome,
                                    rung_failure reason) const;

    rt::resolver names_;
    const fence_target target_;
    const haproxy_options options_;
    const std::string problem_;
    const haproxy_address where_;
    const std::string server_;  // "backend/server"
};

asio::awaitable<haproxy_driver::command_end> haproxy_driver::command(std::string text,
                                                                     rt::deadline until) {
    const haproxy_answer answer = co_await ask_haproxy(names_, where_, std::move(text), until);
    command_end made;
    made.sent = answer.sent;
    if (answer.text)
        made.done = read_acknowledgement(*answer.text);
    else
        made.done = answer.text.error();
    co_return made;
}

// Two connections of their own, neither the one of an act.
asio::awaitable<rt::result<seen_server>> haproxy_driver::look(rt::deadline until) {
    const haproxy_answer states =
        co_await ask_haproxy(names_, where_, "show servers state " + options_.backend, until);
    if (!states.text) co_return states.text.error();
    const auto state = read_servers_state(*states.text, options_.backend, options_.server);
    if (!state) co_return state.error();
    const haproxy_answer counts =
        co_await ask_haproxy(names_, where_, "show stat " + options_.backend + " 4 -1", until);
    if (!counts.text) co_return counts.text.error();
    const auto sessions = read_current_sessions(*counts.text, options_.backend, options_.server);
    if (!sessions) co_return sessions.error();
    co_return seen_server{*state, *sessions};
}

rung_report haproxy_driver::report_isolated(const seen_server& seen) const {
    rung_report report = isolated_report(
        target_, fmt::format("HAProxy at {} sends nothing to {} any more: it is in maintenance and "
                             "has no session left",
                             where_.text(), server_));
    report.facts = {{"haproxy", server_ + " maint"},
                    {"haproxy_address", seen.state.address},
                    {"haproxy_sessions", "0"}};
    return report;
}

rung_report haproxy_driver::report_not_isolated(const seen_server& seen, rung_outcome outcome,
                                                rung_failure reason) const {
    rung_report report = report_of(
        outcome, reason,
        seen.state.in_maintenance
            ? fmt::format("{} of HAProxy at {} is in maintenance and still has {} session{}",
                          server_, where_.text(), seen.sessions, seen.sessions == 1 ? "" : "s")
            : fmt::format("{} of HAProxy at {} is not in maintenance", server_, where_.text()));
    report.facts = {{"haproxy_sessions", std::to_string(seen.sessions)}};
    return report;
}

// A session may be on its way to the server while it is taken out, and a person may set it ready
// meanwhile; so it is told again until it is seen to be done.
asio::awaitable<rung_report> haproxy_driver::act(fence_order order, rt::deadline until) {
    if (!problem_.empty())
        co_return report_of(rung_outcome::failed, rung_failure::internal, problem_);
    bool acted = false;
    for (;;) {
        rt::checkpoint("haproxy.take_out");
        if (!allowed(order.may_act)) co_return not_allowed_report(target_.server, acted);
        const command_end taken_out =
            co_await command("set server " + server_ + " state maint", until);
        // What HAProxy refused or did not know, it did not do.
        const bool refused = !taken_out.done && (taken_out.done.error().code == rt::errc::denied ||
                                                 taken_out.done.error().code == rt::errc::config);
        if (!taken_out.done)
            co_return error_report(taken_out.done.error(), acted || (taken_out.sent && !refused));
        acted = true;
        rt::checkpoint("haproxy.end_sessions");
        if (!allowed(order.may_act)) co_return not_allowed_report(target_.server, acted);
        const command_end ended = co_await command("shutdown sessions server " + server_, until);
        if (!ended.done) co_return error_report(ended.done.error(), acted);
        rt::checkpoint("haproxy.look");
        const auto seen = co_await look(until);
        if (!seen) co_return error_report(seen.error(), acted);
        if (seen->isolated()) co_return report_isolated(*seen);
        co_await pause(between_looks, until);
        if (until.passed())
            co_return report_not_isolated(*seen, rung_outcome::unknown, rung_failure::timeout);
    }
}

asio::awaitable<rung_report> haproxy_driver::observe(fence_order, rt::deadline until) {
    if (!problem_.empty())
        co_return report_of(rung_outcome::unknown, rung_failure::internal, problem_);
    const auto seen = co_await look(until);
    if (!seen) co_return as_look(error_report(seen.error(), false));
    if (seen->isolated()) co_return report_isolated(*seen);
    co_return report_not_isolated(*seen, rung_outcome::failed, rung_failure::still_alive);
}

asio::awaitable<rt::result<void>> haproxy_driver::ready(rt::deadline until) {
    if (!problem_.empty()) co_return rt::error{rt::errc::config, 0, problem_};
    const haproxy_answer level = co_await ask_haproxy(names_, where_, "show cli level", until);
    if (!level.text) co_return level.text.error();
    if (trimmed(*level.text) != "admin")
        co_return rt::error{rt::errc::denied, 0,
                            fmt::format("the runtime socket {} of HAProxy is not of level admin; "
                                        "configure it as `stats socket … level admin`",
                                        where_.text())};
    const auto seen = co_await look(until);
    if (!seen) co_return seen.error();
    co_return rt::result<void>();
}

}  // namespace

std::unique_ptr<driver> make_haproxy_driver(asio::any_io_executor executor, fence_target target,
                                            haproxy_options options) {
    return std::make_unique<haproxy_driver>(std::move(executor), std::move(target),
                                            std::move(options));
}

}  // namespace primacy::fencing
