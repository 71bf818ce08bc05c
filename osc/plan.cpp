#include "osc/plan.hpp"

#include "checks/words.hpp"
#include "osc/plan_rules.hpp"
#include "osc/supervise.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

using namespace std::chrono_literals;
namespace words = checks::words;

// Rows a second that a copy made on small machines; an order of magnitude, and said to be one.
constexpr std::uint64_t modest_rows_per_second = 10'000;
constexpr std::uint64_t modest_bytes_per_second = 10'000'000;

considered_tool consider_native(const planning& in, native_ability& ability) {
    if (in.asked.attempt != trial::none)
        return {tool::native, false, "a native ALTER has no trial run"};
    const server_side* writer = in.known.writer();
    ability = native_ability_of(in.made.alter, in.known.table, writer->kind, writer->version);
    std::string how(to_string(ability.algorithm));
    if (ability.algorithm == native_algorithm::none)
        return {tool::native, false, "it would block writes: " + ability.reason};
    if (std::string why = why_not_granted(in.known.native_missing_grants); !why.empty())
        return {tool::native, false, std::move(why)};
    if (std::string why = why_not_granted(in.known.native_missing_grants); !why.empty())
        return {tool::native, false, std::move(why)};
    return {tool::native, true, "the server does it by ALGORITHM=" + how + ": " + ability.reason};
}

considered_tool consider(tool which, std::string why_not, std::string why) {
    bool usable = why_not.empty();
    return {which, usable, usable ? std::move(why) : std::move(why_not)};
}

// A statement that goes through all rows holds up each replica for as long again: then a tool that
// watches the lag is gentler. Small tables are not worth a copy by triggers or by the binary log.
bool native_is_gentle(const planning& in, const native_ability& ability) {
    if (!ability.replicas_lag) return true;
    bool replicated = in.known.servers.size() > 1;
    const auto& table = in.known.table;
    constexpr std::uint64_t small = 200'000;  // rows: seconds, not minutes
    return !replicated || (table.rows && *table.rows <= small);
}

void estimate_cost(const planning& in, const native_ability& ability) {
    const auto& table = in.known.table;
    auto& expected = in.made.expected;
    expected = {};
    expected.rows = table.rows;
    if (table.data_bytes && table.index_bytes)
        expected.bytes = *table.data_bytes + *table.index_bytes;
    if (in.asked.attempt == trial::dry_run) {
        expected.bytes = 0;
        expected.duration = 0s;
        expected.basis = "a dry run copies no rows";
    } else if (in.made.chosen == tool::native && !ability.touches_rows) {
        expected.bytes = 0;
        expected.duration = 0s;
        expected.basis = "no row is read or written";
    } else if (table.rows && expected.bytes) {
        std::uint64_t by_rows = *table.rows / modest_rows_per_second;
        std::uint64_t by_bytes = *expected.bytes / modest_bytes_per_second;
        expected.duration = std::chrono::seconds(std::max<std::uint64_t>({by_rows, by_bytes, 1}));
        expected.basis = "at 10,000 rows or 10 MB a second; an order of magnitude";
    }
}

void judge_window(const planning& in) {
    const auto& window = in.asked.window;
    if (!window || window->begin == window->end || !in.made.chosen) return;
    const auto length = (window->end - window->begin + 24h) % 24h;
    const auto needed = longest_attempt(*in.made.chosen, in.asked);
    if (length < needed)
        in.refuse_for_good("bad_value", "the window has " + words::seconds(length) +
                                            " and an attempt to swap may take " +
                                            words::seconds(needed) +
                                            "; make it longer, or lock_wait or attempts smaller");
}

void judge_native(const planning& in, const native_ability& ability) {
    if (in.made.chosen == tool::native && ability.replicas_lag && !in.made.replicas.empty())
        in.warn("replica_lag",
                "each replica runs the ALTER after the writer has, and lags behind "
                "for about as long");
}

// What the plan would be with this tool.
plan with_tool(const planning& in, tool which, const native_ability& ability) {
    plan made = in.made;
    made.chosen = which;
    made.algorithm = which == tool::native ? ability.algorithm : native_algorithm::none;
    if (which == tool::gh_ost) made.with = in.known.gh_ost;
    if (which == tool::pt_osc) made.with = in.known.pt_osc;
    planning inner{in.asked, in.known, made};
    estimate_cost(inner, ability);
    judge_table(inner);
    judge_servers(inner);
    judge_surroundings(inner);
    judge_native(inner, ability);
    judge_window(inner);
    return made;
}

// In the order in which they are wanted.
std::vector<tool> candidates(const planning& in, const native_ability& ability) {
    std::vector<tool> order = {tool::native, tool::gh_ost, tool::pt_osc};
    if (!native_is_gentle(in, ability)) order = {tool::gh_ost, tool::pt_osc, tool::native};
    if (in.asked.wanted) order = {*in.asked.wanted};
    std::erase_if(order, [&](tool which) {
        return std::none_of(
            in.made.considered.begin(), in.made.considered.end(),
            [&](const considered_tool& each) { return each.which == which && each.usable; });
    });
    return order;
}

void note_refused(std::vector<considered_tool>& considered, tool which, const plan& refused) {
    std::vector<std::string> codes;
    for (const auto& each : refused.refusals)
        if (std::find(codes.begin(), codes.end(), each.code) == codes.end())
            codes.push_back(each.code);
    for (auto& each : considered)
        if (each.which == which) each.reason += "; refused because of " + words::list(codes);
}

void explain_no_tool(const planning& in) {
    const auto& wanted = in.asked.wanted;
    if (wanted != tool::native && !lasting_row_identity(in.known.table, in.made.alter))
        return in.refuse_for_good("no_unique_key",
                                  readable(in.asked.table) +
                                      " has no PRIMARY KEY and no UNIQUE key without NULL that "
                                      "stays, by which a copy could tell rows apart; add one");
    std::string reasons;
    for (const auto& each : in.made.considered)
        if (!wanted || each.which == *wanted)
            reasons += (reasons.empty() ? "" : "; ") + std::string(to_string(each.which)) + ": " +
                       each.reason;
    in.refuse_for_good(
        "no_tool", (wanted ? "the tool that was asked for cannot do it (" : "no tool can do it (") +
                       reasons + ")");
}

// The first tool that nothing speaks against; else the first that can do it at all.
plan choose(const planning& in) {
    native_ability ability;
    auto& considered = in.made.considered;
    considered.push_back(consider_native(in, ability));
    considered.push_back(
        consider(tool::gh_ost, why_not_gh_ost(in),
                 "it copies by the binary log, without triggers, and can be paused at once"));
    considered.push_back(consider(tool::pt_osc, why_not_pt_osc(in),
                                  "it copies by triggers, which cost each write a little"));
    std::optional<plan> chosen;
    for (tool which : candidates(in, ability)) {
        plan made = with_tool(in, which, ability);
        if (!made.refusals.empty()) note_refused(considered, which, made);
        if (!chosen || (!chosen->refusals.empty() && made.refusals.empty()))
            chosen = std::move(made);
        if (chosen->refusals.empty()) break;
    }
    if (chosen) {
        chosen->considered = considered;
        return *std::move(chosen);
    }
    explain_no_tool(in);
    estimate_cost(in, ability);
    judge_surroundings(in);
    return in.made;
}

}  // namespace

plan plan_change(const job_spec& asked, const facts& known) {
    plan made;
    made.spec = asked;
    made.alter = parse_alter(asked.alter);
    made.writer = known.around.writer;
    made.table = known.table;
    if (const server_side* writer = known.writer()) made.writer_side = *writer;
    for (const auto& server : known.servers)
        if (!server.is_writer) made.replicas.push_back(server.name);
    planning in{asked, known, made};
    judge_request(in);
    // Nothing allows what is refused so far; whatever else would be said of it is noise.
    return made.refusals.empty() ? choose(in) : made;
}

}  // namespace primacy::osc
