// What would be done for a schema change, by which tool, and why; and why it must not be done, if
// so. `osc plan` prints it, `osc run` carries out this very plan. A pure function of what was asked
// and what is known; what is not known is said and never taken for fine.
#pragma once

#include "osc/alter.hpp"
#include "osc/facts.hpp"
#include "osc/native.hpp"
#include "osc/spec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

// Why it must not be done. `code` is what a person gives to --allow to have it done all the same.
struct refusal {
    std::string code;
    std::string reason;          // one sentence that says what to do
    bool may_be_allowed = true;  // false: no word of a person makes it possible
};

struct warning {
    std::string code;
    std::string reason;
};

// A tool that was looked at, and what came of it.
struct considered_tool {
    tool which = tool::native;
    bool usable = false;
    std::string reason;  // a clause
};

struct estimate {
    std::optional<std::uint64_t> rows;
    std::optional<std::uint64_t> bytes;  // what the copy needs on each server
    std::optional<std::chrono::seconds> duration;
    std::string basis;  // what the duration rests on
};

struct plan {
    job_spec spec;
    alter_request alter;
    std::vector<refusal> refusals;  // those that were not allowed
    std::vector<warning> warnings;  // and those that were
    std::vector<considered_tool> considered;
    std::optional<tool> chosen;                           // absent: none can do it
    native_algorithm algorithm = native_algorithm::none;  // of native
    estimate expected;
    std::string writer;                 // the server that it runs on
    server_side writer_side;            // and what is known of it
    std::vector<std::string> replicas;  // whose lag counts
    table_facts table;                  // as it was seen
    tool_facts with;                    // the chosen tool, if it is a program

    bool may_run() const noexcept { return chosen && refusals.empty(); }
};

plan plan_change(const job_spec& asked, const facts& known);

// Every code that a plan can refuse with and a person can allow, for --help and for checking what
// was typed.
const std::vector<std::string_view>& codes_to_allow();

}  // namespace primacy::osc
