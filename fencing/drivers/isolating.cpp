#include "fencing/drivers/isolating.hpp"

#include "fencing/drivers/program.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace primacy::fencing {

namespace asio = boost::asio;

rung_report isolated_report(const fence_target& target, std::string_view sentence) {
    return report_of(rung_outcome::partial, rung_failure::bypass,
                     fmt::format("{}; {} itself was not touched and may still take writes "
                                 "another way",
                                 sentence, target.server));
}

rung_failure failure_of(rt::errc code) noexcept {
    switch (code) {
        case rt::errc::refused:
        case rt::errc::unreachable:
        case rt::errc::dns:
        case rt::errc::lost: return rung_failure::unreachable;
        case rt::errc::timeout: return rung_failure::timeout;
        case rt::errc::denied:
        case rt::errc::too_many_connections: return rung_failure::denied;
        case rt::errc::tls: return rung_failure::tls;
        case rt::errc::query: return rung_failure::refused;
        case rt::errc::protocol:
        case rt::errc::limit: return rung_failure::protocol;
        case rt::errc::cancelled: return rung_failure::cancelled;
        case rt::errc::config: return rung_failure::not_found;
        default: return rung_failure::internal;
    }
}

rung_report error_report(const rt::error& failure, bool acted) {
    // Whoever waits in vain for an answer does not know what the silence means.
    const bool unclear = acted || failure.code == rt::errc::timeout ||
                         failure.code == rt::errc::lost || failure.code == rt::errc::cancelled;
    return report_of(unclear ? rung_outcome::unknown : rung_outcome::failed,
                     failure_of(failure.code), failure.message);
}

rung_report as_look(rung_report report) {
    const bool certain =
        report.outcome == rung_outcome::partial || report.reason == rung_failure::still_alive;
    if (!certain) report.outcome = rung_outcome::unknown;
    return report;
}

bool is_plain_name(std::string_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.' || c == ':';
    });
}

asio::awaitable<void> pause(std::chrono::milliseconds length, rt::deadline until) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_at(until.sooner(rt::deadline::after(length)).at);
    auto [ended] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    static_cast<void>(ended);
}

}  // namespace primacy::fencing
