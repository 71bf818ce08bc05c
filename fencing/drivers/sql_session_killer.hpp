// Ends client sessions: those that keep a server from becoming read-only, while another connection
// waits for that; and afterwards those that were open. Never a session of replication, of the
// server itself, or of our own account. Knows nothing of outcomes.
#pragma once

#include "agent/rt/event.hpp"
#include "fencing/drivers/sql_reader.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace primacy::fencing {

// What was done to sessions during one fence, for the journal.
struct kill_record {
    std::set<std::uint64_t> killed;
    std::set<std::uint64_t> refused;         // 1095: beyond what our account may end
    std::set<std::uint64_t> unacknowledged;  // were in a semi-sync wait: their rows stay here
    std::string semisync_disabled;           // the statement that did it; empty: not needed
};

// Kills the sessions one by one; one that is gone is no error, one that is not ours to end is
// recorded. Ends early when *enough becomes true (may be null).
boost::asio::awaitable<rt::result<void>> kill_sessions(sql_reader& link,
                                                       std::vector<std::uint64_t> ids,
                                                       kill_record& record, rt::deadline until,
                                                       const bool* enough);

// Makes way for a statement that waits for others. Owned by whoever sends that statement.
class way_clearer {
public:
    way_clearer(boost::asio::any_io_executor executor, rt::sql::network& network,
                const rt::sql::endpoint& where, permission may_act, kill_record& record);

    // Waits for `patience`, then clears, again and again, until stop() or the deadline. On a
    // connection of its own, opened only then.
    boost::asio::awaitable<void> run(rt::steady_clock::duration patience, rt::deadline until);
    void stop();

private:
    boost::asio::awaitable<rt::result<void>> clear_once(int pass, rt::deadline until);
    boost::asio::awaitable<rt::result<void>> release_semisync(rt::deadline until);

    const rt::sql::endpoint& where_;
    sql_reader link_;
    kill_record& record_;
    rt::event wake_;
    bool stopped_ = false;
};

// After the server was closed: ends the clients that were connected then, in rounds, and meanwhile
// each session of the accounts that pass read_only, also newer ones.
boost::asio::awaitable<rt::result<void>> end_clients(sql_reader& link, const std::string& own_user,
                                                     std::vector<sql_account> passing, int rounds,
                                                     kill_record& record, rt::deadline until);

// Waits; false when the coroutine was asked to stop meanwhile.
boost::asio::awaitable<bool> pause(rt::deadline until);

}  // namespace primacy::fencing
