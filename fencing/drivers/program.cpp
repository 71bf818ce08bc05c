#include "fencing/drivers/program.hpp"

#include "agent/rt/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

constexpr std::size_t longest_quote = 300;
constexpr std::size_t longest_token = 64;
// A program that is told to end has this long; what it started to do is unknown either way.
constexpr std::chrono::milliseconds program_grace{1000};

program_end without_report(const rt::error& failure) {
    program_end end;
    end.how = failure.message;
    switch (failure.code) {
        case rt::errc::cancelled: end.failure = rung_failure::cancelled; break;
        case rt::errc::timeout:
            end.failure = rung_failure::timeout;
            end.started = false;
            break;
        case rt::errc::internal: end.failure = rung_failure::internal; break;
        default:
            end.failure = rung_failure::not_found;
            end.started = false;
            break;
    }
    return end;
}

program_end from_report(rt::exit_report& report, std::string_view program) {
    program_end end;
    end.how = fmt::format("{} {}", program, rt::describe(report));
    end.output = std::move(report.output.text);
    end.errors = std::move(report.errors.text);
    if (const auto* exited = std::get_if<rt::exited>(&report.ending))
        end.code = exited->code;
    else if (std::holds_alternative<rt::timed_out>(report.ending))
        end.failure = rung_failure::timeout;
    else
        end.failure = rung_failure::internal;
    return end;
}

}  // namespace

asio::awaitable<program_end> run_program(rt::process_runner& runner, rt::command what,
                                         rt::deadline until) {
    const std::string& path = what.argv.front();
    const std::string program = path.substr(path.rfind('/') + 1);
    rt::run_limits limits;
    limits.until = until;
    limits.grace = program_grace;
    auto report = co_await runner.run(std::move(what), limits, nullptr);
    if (!report) co_return without_report(report.error());
    co_return from_report(*report, program);
}

rung_report not_ended_report(const program_end& end) {
    // A timeout is never "failed" (S7), not even of a program that was not started any more: the
    // act that used up the time may have been an earlier one.
    const bool certain = !end.started && end.failure != rung_failure::timeout;
    return report_of(certain ? rung_outcome::failed : rung_outcome::unknown, end.failure, end.how);
}

rung_report report_of(rung_outcome outcome, rung_failure reason, std::string sentence) {
    rung_report report;
    report.outcome = outcome;
    report.reason = reason;
    report.sentence = std::move(sentence);
    return report;
}

rt::error error_of(const rung_report& report) {
    auto code = rt::errc::io;
    switch (report.reason) {
        case rung_failure::timeout: code = rt::errc::timeout; break;
        case rung_failure::cancelled: code = rt::errc::cancelled; break;
        case rung_failure::unreachable: code = rt::errc::unreachable; break;
        case rung_failure::denied: code = rt::errc::denied; break;
        case rung_failure::tls: code = rt::errc::tls; break;
        case rung_failure::refused: code = rt::errc::query; break;
        case rung_failure::protocol: code = rt::errc::protocol; break;
        case rung_failure::not_found: code = rt::errc::config; break;
        default: break;
    }
    return {code, 0, report.sentence};
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

bool has_line(std::string_view text, std::string_view line) {
    const auto lines = lines_of(text);
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

std::string last_line(std::string_view text) {
    const auto lines = lines_of(text);
    const auto last = std::find_if(lines.rbegin(), lines.rend(),
                                   [](std::string_view line) { return !trimmed(line).empty(); });
    if (last == lines.rend()) return {};
    std::string shown = rt::valid_utf8(trimmed(*last).substr(0, longest_quote));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }, ' ');
    return ": " + shown;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\v\f";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_token(std::string_view word) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    return !word.empty() && word.size() <= longest_token && word.front() != '-' &&
           word.find_first_not_of(allowed) == word.npos;
}

rung_report bad_order_report() {
    return report_of(rung_outcome::failed, rung_failure::internal,
                     "the order's incident or nonce is not made of a-z, 0-9 and \"-\"; nothing was "
                     "done");
}

}  // namespace primacy::fencing
