#include "osc/job.hpp"

#include <array>

namespace primacy::osc {

namespace {

struct state_row {
    job_state state;
    std::string_view word;
    std::string_view meaning;
    bool over;
    bool at_work;
};

constexpr std::array<state_row, 12> states = {{
    {job_state::queued, "queued", "waits for its turn", false, false},
    {job_state::preflight, "preflight", "is checked once more before it begins", false, false},
    {job_state::running, "running", "the tool is at work", false, true},
    {job_state::paused, "paused", "the tool is held", false, true},
    {job_state::postponed, "postponed", "is ready, and waits for its window or for a person", false,
     true},
    {job_state::cutting_over, "cutting_over", "an attempt to swap the tables is under way", false,
     true},
    {job_state::verifying, "verifying", "the tool has ended, and the server is asked what is true",
     false, true},
    {job_state::completed, "completed", "exit status, the tool's words and the server agree", true,
     false},
    {job_state::failed, "failed", "nothing was changed, and nothing is left", true, false},
    {job_state::aborted, "aborted", "it was ended on purpose; nothing is left", true, false},
    {job_state::leftover, "leftover", "it ended without success and left objects behind", true,
     false},
    {job_state::ambiguous, "ambiguous", "nobody can tell what is true; a person has to look", true,
     false},
}};

constexpr std::array<std::pair<hold_cause, std::string_view>, 6> causes = {{
    {hold_cause::none, "none"},
    {hold_cause::user, "user"},
    {hold_cause::lag, "lag"},
    {hold_cause::load, "load"},
    {hold_cause::split_brain, "split_brain"},
    {hold_cause::window, "window"},
}};

constexpr std::array<std::pair<permit_state, std::string_view>, 3> permits = {{
    {permit_state::none, "none"},
    {permit_state::given, "given"},
    {permit_state::taken, "taken"},
}};

const state_row& row_of(job_state state) noexcept {
    for (const auto& row : states)
        if (row.state == state) return row;
    return states.front();
}

}  // namespace

std::string_view to_string(job_state state) noexcept {
    return row_of(state).word;
}

std::optional<job_state> job_state_named(std::string_view word) noexcept {
    for (const auto& row : states)
        if (row.word == word) return row.state;
    return std::nullopt;
}

std::string_view meaning_of(job_state state) noexcept {
    return row_of(state).meaning;
}

const std::vector<job_state>& all_job_states() {
    static const std::vector<job_state> all = [] {
        std::vector<job_state> made;
        for (const auto& row : states)
            made.push_back(row.state);
        return made;
    }();
    return all;
}

bool is_over(job_state state) noexcept {
    return row_of(state).over;
}

bool is_at_work(job_state state) noexcept {
    return row_of(state).at_work;
}

std::string_view to_string(permit_state state) noexcept {
    for (const auto& [each, word] : permits)
        if (each == state) return word;
    return "none";
}

std::optional<permit_state> permit_state_named(std::string_view word) noexcept {
    for (const auto& [state, each] : permits)
        if (each == word) return state;
    return std::nullopt;
}

std::string_view to_string(hold_cause cause) noexcept {
    for (const auto& [each, word] : causes)
        if (each == cause) return word;
    return "none";
}

std::optional<hold_cause> hold_cause_named(std::string_view word) noexcept {
    for (const auto& [cause, each] : causes)
        if (each == word) return cause;
    return std::nullopt;
}

}  // namespace primacy::osc
