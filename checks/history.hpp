// Proof from GTIDs: does one server hold transactions that another lacks?
#pragma once

#include "checks/observation.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace primacy::checks {

struct history_comparison {
    std::uint64_t transactions = 0;  // proved to be held by one and lacked by the other; for
                                     // MariaDB at most so many, see mariadb_excess
    std::string text;                // "0-1-101 to 0-1-105"; empty when transactions is 0
    std::string cannot_say;          // why there is no answer; then the others mean nothing
    // Beside these there may be more, which could be neither proved nor excluded.
    bool perhaps_more = false;
    // The transactions themselves, of the flavour that both are of.
    std::vector<mariadb_excess::range> ranges;
    mysql_gtid_set gtids;

    bool decided() const noexcept { return cannot_say.empty(); }
};

// The same from two readings, of which the holder's ended before the other's began.
history_comparison beyond(const server_facts& holder, const server_facts& other);

// What server `holder` holds beyond server `other` (indices into `seen`). The holder's reading is
// one that ended before the other's began, else transactions on their way would look missing.
history_comparison beyond(const observation& seen, std::size_t holder, std::size_t other);

// True when it is proved that `other` has every transaction that was first written on server `i`:
// its own identity, not those that it replicated, so that the order of reading does not matter.
bool nothing_of_its_own(const observation& seen, std::size_t i, std::size_t other);

}  // namespace primacy::checks
