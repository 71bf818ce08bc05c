#include "tests/osc/plan_text.hpp"

#include "checks/words.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

std::string padded(std::string_view text, std::size_t width) {
    std::string made(text);
    made.resize(std::max(made.size(), width), ' ');
    return made;
}

std::string time_of_day(std::chrono::minutes since_midnight) {
    const auto minutes = since_midnight.count();
    std::string made = minutes < 600 ? "0" : "";
    made += std::to_string(minutes / 60);
    made += minutes % 60 < 10 ? ":0" : ":";
    return made += std::to_string(minutes % 60);
}

std::string tool_words(const plan& made) {
    std::string words(to_string(*made.chosen));
    if (made.chosen == tool::native)
        words += " ALTER (" + std::string(to_string(made.algorithm)) + ")";
    switch (made.spec.attempt) {
        case trial::none: return words + " on " + made.writer;
        case trial::dry_run: return "dry run of " + words + " on " + made.writer;
        case trial::test_on_replica: return "test of " + words + " on " + made.spec.test_replica;
    }
    return words;
}

struct writing {
    const plan& made;
    std::string text;

    // Names and texts of others may hold line ends, which would look like lines of ours.
    void line(std::string what) {
        auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
        std::replace_if(what.begin(), what.end(), is_control, ' ');
        text += what;
        text += '\n';
    }
    void labelled(std::string_view label, const std::string& what) {
        line("  " + padded(label, 9) + what);
    }
};

void add_reasons(writing& to) {
    for (const auto& each : to.made.refusals) {
        to.line("  REFUSED " + each.code + ": " + each.reason);
        if (each.may_be_allowed)
            to.line("          to have it done all the same: --allow " + each.code);
    }
    for (const auto& each : to.made.warnings)
        to.line("  WARNING " + each.code + ": " + each.reason);
}

// One line each, unless the refusal has told it all.
void add_tools(writing& to) {
    const plan& made = to.made;
    const bool told = !made.chosen && !made.spec.wanted && !made.refusals.empty() &&
                      made.refusals.front().code == "no_tool";
    if (told) return;
    for (const auto& each : made.considered) {
        const char* verdict = made.chosen == each.which ? "chosen" : each.usable ? "could" : "no";
        to.labelled(to_string(each.which), padded(verdict, 8) + each.reason);
    }
}

void add_estimate(writing& to) {
    const estimate& expected = to.made.expected;
    std::string what = expected.rows ? with_commas(*expected.rows) + " rows" : "unknown rows";
    if (!expected.bytes)
        what += ", unknown size";
    else if (*expected.bytes > 0)
        what += ", " + size_words(*expected.bytes) + " more on each server";
    what += expected.duration ? ", " + about(*expected.duration) : ", unknown time";
    if (!expected.basis.empty()) what += " (" + expected.basis + ")";
    to.labelled("estimate", what);
}

void add_swap(writing& to) {
    const job_spec& spec = to.made.spec;
    if (spec.attempt == trial::dry_run) return;
    std::string when = spec.cut_over == cut_over_by::person ? "when a person says `osc cut-over`"
                                                            : "as soon as it is ready";
    if (spec.window && spec.window->begin != spec.window->end)
        when += ", between " + time_of_day(spec.window->begin) + " and " +
                time_of_day(spec.window->end) + " UTC";
    const bool native = to.made.chosen == tool::native;
    to.labelled(native ? "begins" : "swaps", when);
    if (!native && !to.made.replicas.empty())
        to.labelled("watches", "the lag of " + checks::words::list(to.made.replicas));
}

}  // namespace

std::string with_commas(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    std::string made;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) made += ',';
        made += digits[i];
    }
    return made;
}

std::string size_words(std::uint64_t bytes) {
    constexpr std::string_view units[] = {" B", " kB", " MB", " GB", " TB", " PB", " EB"};
    std::size_t unit = 0;
    std::uint64_t whole = bytes, rest = 0;
    for (; whole >= 1000 && unit + 1 < std::size(units); ++unit) {
        rest = whole % 1000;
        whole /= 1000;
    }
    std::string made = std::to_string(whole);
    if (unit > 0 && whole < 10) made += "." + std::to_string(rest / 100);
    return made += units[unit];
}

std::string about(std::chrono::seconds length) {
    const auto seconds = length.count();
    if (seconds <= 0) return "at once";
    if (seconds < 90) return "about " + std::to_string(seconds) + " s";
    const auto minutes = (seconds + 30) / 60;
    if (minutes < 90) return "about " + std::to_string(minutes) + " min";
    if (minutes < 48 * 60) return "about " + std::to_string((minutes + 30) / 60) + " h";
    return "about " + std::to_string((minutes + 12 * 60) / (24 * 60)) + " days";
}

std::string verdict_of(const plan& made) {
    if (!made.may_run()) return "refused";
    const estimate& expected = made.expected;
    return tool_words(made) + ": " +
           (expected.rows ? with_commas(*expected.rows) + " rows" : "unknown rows") + ", " +
           (expected.duration ? about(*expected.duration) : "unknown time");
}

std::string text_of(const plan& made) {
    writing to{made, ""};
    to.line(verdict_of(made));
    const std::string& clauses = made.alter.clauses_text;
    to.line("  " + readable(made.spec.table) + (clauses.empty() ? "" : ": ") + clauses);
    add_reasons(to);
    add_tools(to);
    if (made.chosen) {
        add_estimate(to);
        add_swap(to);
    }
    return to.text;
}

}  // namespace primacy::osc
