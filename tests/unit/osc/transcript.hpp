// What real tools wrote, line by line.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace primacy::tests {

inline std::string transcript_text(const std::string& name) {
    std::ifstream file(PRIMACY_SOURCE_DIRECTORY "/tests/unit/osc/transcripts/" + name);
    REQUIRE_MESSAGE(file.good(), name);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::string> transcript(const std::string& name) {
    std::ifstream file(PRIMACY_SOURCE_DIRECTORY "/tests/unit/osc/transcripts/" + name);
    REQUIRE_MESSAGE(file.good(), name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(line);
    REQUIRE_MESSAGE(!lines.empty(), name);
    return lines;
}

// All but the replies of sockets.
inline const std::vector<std::string> gh_ost_transcripts{
    "gh-ost-1.1.6.stdout",
    "gh-ost-1.1.6.stderr",
    "gh-ost-1.1.9-mariadb-11.8.stdout",
    "gh-ost-head-mariadb-10.11.out",
    "gh-ost-head-throttled-control-replica.out",
    "gh-ost-head-throttle-reasons.stdout",
    "gh-ost-head-noop.stdout",
    "gh-ost-head-cut-over-exhausted.stdout",
    "gh-ost-head-cut-over-exhausted.stderr",
    "gh-ost-head-missing-table.stderr",
};

inline const std::vector<std::string> pt_osc_transcripts{
    "ptosc-3.2.1-critical-load.stderr", "ptosc-3.2.1-drop-swap-refused.stdout",
    "ptosc-3.2.1-dryrun.stdout",        "ptosc-3.2.1-execute.stderr",
    "ptosc-3.2.1-execute.stdout",       "ptosc-3.2.1-foreign-keys.stdout",
    "ptosc-3.2.1-lag.stderr",           "ptosc-3.2.1-lag.stdout",
    "ptosc-3.2.1-no-key.stderr",        "ptosc-3.2.1-no-key.stdout",
    "ptosc-3.2.1-no-swap.stdout",       "ptosc-3.2.1-percent-name.stderr",
    "ptosc-3.2.1-sigterm.stderr",       "ptosc-3.2.1-sigterm.stdout",
    "ptosc-3.2.1-usage.stderr",         "ptosc-3.2.1-usage.stdout",
    "ptosc-3.5.7-execute.stderr",       "ptosc-3.5.7-execute.stdout",
    "ptosc-3.5.7-lag.stderr",           "ptosc-3.5.7-lag.stdout",
    "ptosc-3.5.7-stopped.stderr",
};

}  // namespace primacy::tests
