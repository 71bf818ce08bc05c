// What is remembered of fences: who was stopped and how surely, what stands in the way of the next
// one. Everything in it can be read back from the journal. Pure.
#pragma once

#include "checks/judge.hpp"
#include "fencing/rung_report.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::fencing {

// As it is exported (primacy_fence_state) and shown.
enum class fence_stage {
    none,         // never fenced, or released since
    requested,    // decided, and waiting for something (lease, cooldown …)
    in_progress,  // a rung is at work
    confirmed,    // stopped, by fresh evidence
    partial,      // stopped for ordinary accounts; bypass accounts remain
    failed,       // every rung certainly failed
    unknown,      // nobody knows; it may still be writing
    manual        // a person has confirmed that it is stopped
};
std::string_view to_string(fence_stage stage) noexcept;
// What a ladder came to whose best rung came to that.
fence_stage stage_of(rung_outcome outcome) noexcept;
const std::vector<fence_stage>& all_fence_stages();

// The newest fence of one server.
struct fence_record {
    std::string incident;
    fence_stage stage = fence_stage::none;
    std::string rung;      // that confirmed it, or was tried last
    std::string sentence;  // what came of it
    // Whom it was decided to keep instead; empty after fence-all, and where a person asked for it.
    std::vector<std::string> survivors;
    checks::moment started_at{};
    checks::moment ended_at{};  // meaningless while in_progress
    bool interrupted = false;   // it ended before its ladder did: the next need not wait
    bool unseen = false;        // it could not be read, so nothing was tried that needs SQL
    // Rungs that were confirmed and did not hold: it was seen writable again afterwards.
    std::set<std::string> did_not_hold;
};

struct maintenance_window {
    checks::moment until{};
    std::string reason;
};

struct fence_state {
    std::string pin;  // by a person; empty: the configured one counts
    std::optional<maintenance_window> maintenance;
    std::map<std::string, fence_record> servers;
    std::vector<checks::moment> started;  // of our own fences, for the budget; oldest first
    // Since when, without interruption, no rule has decided a confirmed split brain.
    std::optional<checks::moment> undecided_since;
    std::string journal_trouble;  // why no intent can be noted, and so nothing be done (S6)

    bool in_progress(const std::string& server) const;
    // It was stopped, and has not been given back: it does not count as a survivor.
    bool quarantined(const std::string& server) const;
    // Its newest fence is proved, by evidence or by a person's word.
    bool stopped(const std::string& server) const;
};

// What a ladder begins with.
struct fence_begin {
    std::string incident;
    std::vector<std::string> survivors;
    bool unseen = false;  // it cannot be read: nothing is tried that needs SQL
};

// What a ladder came to.
struct fence_end {
    fence_stage stage = fence_stage::unknown;
    std::string rung;      // that confirmed it, or was tried last; may be empty
    std::string sentence;  // why, or what is known
    // Not all of it was tried: the agent ended, the lease was lost, maintenance began … Without a
    // rung nothing was, and the budget does not count it.
    bool interrupted = false;
};

void fence_started(fence_state& state, const std::string& server, fence_begin begin,
                   checks::moment at);
void fence_ended(fence_state& state, const std::string& server, const fence_end& end,
                 checks::moment at);
// A person says that it is stopped, or gives it back.
void fence_confirmed_by_person(fence_state& state, const std::string& server, checks::moment at);
void fence_released(fence_state& state, const std::string& server);

// What became of a fenced server: it was given back, or its fence did not hold.
struct fence_event {
    bool released = false;
    std::string server;
    std::string rung;      // that did not hold; empty when it was given back
    std::string sentence;  // for the log
};

// What a new judgement says about fenced servers: one that replicates from the writer is given
// back; one that is writable again was contested.
std::vector<fence_event> follow(fence_state& state, const checks::observation& seen,
                                const checks::judgement& verdict);

}  // namespace primacy::fencing
