#include "osc/gh_ost_output.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/osc/transcript.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <map>

using namespace primacy::osc;
using namespace primacy::tests;
using namespace std::chrono_literals;

namespace {

using cause = gh_ost_throttle_cause;

std::string lag_text(std::optional<double> seconds) {
    if (!seconds) return "9223372036.85s";
    char text[40];
    std::snprintf(text, sizeof text, "%.2fs", *seconds);
    return text;
}

std::string go_text(std::chrono::seconds length) {
    const auto all = length.count();
    std::string text;
    if (all >= 3600) text += std::to_string(all / 3600) + "h";
    if (all >= 60) text += std::to_string(all / 60 % 60) + "m";
    return text + std::to_string(all % 60) + "s";
}

std::string eta_text(const gh_ost_eta& eta) {
    if (eta.what == gh_ost_eta::form::unknown) return "N/A";
    return eta.what == gh_ost_eta::form::due ? "due" : go_text(eta.time);
}

// As gh-ost prints it; of an older one there is no HeartbeatLag.
std::string print(const gh_ost_status& status, bool has_heartbeat_lag) {
    char percent[64];
    std::snprintf(percent, sizeof percent, "%.1f%%", status.percent);
    std::string text = "Copy: " + std::to_string(status.rows_copied) + "/" +
                       std::to_string(status.rows_estimated) + " " + percent +
                       "; Applied: " + std::to_string(status.events_applied) +
                       "; Backlog: " + std::to_string(status.backlog) + "/" +
                       std::to_string(status.backlog_capacity) +
                       "; Time: " + go_text(status.elapsed) + "(total), " +
                       go_text(status.copy_elapsed) + "(copy); streamer: " + status.streamer +
                       "; Lag: " + lag_text(status.lag_seconds) + ", ";
    if (has_heartbeat_lag) text += "HeartbeatLag: " + lag_text(status.heartbeat_lag_seconds) + ", ";
    return text + "State: " + status.state_text + "; ETA: " + eta_text(status.eta);
}

gh_ost_status parsed(const std::string& line) {
    const auto status = parse_gh_ost_status(line);
    REQUIRE_MESSAGE(status, line);
    return *status;
}

// The status line of 1.1.x with this state.
std::string with_state(const std::string& state, const std::string& eta = "2h15m0s") {
    return "Copy: 42500000/100000000 42.5%; Applied: 1234567; Backlog: 0/1000; Time: "
           "1h40m0s(total), 1h39m50s(copy); streamer: mb.000123:456; Lag: 0.50s, HeartbeatLag: "
           "0.52s, State: " +
           state + "; ETA: " + eta;
}

gh_ost_throttle throttle_of(const std::string& reason) {
    const auto status = parsed(with_state("throttled, " + reason));
    CHECK(status.state == gh_ost_state::throttled);
    REQUIRE(status.throttle);
    CHECK(status.throttle->reason == reason);
    return *status.throttle;
}

}  // namespace

TEST_CASE("every figure of a status line") {
    const auto status = parsed(with_state("migrating"));
    CHECK(status.rows_copied == 42'500'000);
    CHECK(status.rows_estimated == 100'000'000);
    CHECK(status.percent == 42.5);
    CHECK(status.events_applied == 1'234'567);
    CHECK(status.backlog == 0);
    CHECK(status.backlog_capacity == 1000);
    CHECK(status.elapsed == 100min);
    CHECK(status.copy_elapsed == 99min + 50s);
    CHECK(status.streamer == "mb.000123:456");
    CHECK(status.lag_seconds == 0.5);
    CHECK(status.heartbeat_lag_seconds == 0.52);
    CHECK(status.state == gh_ost_state::migrating);
    CHECK(!status.throttle);
    CHECK(status.eta == gh_ost_eta{gh_ost_eta::form::left, 2h + 15min});
}

TEST_CASE("up to 1.1.0 there is no HeartbeatLag") {
    const auto status = parsed(
        "Copy: 10/20 50.0%; Applied: 3; Backlog: 1/100; Time: 2s(total), 1s(copy); streamer: "
        "mysql-bin.002587:4348; Lag: 0.31s, State: throttled, flag-file; ETA: 1s");
    CHECK(status.lag_seconds == 0.31);
    CHECK(!status.heartbeat_lag_seconds);
    REQUIRE(status.throttle);
    CHECK(status.throttle->cause == cause::flag_file);
}

TEST_CASE("a streamer's position may be a GTID set") {
    for (const std::string streamer : {"0-1-100", "0-1-100,1-2-7",
                                       "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11-18,"
                                       "4e11fa47-71ca-11e1-9e33-c80aa9429562:1-77",
                                       "", "mb; odd, name.000002:7"}) {
        auto status = parsed(with_state("migrating"));
        status.streamer = streamer;
        CHECK(parsed(print(status, true)) == status);
    }
}

TEST_CASE("more than all, less than nothing, and nothing of nothing") {
    auto status = parsed(with_state("migrating"));
    status.rows_copied = 104'300;
    status.rows_estimated = 100'000;
    status.percent = 104.3;
    CHECK(parsed(print(status, true)) == status);
    status.rows_estimated = -12;
    status.percent = -869166.7;
    CHECK(parsed(print(status, true)) == status);
    status.rows_copied = 0;
    status.rows_estimated = 0;
    status.percent = 100;
    CHECK(parsed(print(status, true)) == status);
}

TEST_CASE("the lag of a heartbeat that was never seen is unknown, not 292 years") {
    auto status = parsed(with_state("migrating"));
    status.lag_seconds = std::nullopt;
    status.heartbeat_lag_seconds = std::nullopt;
    const auto line = print(status, true);
    CHECK(line.find("Lag: 9223372036.85s, HeartbeatLag: 9223372036.85s") != std::string::npos);
    CHECK(parsed(line) == status);
    status.lag_seconds = -0.02;
    CHECK(parsed(print(status, true)).lag_seconds == -0.02);
}

TEST_CASE("an ETA is unknown, due or a time") {
    CHECK(parsed(with_state("migrating", "N/A")).eta.what == gh_ost_eta::form::unknown);
    CHECK(parsed(with_state("migrating", "due")).eta.what == gh_ost_eta::form::due);
    CHECK(parsed(with_state("migrating", "146h50m49s")).eta.time == 146h + 50min + 49s);
    for (const char* eta : {"", "n/a", "never", "146h50m", "12", "throttled", "-5s"})
        CHECK_MESSAGE(!parse_gh_ost_status(with_state("migrating", eta)), eta);
}

TEST_CASE("states, those of versions to come too") {
    CHECK(parsed(with_state("counting rows")).state == gh_ost_state::counting_rows);
    CHECK(parsed(with_state("postponing cut-over", "due")).state == gh_ost_state::postponing);
    const auto other = parsed(with_state("analyzing ghost table"));
    CHECK(other.state == gh_ost_state::other);
    CHECK(other.state_text == "analyzing ghost table");
    CHECK(!parse_gh_ost_status(with_state("")));
}

TEST_CASE("reasons to throttle") {
    CHECK(throttle_of("commanded by user").cause == cause::commanded_by_user);
    CHECK(throttle_of("flag-file").cause == cause::flag_file);
    CHECK(throttle_of("leaving hibernation").cause == cause::leaving_hibernation);
    CHECK(throttle_of("throttle-query").cause == cause::query);
    CHECK(throttle_of("critical-load-hibernate until 2026-11-21 21:05:46.1 +0000 UTC").cause ==
          cause::critical_load_hibernate);
    CHECK(throttle_of("Threads_runing Error 1045 (28000): Access denied").cause == cause::other);
    CHECK(throttle_of("a word to come").cause == cause::other);

    const auto load = throttle_of("max-load Threads_running=26 >= 25");
    CHECK(load.cause == cause::max_load);
    CHECK(load.variable == "Threads_running");
    CHECK(load.value == 26);
    CHECK(load.limit == 25);

    const auto lag = throttle_of("lag=2.483039s");
    CHECK(lag.cause == cause::lag);
    CHECK(lag.lag_seconds == 2.483039);
}

TEST_CASE("reasons to throttle that came by HTTP") {
    const auto too_many = throttle_of("Too many requests (http=429)");
    CHECK(too_many.cause == cause::http);
    CHECK(too_many.http_status == 429);
    CHECK(throttle_of("http=503").http_status == 503);
    CHECK(throttle_of("http=503").cause == cause::http);
    CHECK(throttle_of("Connection error (http=-1)").http_status == -1);
    const auto freno = throttle_of("freno: threshold exceeded (http=429)");
    CHECK(freno.cause == cause::freno);
    CHECK(freno.http_status == 429);
    CHECK(throttle_of("http=5x3").cause == cause::other);
    CHECK(!throttle_of("http=5x3").http_status);
}

TEST_CASE("reasons to throttle that are a control replica's") {
    const auto lag = throttle_of("db2.example:3306 replica-lag=2.003250s");
    CHECK(lag.cause == cause::replica_lag);
    CHECK(lag.replica == "db2.example:3306");
    CHECK(lag.lag_seconds == 2.00325);

    const auto gone = throttle_of("127.0.0.1:3 dial tcp 127.0.0.1:3: connect: connection refused");
    CHECK(gone.cause == cause::replica_unreachable);
    CHECK(gone.replica == "127.0.0.1:3");
    CHECK(throttle_of("2001:db8::1:3306 dial tcp: i/o timeout").replica == "2001:db8::1:3306");
    CHECK(throttle_of("db2:3306 invalid connection").cause == cause::replica_unreachable);
    CHECK(throttle_of("db2:3306 EOF").cause == cause::replica_unreachable);

    const auto error =
        throttle_of("127.0.0.1:33202 Error 1146 (42S02): Table 'app._t_ghc' doesn't exist");
    CHECK(error.cause == cause::replica_error);
    CHECK(error.replica == "127.0.0.1:33202");
    CHECK(throttle_of("db2:3306 Error 1040: Too many dial tcp").cause == cause::replica_error);
    CHECK(throttle_of("db2 replica-lag=2.0s").cause == cause::other);
}

TEST_CASE("reasons that a real gh-ost gave") {
    std::map<cause, int> seen;
    for (const auto& line : transcript("gh-ost-head-throttle-reasons.stdout")) {
        const auto status = parse_gh_ost_status(line);
        if (status && status->throttle) ++seen[status->throttle->cause];
    }
    CHECK(seen == std::map<cause, int>{{cause::commanded_by_user, 3},
                                       {cause::flag_file, 4},
                                       {cause::max_load, 3},
                                       {cause::query, 4},
                                       {cause::http, 8},
                                       {cause::freno, 3},
                                       {cause::replica_unreachable, 5}});
}

TEST_CASE("a state may quote what looks like the end of the line") {
    const std::string reason = "db2:3306 Error 1064: near '; ETA: 5s', State: migrating; ETA: due'";
    const auto status = parsed(with_state("throttled, " + reason, "7m3s"));
    CHECK(status.eta.time == 7min + 3s);
    REQUIRE(status.throttle);
    CHECK(status.throttle->reason == reason);
}

TEST_CASE("each status line of the transcripts is read, to the letter") {
    std::size_t seen = 0;
    for (const auto& name : gh_ost_transcripts) {
        for (const auto& line : transcript(name)) {
            if (!line.starts_with("Copy: ")) continue;
            CHECK(print(parsed(line), true) == line);
            ++seen;
        }
    }
    CHECK(seen == 146);
}

TEST_CASE("a status line that was cut, anywhere, is none") {
    for (const auto& name : gh_ost_transcripts) {
        for (const auto& line : transcript(name)) {
            if (!line.starts_with("Copy: ")) continue;
            for (std::size_t length = 0; length < line.size(); ++length) {
                REQUIRE_MESSAGE(!parse_gh_ost_status(line.substr(0, length)),
                                line.substr(0, length));
                REQUIRE_MESSAGE(!parse_gh_ost_status(line.substr(line.size() - length)),
                                line.substr(line.size() - length));
            }
        }
    }
}

TEST_CASE("the copies on stderr, broken in 1.1.6, are not taken for progress") {
    for (const auto& line : transcript("gh-ost-1.1.6.stderr")) {
        CHECK(!parse_gh_ost_status(line));
        CHECK(!parse_gh_ost_status(line.substr(std::min(line.size(), line.find("Copy: ")))));
    }
}

TEST_CASE("whatever gh-ost may print is read back") {
    auto random = seeded_random();
    const std::string reasons[] = {"migrating",
                                   "counting rows",
                                   "postponing cut-over",
                                   "throttled, flag-file",
                                   "throttled, a; ETA: N/A; Lag: 1s, ",
                                   "throttled, lag=12.000001s",
                                   "analyzing"};
    for (int round = 0; round < 2000; ++round) {
        const auto below = [&random](std::uint64_t limit) { return random() % limit; };
        gh_ost_status status;
        status.rows_copied = random() >> below(64);
        status.rows_estimated = static_cast<std::int64_t>(random() >> below(64));
        status.percent = static_cast<double>(below(3000)) / 10 - 100;
        status.events_applied = random() >> below(64);
        status.backlog = below(1000);
        status.backlog_capacity = 1000;
        status.elapsed = std::chrono::seconds(below(1'000'000));
        status.copy_elapsed = std::chrono::seconds(below(1'000'000));
        status.streamer = "mb.000001:" + std::to_string(below(1'000'000));
        if (below(5) != 0) status.lag_seconds = (static_cast<double>(below(100'000)) - 500) / 100;
        if (below(5) != 0) status.heartbeat_lag_seconds = static_cast<double>(below(1000)) / 100;
        status.state_text = reasons[below(std::size(reasons))];
        if (below(3) != 0)
            status.eta = {gh_ost_eta::form::left, std::chrono::seconds(below(1'000'000))};
        const auto line = print(status, true);
        const auto found = parsed(line);
        REQUIRE(print(found, true) == line);
        REQUIRE(found.rows_copied == status.rows_copied);
        REQUIRE(found.lag_seconds == status.lag_seconds);
        REQUIRE(found.eta == status.eta);
    }
}
