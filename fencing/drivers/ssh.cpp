#include "fencing/drivers/ssh.hpp"

#include "agent/rt/checkpoint.hpp"
#include "fencing/drivers/bounded_driver.hpp"
#include "fencing/drivers/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

// Its own errors; primacy-fence-host never ends with it.
constexpr int ssh_error = 255;

// Of words that become part of the command line: nothing that ssh takes for an option, expands
// (%, ~, $) or splits (blanks, quotes).
bool is_plain(std::string_view word, std::string_view also) {
    return !word.empty() && word.front() != '-' &&
           std::all_of(word.begin(), word.end(), [also](char c) {
               const bool alphanumeric =
                   (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
               return alphanumeric || also.find(c) != also.npos;
           });
}

std::string options_problem(const ssh_options& options) {
    if (!is_plain(options.host, ".:-_"))
        return fmt::format("\"{}\" is not a host that ssh may be told; mend `host`", options.host);
    if (!is_plain(options.user, ".-_"))
        return fmt::format("\"{}\" is not an account that ssh may be told; mend `user`",
                           options.user);
    for (const std::string* path : {&options.key, &options.known_hosts}) {
        if (!is_plain(*path, "/.-_+,@:") || path->front() != '/') {
            return fmt::format(
                "\"{}\" is not a path that ssh takes as it is; use an absolute one "
                "of letters, digits and /.-_+,@:",
                *path);
        }
    }
    return {};
}

// How ssh says that it did not get as far as the command. Its standard error also carries what the
// command wrote, so only whole known lines count.
struct early_end {
    rung_failure reason = rung_failure::none;  // none: it may have got there
    std::string advice;
};

rung_failure connect_failure(std::string_view line) {
    return line.find("timed out") != line.npos ? rung_failure::timeout : rung_failure::unreachable;
}

early_end early_end_of(std::string_view errors, const ssh_options& options) {
    const std::string denied = options.user + "@" + options.host + ": Permission denied (";
    for (std::string_view line : lines_of(errors)) {
        if (line == "Host key verification failed.") {
            return {rung_failure::tls,
                    fmt::format("the host key of {} is not the one in {}; find out why before you "
                                "replace it there",
                                options.host, options.known_hosts)};
        }
        if (line.starts_with(denied)) {
            return {rung_failure::denied,
                    fmt::format("{} does not let {} in with the key {}; see its authorized_keys",
                                options.host, options.user, options.key)};
        }
        if (line.starts_with("ssh: connect to host ") ||
            line.starts_with("ssh: Could not resolve hostname "))
            return {connect_failure(line), std::string(line)};
        if (line.starts_with("kex_exchange_identification: ") ||
            line == "Connection timed out during banner exchange")
            return {connect_failure(line), fmt::format("{} took the connection and is no working "
                                                       "ssh server ({})",
                                                       options.host, line)};
    }
    return {};
}

// What the forced command answered.
enum class answer {
    done,      // FENCED, STOPPED
    running,   // the server still runs
    refused,   // nothing was done
    unclear,   // it cannot tell
    no_answer  // none of these with our nonce
};

struct exchange {
    answer said = answer::no_answer;
    program_end end;
};

class ssh_driver final : public bounded_driver {
public:
    ssh_driver(rt::process_runner& runner, fence_target target, ssh_options options)
        : bounded_driver(options.timeout),
          runner_(runner),
          target_(std::move(target)),
          options_(std::move(options)) {
        if (options_.host.empty()) options_.host = target_.host;
        problem_ = options_problem(options_);
    }

    std::string_view kind() const noexcept override { return "ssh"; }

private:
    asio::awaitable<rung_report> act(fence_order order, rt::deadline until) override;
    asio::awaitable<rung_report> observe(fence_order order, rt::deadline until) override;
    asio::awaitable<rt::result<void>> ready(rt::deadline until) override;
    asio::awaitable<exchange> ask(std::string verb, std::string nonce, rt::deadline until);

    rt::command command_for(const std::string& request, rt::deadline until) const;
    answer answer_in(const program_end& end, std::string_view verb, std::string_view nonce) const;
    rung_report report_not_stopped(const exchange& asked) const;
    rung_report report_no_answer(const program_end& end) const;

    rt::process_runner& runner_;
    const fence_target target_;
    ssh_options options_;
    std::string problem_;
};

rt::command ssh_driver::command_for(const std::string& request, rt::deadline until) const {
    const auto left = std::chrono::ceil<std::chrono::seconds>(until.left()).count();
    const auto connect = std::clamp<std::int64_t>(left, 1, 5);
    rt::command what;
    what.argv = {"ssh", "-F", "none", "-T", "-n"};
    for (const std::string& option :
         {std::string("BatchMode=yes"), fmt::format("ConnectTimeout={}", connect),
          std::string("ConnectionAttempts=1"), std::string("ServerAliveInterval=2"),
          std::string("ServerAliveCountMax=2"), std::string("StrictHostKeyChecking=yes"),
          "UserKnownHostsFile=" + options_.known_hosts, std::string("GlobalKnownHostsFile=none"),
          std::string("IdentitiesOnly=yes"), std::string("ControlMaster=no"),
          std::string("ControlPath=none"), std::string("ForwardAgent=no"),
          std::string("ClearAllForwardings=yes"), std::string("GSSAPIAuthentication=no"),
          std::string("UpdateHostKeys=no"), std::string("PermitLocalCommand=no"),
          std::string("LogLevel=ERROR")}) {
        what.argv.push_back("-o");
        what.argv.push_back(option);
    }
    for (const std::string& word :
         {std::string("-i"), options_.key, std::string("-p"), std::to_string(options_.port),
          std::string("-l"), options_.user, std::string("--"), options_.host, request})
        what.argv.push_back(word);
    what.environment = {{"LC_ALL", "C"}};
    what.inherited = {"PATH"};
    return what;
}

answer ssh_driver::answer_in(const program_end& end, std::string_view verb,
                             std::string_view nonce) const {
    const std::string_view done = verb == "status" ? "STOPPED" : "FENCED";
    if (end.exited_with(0) &&
        has_line(end.output, fmt::format("{} {} {}", done, nonce, target_.server)))
        return answer::done;
    if (end.exited_with(1) &&
        has_line(end.output, fmt::format("RUNNING {} {}", nonce, target_.server)))
        return answer::running;
    if (end.exited_with(2) && has_line(end.output, fmt::format("REFUSED {}", nonce)))
        return answer::refused;
    if (end.exited_with(3) &&
        has_line(end.output, fmt::format("UNKNOWN {} {}", nonce, target_.server)))
        return answer::unclear;
    return answer::no_answer;
}

asio::awaitable<exchange> ssh_driver::ask(std::string verb, std::string nonce, rt::deadline until) {
    exchange asked;
    auto what = command_for(verb + " " + nonce, until);
    asked.end = co_await run_program(runner_, std::move(what), until);
    asked.said = answer_in(asked.end, verb, nonce);
    co_return asked;
}

// Nothing with our nonce came back.
rung_report ssh_driver::report_no_answer(const program_end& end) const {
    if (!end.code) return not_ended_report(end);
    if (*end.code == ssh_error) {
        const early_end early = early_end_of(end.errors, options_);
        if (early.reason == rung_failure::timeout)
            return report_of(rung_outcome::unknown, early.reason, early.advice);
        if (early.reason != rung_failure::none)
            return report_of(rung_outcome::failed, early.reason, early.advice);
        return report_of(rung_outcome::unknown, rung_failure::unreachable,
                         fmt::format("the connection to {} was lost before an answer came{}",
                                     options_.host, last_line(end.errors)));
    }
    if (*end.code == 127) {
        return report_of(rung_outcome::unknown, rung_failure::not_found,
                         fmt::format("{} does not find the forced command; install "
                                     "primacy-fence-host there{}",
                                     options_.host, last_line(end.errors)));
    }
    return report_of(rung_outcome::unknown, rung_failure::protocol,
                     fmt::format("{} did not answer as primacy-fence-host for {} does ({}); see "
                                 "command= in its authorized_keys and `server` in its "
                                 "fence-host.toml{}",
                                 options_.host, target_.server, end.how, last_line(end.errors)));
}

rung_report ssh_driver::report_not_stopped(const exchange& asked) const {
    switch (asked.said) {
        case answer::running:
            return report_of(rung_outcome::unknown, rung_failure::still_alive,
                             fmt::format("{} answers that {} still runs{}", options_.host,
                                         target_.server, last_line(asked.end.errors)));
        case answer::refused:
            return report_of(rung_outcome::failed, rung_failure::refused,
                             fmt::format("primacy-fence-host on {} refused and did nothing{}",
                                         options_.host, last_line(asked.end.errors)));
        case answer::unclear:
            return report_of(
                rung_outcome::unknown, rung_failure::protocol,
                fmt::format("primacy-fence-host on {} cannot tell whether {} "
                            "runs{}",
                            options_.host, target_.server, last_line(asked.end.errors)));
        default: return report_no_answer(asked.end);
    }
}

asio::awaitable<rung_report> ssh_driver::act(fence_order order, rt::deadline until) {
    if (!problem_.empty())
        co_return report_of(rung_outcome::failed, rung_failure::internal, problem_);
    if (!is_token(order.nonce)) co_return bad_order_report();
    rt::checkpoint("ssh.stop");
    if (!allowed(order.may_act)) co_return not_allowed_report(target_.server, false);
    const exchange stopped = co_await ask("stop", order.nonce, until);
    rt::checkpoint("ssh.stop_answered");
    if (stopped.said != answer::done) co_return report_not_stopped(stopped);
    const exchange looked = co_await ask("status", order.nonce, until);
    rt::checkpoint("ssh.looked");
    if (looked.said == answer::done) {
        auto report = report_of(rung_outcome::confirmed, rung_failure::none,
                                fmt::format("{} was stopped on {}, and a second connection found "
                                            "it gone",
                                            target_.server, options_.host));
        report.facts = {{"ssh", "stopped"}};
        co_return report;
    }
    auto report = report_not_stopped(looked);
    // The stop was acknowledged: whatever goes wrong now, it had an effect.
    report.outcome = rung_outcome::unknown;
    report.sentence = looked.said == answer::running
                          ? fmt::format(
                                "{} was stopped on {} and runs again; something there "
                                "starts it anew",
                                target_.server, options_.host)
                          : fmt::format(
                                "{} says that {} was stopped, and the second look failed: "
                                "{}",
                                options_.host, target_.server, report.sentence);
    co_return report;
}

asio::awaitable<rung_report> ssh_driver::observe(fence_order order, rt::deadline until) {
    if (!problem_.empty())
        co_return report_of(rung_outcome::unknown, rung_failure::internal, problem_);
    if (!is_token(order.nonce)) {
        auto report = bad_order_report();
        report.outcome = rung_outcome::unknown;
        co_return report;
    }
    const exchange looked = co_await ask("status", order.nonce, until);
    if (looked.said == answer::done)
        co_return report_of(rung_outcome::confirmed, rung_failure::none,
                            fmt::format("{} does not run on {}", target_.server, options_.host));
    auto report = report_not_stopped(looked);
    report.outcome = looked.said == answer::running ? rung_outcome::failed : rung_outcome::unknown;
    co_return report;
}

asio::awaitable<rt::result<void>> ssh_driver::ready(rt::deadline until) {
    if (!problem_.empty()) co_return rt::error{rt::errc::config, 0, problem_};
    const exchange asked = co_await ask("status", "check", until);
    if (asked.said == answer::done || asked.said == answer::running) co_return rt::result<void>{};
    co_return error_of(report_not_stopped(asked));
}

}  // namespace

std::unique_ptr<driver> make_ssh_driver(rt::process_runner& runner, fence_target target,
                                        ssh_options options) {
    return std::make_unique<ssh_driver>(runner, std::move(target), std::move(options));
}

}  // namespace primacy::fencing
