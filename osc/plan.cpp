#include "osc/plan.hpp"

#include "osc/plan_rules.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

using namespace std::chrono_literals;

// Rows a second that a copy made on small machines; an order of magnitude, and said to be one.
constexpr std::uint64_t modest_rows_per_second = 10'000;
constexpr std::uint64_t modest_bytes_per_second = 10'000'000;

considered_tool consider_native(planning& in) {
    if (in.asked.attempt != trial::none)
        return {tool::native, false, "a native ALTER has no trial run"};
    const server_side* writer = in.known.writer();
    if (!writer || writer->unreadable) return {tool::native, false, "the writer is not known"};
    auto ability = native_ability_of(in.made.alter, in.known.table, writer->kind, writer->version);
    in.made.algorithm = ability.algorithm;
    std::string how(to_string(ability.algorithm));
    if (ability.algorithm == native_algorithm::none)
        return {tool::native, false, "it would block writes: " + ability.reason};
    if (std::string why = why_not_granted(in.known.native_missing_grants); !why.empty())
        return {tool::native, false, std::move(why)};
    return {tool::native, true, "the server does it by ALGORITHM=" + how + ": " + ability.reason};
}

considered_tool consider(tool which, std::string why_not, std::string why) {
    bool usable = why_not.empty();
    return {which, usable, usable ? std::move(why) : std::move(why_not)};
}

// An INPLACE or COPY of a large table holds up each replica for as long again: then a tool that
// watches the lag is gentler. Small tables are not worth a copy by triggers or by the binary log.
bool native_is_gentle(const planning& in) {
    if (in.made.algorithm == native_algorithm::instant) return true;
    bool replicated = in.known.servers.size() > 1;
    const auto& table = in.known.table;
    constexpr std::uint64_t small = 200'000;  // rows: seconds, not minutes
    return !replicated || (table.rows && *table.rows <= small);
}

void choose(planning& in) {
    auto& made = in.made;
    made.considered.push_back(consider_native(in));
    made.considered.push_back(consider(
        tool::gh_ost, why_not_gh_ost(in),
        "it copies by the binary log, puts no trigger on the table, and can be paused at once"));
    made.considered.push_back(consider(tool::pt_osc, why_not_pt_osc(in),
                                       "it copies by triggers, which cost each write a little"));
    auto usable = [&](tool which) {
        return std::any_of(made.considered.begin(), made.considered.end(),
                           [&](const auto& each) { return each.which == which && each.usable; });
    };
    if (in.asked.wanted) {
        if (usable(*in.asked.wanted)) made.chosen = in.asked.wanted;
        return;
    }
    const bool native = usable(tool::native);
    for (tool which : {tool::gh_ost, tool::pt_osc})
        if (!made.chosen && usable(which) && !(native && native_is_gentle(in))) made.chosen = which;
    if (!made.chosen && native) made.chosen = tool::native;
}

void explain_choice(planning& in) {
    auto& made = in.made;
    if (made.chosen) return;
    std::string reasons;
    for (const auto& each : made.considered)
        if (!in.asked.wanted || each.which == *in.asked.wanted)
            reasons += (reasons.empty() ? "" : "; ") + std::string(to_string(each.which)) + ": " +
                       each.reason;
    in.refuse_for_good("no_tool", "no tool can do it: " + reasons);
}

void estimate_cost(planning& in) {
    const auto& table = in.known.table;
    auto& expected = in.made.expected;
    expected.rows = table.rows;
    if (table.data_bytes && table.index_bytes)
        expected.bytes = *table.data_bytes + *table.index_bytes;
    if (in.made.chosen == tool::native && in.made.algorithm == native_algorithm::instant) {
        expected.bytes = 0;
        expected.duration = 0s;
        expected.basis = "only the dictionary changes";
    } else if (table.rows && expected.bytes) {
        std::uint64_t by_rows = *table.rows / modest_rows_per_second;
        std::uint64_t by_bytes = *expected.bytes / modest_bytes_per_second;
        expected.duration = std::chrono::seconds(std::max(by_rows, by_bytes));
        expected.basis =
            "10,000 rows or 10 MB a second, whichever is slower; an order of magnitude";
    }
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
    bool hopeless = std::any_of(made.refusals.begin(), made.refusals.end(),
                                [](const refusal& each) { return !each.may_be_allowed; });
    if (hopeless) return made;  // whatever else would be said of it is noise
    choose(in);
    if (made.chosen == tool::gh_ost) made.with = known.gh_ost;
    if (made.chosen == tool::pt_osc) made.with = known.pt_osc;
    explain_choice(in);
    estimate_cost(in);
    judge_table(in);
    judge_servers(in);
    judge_surroundings(in);
    return made;
}

}  // namespace primacy::osc
