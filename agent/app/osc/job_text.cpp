#include "agent/app/osc/job_text.hpp"

#include "agent/app/report/json_parts.hpp"
#include "agent/app/report/table.hpp"
#include "checks/words.hpp"

#include <boost/json/array.hpp>

#include <cmath>
#include <cstdio>

namespace primacy::app {

namespace json = boost::json;
using namespace json_parts;

namespace {

std::optional<double> real_of(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    if (!found || !found->is_number()) return std::nullopt;
    return found->to_number<double>();
}

std::string percent(std::optional<double> ratio) {
    if (!ratio) return "?";
    char text[16];
    std::snprintf(text, sizeof text, "%.1f %%", std::floor(*ratio * 1000) / 10);
    return text;
}

// "1,234,567"
std::string grouped(double number) {
    std::string digits = std::to_string(static_cast<long long>(number));
    for (std::size_t at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, ",");
    return digits;
}

std::string remaining_of(const json::object& progress) {
    auto left = real_of(progress, "eta_seconds");
    if (!left) return "";
    return checks::words::seconds(std::chrono::seconds(static_cast<long long>(*left))) + " left";
}

std::string state_of(const json::object& job) {
    std::string state = text_of(job, "state");
    const std::string held = text_of(job, "held");
    return state == "paused" ? state + " (" + held + ")" : state;
}

std::string bar(std::optional<double> ratio) {
    constexpr int width = 30;
    const int filled = static_cast<int>(ratio.value_or(0) * width);
    std::string made = "[";
    for (int i = 0; i < width; ++i)
        made += i < filled ? '=' : (i == filled && ratio ? '>' : ' ');
    return made + "]";
}

void add_row(table& into, const std::string& name, const std::string& value) {
    if (!value.empty()) into.rows.push_back({name, printable(value)});
}

std::string joined(const std::vector<std::string>& texts) {
    std::string made;
    for (const auto& each : texts)
        made += (made.empty() ? "" : ", ") + each;
    return made;
}

}  // namespace

std::string progress_line(const json::object& job, bool with_bar) {
    const auto& progress = object_of(job, "progress");
    auto ratio = real_of(progress, "ratio");
    std::string line = with_bar ? bar(ratio) + " " : "";
    line += percent(ratio);
    if (auto rate = real_of(progress, "rows_per_second")) line += "  " + grouped(*rate) + " rows/s";
    if (std::string left = remaining_of(progress); !left.empty()) line += "  " + left;
    return line + "  " + state_of(job) + ": " + printable(text_of(job, "sentence"));
}

std::string job_list_text(const json::object& jobs, bool all) {
    table made;
    made.rows.push_back({"JOB", "TABLE", "TOOL", "STATE", "DONE", "LEFT", ""});
    const auto* list = jobs.if_contains("jobs");
    if (list && list->is_array())
        for (const auto& each : list->as_array()) {
            const auto& job = each.as_object();
            if (!all && flag_of(job, "over")) continue;
            const auto& progress = object_of(job, "progress");
            made.rows.push_back({text_of(job, "id"), printable(text_of(job, "table")),
                                 text_of(job, "tool"), state_of(job),
                                 percent(real_of(progress, "ratio")), remaining_of(progress),
                                 printable(text_of(job, "sentence"))});
        }
    if (made.rows.size() == 1) return all ? "no jobs\n" : "no jobs under way; --all shows all\n";
    return made.text();
}

std::string job_text(const json::object& job) {
    const auto& spec = object_of(job, "spec");
    const auto& progress = object_of(job, "progress");
    std::string text = text_of(job, "id") + ": " + state_of(job) + ": " +
                       printable(text_of(job, "sentence")) + "\n";
    table made;
    add_row(made, "table", text_of(job, "table"));
    add_row(made, "alter", text_of(spec, "alter"));
    add_row(made, "topology", text_of(spec, "topology"));
    add_row(made, "tool",
            text_of(job, "tool") == "native" ? "native, ALGORITHM=" + text_of(job, "algorithm")
                                             : text_of(job, "tool"));
    add_row(made, "writer", text_of(job, "writer"));
    add_row(made, "lag of", joined(texts_of(job, "replicas")));
    add_row(made, "asked by", text_of(job, "asked_by"));
    add_row(made, "reason", text_of(job, "reason"));
    add_row(made, "created", text_of(job, "created_at"));
    add_row(made, "started", text_of(job, "started_at"));
    add_row(made, "ended", text_of(job, "ended_at"));
    add_row(made, "last sign", text_of(job, "last_activity_at"));
    const double copied = real_of(progress, "rows_copied").value_or(0);
    const double all = real_of(progress, "rows_estimated").value_or(0);
    add_row(made, "copied",
            grouped(copied) + (all > 0 ? " of about " + grouped(all) : "") + " rows, " +
                percent(real_of(progress, "ratio")));
    add_row(made, "left", remaining_of(progress));
    const auto attempts = number_of(job, "attempts");
    if (attempts > 0) add_row(made, "attempts", std::to_string(attempts) + " to cut over");
    for (const auto& each : texts_of(job, "left"))
        add_row(made, "left behind", each);
    for (const auto& each : texts_of(job, "kept"))
        add_row(made, "old rows", each);
    return text + made.text();
}

}  // namespace primacy::app
