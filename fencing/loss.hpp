// What a server that loses holds and the survivor lacks, where in its binary log that lies, and the
// command line that shows it: values, and how they are told to people and to the journal. Pure.
#pragma once

#include "checks/history.hpp"
#include "checks/server_facts.hpp"
#include "fencing/binlog_search.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace primacy::fencing {

struct loss {
    std::string server;
    std::string cannot_say;  // why it is not known; then only `server` and `after_stop` count
    std::uint64_t transactions = 0;
    bool counted = false;       // exactly so many; else at most
    bool perhaps_more = false;  // beside these there may be some that cannot be told
    std::string gtids;          // "0-1-101 to 0-1-105"; empty when there are none
    // Where the first of them begins, and where the binary log ended when they were read.
    std::optional<binlog_place> first, end;
    std::string remark;                // what could not be found out about the place, a clause
    std::vector<std::string> extract;  // command lines for its host, which show them and no others
    // Read when it was proved to be stopped: nothing was added since.
    bool after_stop = false;
};

// What a comparison of two readings says, without a look into the binary log.
loss loss_from(const std::string& server, const checks::history_comparison& extra);
// The remark of a loss whose place could not be looked for.
std::string place_unknown(const std::string& why);

// Where a server keeps its binary log.
struct binlog_home {
    checks::flavor kind = checks::flavor::mariadb;
    checks::server_version version;
    std::string folder;              // with a slash at its end; as the server names it
    std::vector<std::string> files;  // oldest first
    binlog_place end;
};

// Adds to `made` what was found of `extra` in the binary log.
void add_place(loss& made, const checks::history_comparison& extra, const binlog_findings& found,
               const binlog_home& home);

// Several lines, each indented, with a line end after each but the last.
std::string text_of(const loss& lost, const std::string& survivor);
// For the journal: names that begin with the server's.
std::vector<std::pair<std::string, std::string>> facts_of(const loss& lost);

}  // namespace primacy::fencing
