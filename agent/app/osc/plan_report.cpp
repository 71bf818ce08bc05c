#include "agent/app/osc/plan_report.hpp"

#include "agent/app/report/table.hpp"
#include "checks/words.hpp"

namespace primacy::app {

namespace {

namespace words = checks::words;

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::uint64_t kilo = 1000, mega = 1'000'000, giga = 1'000'000'000;
    if (bytes >= 10 * giga) return std::to_string(bytes / giga) + " GB";
    if (bytes >= 10 * mega) return std::to_string(bytes / mega) + " MB";
    return std::to_string((bytes + kilo - 1) / kilo) + " kB";
}

std::string choice_text(const osc::plan& made) {
    if (!made.chosen) return "by no tool";
    std::string text = "by " + std::string(osc::to_string(*made.chosen));
    if (*made.chosen == osc::tool::native)
        text += " (ALGORITHM=" + std::string(osc::to_string(made.algorithm)) + ")";
    else
        text += " " + made.with.version_text;
    text += " on " + made.writer;
    if (!made.replicas.empty()) text += "; the lag of " + words::list(made.replicas) + " counts";
    return text;
}

std::string estimate_text(const osc::plan& made) {
    const auto& expected = made.expected;
    std::string text = expected.rows ? "about " + words::count(*expected.rows, "row")
                                     : std::string("an unknown number of rows");
    if (expected.bytes)
        text += ", " + (*expected.bytes == 0 ? "no disk" : bytes_text(*expected.bytes)) +
                " on each server";
    if (expected.duration)
        text += ", about " + words::seconds(*expected.duration) + " (" + expected.basis + ")";
    else
        text += ", for how long is not known";
    return text;
}

}  // namespace

std::string plan_report(const osc::plan& made) {
    std::string text = printable(osc::readable(made.spec.table) + " in " + made.spec.topology +
                                 ": " + made.spec.alter) +
                       "\n  " + printable(choice_text(made)) + "\n";
    table lines;
    for (const auto& each : made.refusals)
        lines.rows.push_back(
            {"REFUSED", each.code,
             printable(each.reason) + (each.may_be_allowed ? " (--allow " + each.code + ")" : "")});
    for (const auto& each : made.warnings)
        lines.rows.push_back({"WARNING", each.code, printable(each.reason)});
    text += lines.text();
    if (!made.considered.empty()) text += "  tools\n";
    table tools;
    tools.indent = "    ";
    for (const auto& each : made.considered)
        tools.rows.push_back({std::string(osc::to_string(each.which)),
                              each.usable ? "could do it" : "cannot", printable(each.reason)});
    text += tools.text();
    if (made.chosen) text += "  estimate: " + printable(estimate_text(made)) + "\n";
    text += made.may_run() ? "  it may run\n" : "  it must not run\n";
    return text;
}

}  // namespace primacy::app
