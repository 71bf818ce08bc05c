#include "osc/throttle.hpp"

#include "checks/words.hpp"

#include <algorithm>
#include <cmath>

namespace primacy::osc {

namespace {

using cause = throttle_cause;

// "1.2 s", "12.3 s": one decimal, whatever the size.
std::string seconds_text(double seconds) {
    const auto tenths = static_cast<std::int64_t>(std::llround(std::clamp(seconds, 0.0, 1e9) * 10));
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

bool is_known(const throttle_lag& one) {
    return one.seconds && std::isfinite(*one.seconds);
}

bool is_good_lag(const throttle_lag& one, double limit) {
    return is_known(one) && *one.seconds <= limit;
}

bool is_good_load(const throttle_load& one, double part) {
    return one.value && static_cast<double>(*one.value) < part * static_cast<double>(one.limit);
}

// Whether every reading is known and below this part of its limit.
bool all_below(const throttle_input& seen, const throttle_policy& policy, double part) {
    return std::all_of(seen.lags.begin(), seen.lags.end(),
                       [&](const auto& one) {
                           return is_good_lag(one, part * policy.lag_limit_seconds);
                       }) &&
           std::all_of(seen.loads.begin(), seen.loads.end(),
                       [part](const auto& one) { return is_good_load(one, part); });
}

const throttle_lag* worst_lag(const std::vector<throttle_lag>& lags) {
    const throttle_lag* worst = nullptr;
    for (const auto& one : lags) {
        if (!is_known(one)) continue;
        if (worst == nullptr || *one.seconds > *worst->seconds) worst = &one;
    }
    return worst;
}

throttle_answer refuse(int status, cause why, std::string subject, std::string message) {
    throttle_answer answer;
    answer.http_status = status;
    answer.message = std::move(message);
    answer.cause = why;
    answer.subject = std::move(subject);
    return answer;
}

throttle_answer unknown_lag(const throttle_lag& one) {
    std::string why = one.unknown_because.empty() ? "" : ": " + one.unknown_because;
    return refuse(500, cause::lag_unknown, one.server,
                  "the lag of " + one.server + " is not known" + std::move(why));
}

throttle_answer too_much_load(const throttle_load& one) {
    auto answer = refuse(429, cause::load, one.variable,
                         one.variable + " is " + std::to_string(*one.value) + " (limit " +
                             std::to_string(one.limit) + ")");
    answer.value = static_cast<double>(*one.value);
    answer.threshold = static_cast<double>(one.limit);
    return answer;
}

// What forbids copying whatever the readings are.
std::optional<throttle_answer> forbidden(const throttle_input& seen) {
    switch (seen.writer) {
        case writer_sight::split_brain_confirmed:
            return refuse(417, cause::split_brain_confirmed, "",
                          "more than one server of the topology takes writes");
        case writer_sight::split_brain_suspected:
            return refuse(417, cause::split_brain_suspected, "",
                          "more than one server of the topology may be taking writes");
        case writer_sight::unknown:
            return refuse(500, cause::writer_unknown, "",
                          "it is not known which server takes writes");
        case writer_sight::clear: break;
    }
    if (seen.paused_by_user)
        return refuse(417, cause::paused_by_user, "", "the job is paused by a person");
    if (seen.maintenance)
        return refuse(417, cause::maintenance, "", "the topology is in maintenance");
    return std::nullopt;
}

std::optional<throttle_answer> over_limit(const throttle_input& seen,
                                          const throttle_policy& policy) {
    for (const auto& one : seen.lags) {
        if (!is_known(one)) return unknown_lag(one);
    }
    for (const auto& one : seen.loads) {
        if (!one.value)
            return refuse(500, cause::load_unknown, one.variable,
                          one.variable + " could not be read");
    }
    const auto* worst = worst_lag(seen.lags);
    if (worst != nullptr && !is_good_lag(*worst, policy.lag_limit_seconds))
        return refuse(429, cause::lag, worst->server,
                      worst->server + " lags by " + seconds_text(*worst->seconds) + " (limit " +
                          seconds_text(policy.lag_limit_seconds) + ")");
    for (const auto& one : seen.loads) {
        if (!is_good_load(one, 1)) return too_much_load(one);
    }
    return std::nullopt;
}

// Two writers, or not knowing: these come and go with single polls, so that they need the hold.
bool is_alarm(cause why) {
    return why == cause::split_brain_confirmed || why == cause::split_brain_suspected ||
           why == cause::writer_unknown || why == cause::lag_unknown || why == cause::load_unknown;
}

void follow(std::optional<checks::moment>& since, bool holds, checks::moment now) {
    if (!holds)
        since.reset();
    else if (!since)
        since = now;
}

void follow_readings(const throttle_input& seen, const throttle_policy& policy,
                     throttle_state& state) {
    // Whoever else may write: only the hold counts after that.
    const bool clear = seen.writer == writer_sight::clear;
    follow(state.good_since, clear && all_below(seen, policy, 1), seen.at);
    follow(state.calm_since, all_below(seen, policy, policy.release), seen.at);
}

bool has_settled(const throttle_input& seen, const throttle_policy& policy,
                 const throttle_state& state) {
    if (state.good_since && seen.at - *state.good_since >= policy.hold) return true;
    return !state.needs_hold && state.calm_since && seen.at - *state.calm_since >= policy.settle;
}

throttle_answer still_settling(const throttle_policy& policy, const throttle_state& state) {
    std::string message = "throttled before by " + std::string(to_string(state.because)) +
                          "; all is below its limit, but not yet for " +
                          checks::words::seconds(policy.hold);
    return refuse(429, cause::settling, "", std::move(message));
}

throttle_answer judge(const throttle_input& seen, const throttle_policy& policy,
                      throttle_state& state) {
    follow_readings(seen, policy, state);
    auto against = forbidden(seen);
    if (!against) against = over_limit(seen, policy);
    if (against) {
        state.throttled = true;
        state.because = against->cause;
        state.needs_hold = state.needs_hold || is_alarm(against->cause);
        return *std::move(against);
    }
    if (state.throttled && !has_settled(seen, policy, state)) return still_settling(policy, state);
    state.throttled = false;
    state.because = cause::none;
    state.needs_hold = false;
    throttle_answer go;
    go.http_status = 200;
    return go;
}

}  // namespace

std::string_view to_string(throttle_cause why) noexcept {
    switch (why) {
        case cause::none: return "none";
        case cause::no_such_job: return "no such job";
        case cause::split_brain_confirmed: return "split brain";
        case cause::split_brain_suspected: return "suspected split brain";
        case cause::writer_unknown: return "unknown writer";
        case cause::paused_by_user: return "user";
        case cause::maintenance: return "maintenance";
        case cause::lag_unknown: return "unknown lag";
        case cause::load_unknown: return "unknown load";
        case cause::lag: return "lag";
        case cause::load: return "load";
        case cause::settling: return "settling";
    }
    return "none";
}

throttle_answer decide_throttle(const throttle_input& seen, const throttle_policy& policy,
                                throttle_state& state) {
    if (!seen.job_exists) {
        auto answer = refuse(404, cause::no_such_job, "", "there is no such job");
        answer.cut_over_refused_because = answer.message;
        return answer;
    }
    auto answer = judge(seen, policy, state);
    if (answer.cause != cause::load) {
        const auto* worst = worst_lag(seen.lags);
        answer.value = worst == nullptr ? 0 : *worst->seconds;
        answer.threshold = policy.lag_limit_seconds;
    }
    answer.cut_over_allowed = answer.go() && !seen.window_closed;
    if (!answer.go())
        answer.cut_over_refused_because = answer.message;
    else if (seen.window_closed)
        answer.cut_over_refused_because = "the cut-over's window is closed";
    return answer;
}

}  // namespace primacy::osc
