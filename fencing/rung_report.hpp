// What one rung of a fence ladder came to: the words that drivers, the ladder, the journal and
// the metrics share. Pure; knows no driver.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace primacy::fencing {

// Everything but `confirmed` goes on to the next rung (design §5).
enum class rung_outcome {
    confirmed,  // fresh evidence, by a new connection or a device's own status, that it is stopped
    partial,    // ordinary accounts cannot write any more, accounts that bypass read_only can
    failed,     // it certainly had no effect, and will have none
    unknown     // a timeout, a broken connection, a lost answer: it may have had an effect, or may
                // still have one
};
std::string_view to_string(rung_outcome outcome) noexcept;
// Of two rungs of one ladder, which outcome tells what the ladder has come to: confirmed, partial,
// unknown, failed. What is unknown may still stop the server; what failed says nothing of others.
bool outweighs(rung_outcome one, rung_outcome other) noexcept;

// Why a rung did not confirm; a metric label, so the set is fixed.
enum class rung_failure {
    none,         // it confirmed
    timeout,      // no end before the deadline
    unreachable,  // refused, no route, no such name
    denied,       // the device or server does not let us in, or not do this
    tls,          // ssh host key or certificate is not the expected one
    refused,      // it understood, and said no
    protocol,     // it answered what we do not understand
    still_alive,  // it said done, and fresh evidence says otherwise
    bypass,       // accounts that write through read_only remain
    not_found,    // the program, or the thing to fence, does not exist
    cancelled,    // we were told to stop: the lease was lost, or the agent ends
    internal      // a fault of ours
};
std::string_view to_string(rung_failure reason) noexcept;
const std::vector<rung_failure>& all_rung_failures();

struct rung_report {
    rung_outcome outcome = rung_outcome::unknown;
    rung_failure reason = rung_failure::internal;
    std::string sentence;  // for a person: what was done and what proves it, or why not. No secret.
    // What the journal keeps beside it: ("gtid", "0-1-105"), ("binlog", "binlog.000007:4711"),
    // ("killed_sessions", "12"), ("power", "off") … Values are plain text without secrets.
    std::vector<std::pair<std::string, std::string>> facts;
};

// What a later look says of an act whose own end nobody knows. Seen running, the server may still
// be stopped by it (S7): that is unknown, not failed.
rung_report after_unknown_act(rung_report look);

}  // namespace primacy::fencing
