// What the agent knows of a topology at one moment: for each server the newest attempt to read it,
// good or bad, and the last good one. The input of every judgement; nothing in it is "now".
#pragma once

#include "checks/moment.hpp"
#include "checks/server_facts.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::checks {

// Why a server could not be read. `alive` classes come from a server that runs.
enum class probe_failure {
    none,                  // it was read
    not_yet,               // no attempt has ended yet
    refused,               // its host answers, nobody listens
    unreachable,           // no route
    timeout,               // no answer in time
    dns,                   // its name does not resolve
    denied,                // alive: it does not let our account in
    too_many_connections,  // alive: no connection left
    lost,                  // the connection broke in the middle
    tls,                   // no agreement on encryption
    protocol,              // it sent what no server should send
    query,                 // alive: it refused one of our statements
    internal               // a fault of ours
};
std::string_view to_string(probe_failure failure) noexcept;
// A failure that only a living server can cause: unknown, but certainly not dead.
bool alive_but_unreadable(probe_failure failure) noexcept;

// One finished attempt. `number` grows by one with each attempt at this server, so that the same
// evidence is never counted twice.
struct attempt {
    std::uint64_t number = 0;
    moment started_at{};
    moment finished_at{};
    probe_failure failure = probe_failure::not_yet;
    std::string error;                          // one sentence; empty when it was read
    std::shared_ptr<const server_facts> facts;  // null unless it was read

    bool good() const noexcept { return failure == probe_failure::none && facts != nullptr; }
};

struct server_view {
    std::string name;
    std::string address;  // "10.0.0.1:3306" or a socket's path
    std::string host;
    std::uint16_t port = 0;
    attempt newest;
    attempt last_good;    // for display, and as the earlier reading that GTID proofs need
    attempt before_good;  // the good one before last_good
};

struct observation {
    moment at{};
    std::vector<server_view> servers;  // in the order of the configuration
};

// The rules that a person set for one topology; see design §7 for the defaults' reasons.
struct judging_policy {
    duration poll_interval = std::chrono::seconds(1);
    duration probe_timeout = std::chrono::seconds(2);
    int confirm_polls = 3;
    duration confirm_for = std::chrono::seconds(2);
    int expected_writers = 1;
    duration lag_warn = std::chrono::seconds(30);
    duration clock_skew_warn = std::chrono::seconds(2);

    // A good reading is evidence for this long after it began; two polls, and what one may take.
    duration stale_after() const noexcept { return 2 * poll_interval + probe_timeout; }
    // The longest pause between two readings of a majority that still counts as unbroken watch: one
    // missed poll. Doubt is cheap (the next poll that sees one writer ends it), false certainty is
    // not: no failover is done in so short a time.
    duration watch_gap() const noexcept { return 5 * poll_interval / 2; }
};

}  // namespace primacy::checks
