// The lease `servers`: which of several agents may act on a topology (S2). It is held by whoever
// has a named lock on a majority of the configured voters, and only as long as fresh answers of
// those voters prove it. A state machine: the caller brings time, chance and the voters' answers,
// and does what it is told for each voter. Must not know SQL, sockets or a clock.
//
// Never two holders, also when voters restart, lose sessions or hang
// (docs/decisions/0007-lease.md): a vote is good for `ttl - margin` from the moment its last proof
// was *asked for*, and a new vote counts only `ttl` after it was granted. The bound on clock drift
// is the only assumption.
#pragma once

#include "checks/moment.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace primacy::fencing {

struct lease_policy {
    // All that are configured, reachable or not, servers and witnesses; named for sentences.
    std::vector<std::string> voters;
    checks::duration ttl = std::chrono::seconds(8);
    double drift = 0.01;  // by how much the rate of an agent's clock may be off, either way

    std::size_t needed() const noexcept { return voters.size() / 2 + 1; }
    // How much earlier than `ttl` the holder stops: its clock may be slow and that of the next
    // holder fast, and what it has under way needs time to stop.
    checks::duration margin() const noexcept;
    // How long a new vote waits, for whoever had it before and does not know yet that it is lost.
    checks::duration settling() const noexcept { return ttl; }
    checks::duration ping_interval() const noexcept { return ttl / 4; }
    // A voter that does not answer within this time has lost the session.
    checks::duration answer_limit() const noexcept { return ttl / 2; }
    // How long locks on less than a majority are kept while asking for the others: two contenders
    // must not block one another.
    checks::duration gathering() const noexcept { return ttl / 8; }
};

// What is to be done with one voter next. One at a time for each voter.
enum class lease_task {
    wait,     // nothing before the given time, or before something else was reported
    connect,  // open a session
    look,     // ask whether the lock is free
    take,     // ask for the lock, without waiting for it
    ping,     // ask whether the lock is still this session's
    close     // end the session, and with it the lock
};

struct lease_errand {
    lease_task what = lease_task::wait;
    checks::moment until = checks::moment::max();  // for `wait`
};

enum class lease_answer {
    connected,  // there is a session; it has no lock
    free,       // nobody has the lock
    taken,      // the lock is not this session's but another's
    ours,       // this session has the lock
    lost        // no answer in time, a failure, or closed by us: there is no session any more
};

struct lease_report {
    std::size_t voter = 0;
    lease_answer answer = lease_answer::lost;
    checks::moment sent;      // just before the question was sent
    checks::moment answered;  // when the answer was read
    std::string why;          // of `lost`: one sentence; empty when we closed it
};

struct lease_view {
    bool held = false;
    // Counts the acquisitions of this process. An action carries it, and is dropped when the lease
    // is no longer held or has another epoch.
    std::uint64_t epoch = 0;
    // Of the last acquisition. What was read before it may be a picture from before a gap: a
    // decision needs readings of every server that began later.
    checks::moment acquired_at{};
    checks::moment valid_until{};  // no act after it; moves on with every proof while held
    std::size_t votes = 0;         // voters that proved the lock ours, settled or not
    std::size_t needed = 0;
    std::size_t voters = 0;
    std::string why;  // one sentence, when it is not held

    // Held, and by our own clock not over yet.
    bool valid(checks::moment now) const noexcept { return held && now < valid_until; }
    bool operator==(const lease_view&) const = default;
};

class lease {
public:
    explicit lease(lease_policy policy);

    const lease_policy& policy() const noexcept { return policy_; }

    // An agent that does not want it takes no lock and opens no session; one that stops wanting it
    // no longer holds it.
    void want(bool wanted, checks::moment now);

    // What has become of an errand. `chance` is a random number from 0 to 1, for the next pause.
    void report(const lease_report& news, double chance);

    // Must be called whenever next_change() has come; report() does it too.
    void pass_time(checks::moment now, double chance);
    checks::moment next_change(checks::moment now) const;

    lease_errand next(std::size_t voter, checks::moment now) const;

    // Right at any time, also when pass_time() was not called because the process was paused.
    lease_view view(checks::moment now) const;

private:
    enum class stage {
        apart,      // has no lock, watches who has
        gathering,  // asks every voter for its lock
        keeping     // has a majority; it is the holder once `held_` is set
    };
    enum class session {
        none,   // not connected
        idle,   // connected, has no lock
        owner,  // has the lock
        stale   // to be closed
    };
    enum class sight { unknown, free, taken };
    struct seat {
        session has = session::none;
        sight seen = sight::unknown;
        checks::moment seen_at{};
        bool asked = false;            // in this round of gathering
        checks::moment due{};          // of the next connect, look or take
        checks::moment proved{};       // when the last proof was asked for
        checks::moment counts_from{};  // when the vote has settled
        std::string trouble;           // why there is no session
    };

    bool alive(const seat& one, checks::moment now) const;
    std::size_t alive_votes(checks::moment now) const;
    std::size_t free_voters(checks::moment now) const;
    std::size_t still_to_answer() const;
    checks::moment vote_until(const seat& one) const;
    checks::moment valid_until(checks::moment now) const;

    void record(seat& one, const lease_report& news, double chance);
    bool step(checks::moment now, double chance);
    void gather(checks::moment now);
    void acquire(checks::moment now);
    void leave(checks::moment now, double chance, std::string why);
    std::string why_not(checks::moment now) const;
    std::string trouble_sentence() const;

    lease_policy policy_;
    std::vector<seat> seats_;
    bool wanted_ = false;
    stage stage_ = stage::apart;
    bool held_ = false;
    checks::moment good_until_{};  // of the lease that is held
    std::uint64_t epoch_ = 0;
    checks::moment acquired_at_{};
    checks::moment gather_until_{};
    checks::moment not_before_{};  // of the next round of gathering
    unsigned failures_ = 0;        // rounds without a majority, in a row
    std::string left_because_;
};

}  // namespace primacy::fencing
