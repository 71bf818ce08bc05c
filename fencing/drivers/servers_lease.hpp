// The lease of fencing/lease.hpp on real servers: one session for each voter, which holds a named
// lock (GET_LOCK) and has a short wait_timeout, so that the server lets go of what a dead agent
// held. Decides nothing itself. Knows nothing of what the lease is for.
#pragma once

#include "agent/rt/event.hpp"
#include "agent/rt/sql/connection.hpp"
#include "fencing/lease.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace primacy::rt::sql {
class network;
}

namespace primacy::fencing {

struct lease_voter {
    std::string name;  // for sentences
    rt::sql::endpoint
        where;  // an address of the server itself, never one that moves between servers
};

struct servers_lease_options {
    std::string topology;
    std::vector<lease_voter> voters;  // every configured server and witness, each once
    std::chrono::seconds ttl{8};      // 2 s or more
};

struct servers_lease_view : lease_view {
    // `valid_until` on the clock that timers have. That clock stands still while the machine is
    // suspended: it is good for deadlines, and still_held() decides.
    rt::time_point deadline{};
};

// Loop thread only. `network` outlives it; it outlives its run().
class servers_lease {
public:
    servers_lease(boost::asio::any_io_executor executor, rt::sql::network& network,
                  servers_lease_options options);
    servers_lease(const servers_lease&) = delete;
    servers_lease& operator=(const servers_lease&) = delete;
    ~servers_lease();

    // Serves until it is cancelled, and ends by closing its sessions: at once, but for a TLS
    // handshake under way, which ends within half a ttl. Once in a lifetime. errc::config: the
    // options are not usable.
    boost::asio::awaitable<rt::result<void>> run();

    // Not wanted at first. An agent in mode observe never asks: it opens no session.
    void request(bool wanted);

    servers_lease_view view() const;

    // To be asked right before each act, with the epoch under which it was decided. Reads a clock
    // that goes on while the machine is suspended.
    bool still_held(std::uint64_t epoch) const;

    // Called on the loop whenever something may have changed; must not destroy the lease.
    std::function<void()> on_change;

private:
    struct voter_session;

    void settle_changes();
    boost::asio::awaitable<void> serve(voter_session& session);
    boost::asio::awaitable<void> keep_time();
    boost::asio::awaitable<rt::result<lease_answer>> perform(voter_session& session,
                                                             lease_task what, rt::deadline until);
    boost::asio::awaitable<rt::result<void>> open(voter_session& session, rt::deadline until);

    boost::asio::any_io_executor executor_;
    servers_lease_options options_;
    std::string lock_;
    lease state_;
    rt::event time_changed_;
    std::vector<std::unique_ptr<voter_session>> sessions_;
};

// The name of a topology's lock: at most 64 characters (MySQL's limit), of which none needs
// quoting, and different for topologies whose names differ in letter case only (servers ignore it).
std::string lease_lock_name(const std::string& topology);

}  // namespace primacy::fencing
