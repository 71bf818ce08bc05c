// What the journal holds of fences: one record for each thing that was decided, intended, came out
// or was said by a person. Text and back, and what a restart makes of them. Pure; knows no file.
#pragma once

#include "agent/rt/error.hpp"
#include "checks/moment.hpp"
#include "fencing/fence_state.hpp"
#include "fencing/rung_report.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace primacy::app {

enum class record_kind {
    begun,      // a ladder begins: the decision with its reason
    intent,     // a rung is about to act
    outcome,    // what it came to, or what was found when it was looked at again
    ended,      // what the whole ladder came to
    contested,  // a server that was fenced is writable again
    released,   // a server was given back: it replicates again, or a person said so
    confirmed_by_person,
    pinned,       // an empty `server` ends it
    maintenance,  // without `until` it ends
    opened,       // a person is about to have it made writable; `released` or `outcome` follows
    resolving,    // a person keeps this server: the others are stopped first
    resolved      // what that came to, and what the others hold and this server lacks
};
std::string_view to_string(record_kind kind) noexcept;

struct fence_entry {
    record_kind kind = record_kind::begun;
    checks::wall_time at{};
    std::string agent;
    std::string topology;
    std::string server;
    std::string incident;
    std::string by;      // "agent", or the person who asked
    std::string reason;  // a sentence: of the decision, the person, or the rung
    std::string rung;
    std::string nonce;
    std::string
        result;  // of an outcome: rung_outcome; of ended: fence_stage; of resolved: done, failed
    std::string failure;  // of an outcome: rung_failure
    bool verification = false;
    bool interrupted = false;  // of ended: see fencing::fence_end
    bool unseen = false;       // of begun: without what needs SQL
    std::vector<std::string> survivors;
    std::vector<std::pair<std::string, std::string>> facts;
    std::optional<checks::wall_time> until;

    bool operator==(const fence_entry&) const = default;
};

// One line of JSON. Reading refuses what it does not understand: a journal is evidence.
std::string to_json(const fence_entry& record);
rt::result<fence_entry> parse_record(std::string_view json);

// Names one fence, once: an agent that was killed and is back within the same second must not give
// the same name again. Fit to be handed to any program (fence_order::incident), whatever characters
// the names have; `number` counts the fences of this process.
std::string incident_name(const std::string& topology, const std::string& server,
                          checks::wall_time at, std::uint64_t number);

// A rung for which an intent was noted, and what was noted of its end; nothing: the agent ended in
// the middle of it.
struct tried_rung {
    std::string name;
    std::optional<fencing::rung_outcome> outcome;
};

// A ladder that was begun and not ended when the agent stopped.
struct unfinished_fence {
    std::string server, incident;
    std::vector<tried_rung> tried;  // in order
};

struct replayed {
    fencing::fence_state state;
    std::vector<unfinished_fence> unfinished;
    std::vector<fence_entry> openings;  // of which it is not known whether they came about
};

// What is known of one topology after its records, oldest first. `wall` and `boot` are the same
// moment on both clocks; what the wall clock put into the future counts as now.
replayed replay(const std::vector<fence_entry>& records, const std::string& topology,
                checks::wall_time wall, checks::moment boot);

}  // namespace primacy::app
