#include "osc/gh_ost_output.hpp"

#include "osc/go_text.hpp"
#include "osc/scan.hpp"

#include <cmath>

namespace primacy::osc {

namespace {

using kind = gh_ost_line_kind;
using hint = gh_ost_hint;

std::optional<std::chrono::seconds> whole_seconds(std::string_view text) {
    const auto length = parse_go_duration(text);
    if (!length || *length < checks::duration::zero()) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(*length);
}

// gh-ost's "no heartbeat ever" is the longest time that Go knows: 9223372036.85 s.
std::optional<double> known_lag(double seconds) {
    constexpr double absurd = 9e9;
    if (std::abs(seconds) >= absurd) return std::nullopt;
    return seconds;
}

bool read_rows(scan& text, gh_ost_status& found) {
    if (!text.skip("Copy: ")) return false;
    const auto copied = text.count();
    if (!copied || !text.skip("/")) return false;
    const auto estimated = text.signed_count();
    if (!estimated || !text.skip(" ")) return false;
    const auto percent = text.decimal();
    if (!percent || !text.skip("%; Applied: ")) return false;
    found.rows_copied = *copied;
    found.rows_estimated = *estimated;
    found.percent = *percent;
    return true;
}

bool read_events(scan& text, gh_ost_status& found) {
    const auto applied = text.count();
    if (!applied || !text.skip("; Backlog: ")) return false;
    const auto backlog = text.count();
    if (!backlog || !text.skip("/")) return false;
    const auto capacity = text.count();
    if (!capacity || !text.skip("; Time: ")) return false;
    found.events_applied = *applied;
    found.backlog = *backlog;
    found.backlog_capacity = *capacity;
    return true;
}

bool read_times(scan& text, gh_ost_status& found) {
    const auto total = text.until("(total), ");
    const auto copy = text.until("(copy); streamer: ");
    const auto elapsed = whole_seconds(total.value_or(""));
    const auto copying = whole_seconds(copy.value_or(""));
    if (!elapsed || !copying) return false;
    found.elapsed = *elapsed;
    found.copy_elapsed = *copying;
    return true;
}

// Up to 1.1.0 there is no HeartbeatLag.
bool read_lags(scan& text, gh_ost_status& found) {
    const auto streamer = text.until("; Lag: ");
    if (!streamer) return false;
    found.streamer = *streamer;
    const auto lag = text.decimal();
    if (!lag || !text.skip("s, ")) return false;
    found.lag_seconds = known_lag(*lag);
    if (text.skip("HeartbeatLag: ")) {
        const auto heartbeat = text.decimal();
        if (!heartbeat || !text.skip("s, ")) return false;
        found.heartbeat_lag_seconds = known_lag(*heartbeat);
    }
    return text.skip("State: ");
}

void read_state(std::string_view state, gh_ost_status& found) {
    found.state_text = state;
    scan text(state);
    if (state == "migrating")
        found.state = gh_ost_state::migrating;
    else if (state == "postponing cut-over")
        found.state = gh_ost_state::postponing;
    else if (state == "counting rows")
        found.state = gh_ost_state::counting_rows;
    else if (text.skip("throttled, ")) {
        found.state = gh_ost_state::throttled;
        found.throttle = parse_gh_ost_throttle(text.rest());
    }
}

bool read_eta(std::string_view text, gh_ost_eta& found) {
    if (text == "N/A") return true;
    if (text == "due") {
        found.what = gh_ost_eta::form::due;
        return true;
    }
    const auto left = whole_seconds(text);
    if (!left) return false;
    found = {gh_ost_eta::form::left, *left};
    return true;
}

struct hint_form {
    std::string_view begins;
    hint what;
    bool is_flag_file = false;
};

constexpr hint_form hint_forms[] = {
    {"Migrating `", hint::tables},
    {"Migrating ", hint::hosts},
    {"Migration started at ", hint::started},
    {"chunk-size: ", hint::settings},
    {"throttle-flag-file: ", hint::throttle_file, true},
    {"throttle-additional-flag-file: ", hint::additional_file, true},
    {"throttle-query: ", hint::throttle_query},
    {"throttle-control-replicas count: ", hint::control_replicas},
    {"postpone-cut-over-flag-file: ", hint::postpone_file, true},
    {"panic-flag-file: ", hint::panic_file},
    {"Serving on unix socket: ", hint::socket},
    {"Serving on TCP port: ", hint::tcp_port},
};

// "path " or "path [set]"; the path itself may end in anything.
bool read_flag_file(std::string_view value, gh_ost_line& found) {
    scan text(value);
    if (const auto unset = text.all_but(" ")) {
        found.text = *unset;
        return true;
    }
    const auto set = text.all_but(" [set]");
    if (!set) return false;
    found.text = *set;
    found.is_set = true;
    return true;
}

// The form tells that the line is whole, as far as a line can tell that at all.
bool is_whole(hint what, std::string_view value) {
    const auto has = [value](std::string_view words) {
        return value.find(words) != std::string_view::npos;
    };
    switch (what) {
        case hint::tables: return has("`; Ghost table is `") && value.ends_with('`');
        case hint::hosts: return has("; inspecting ") && has("; executing on ");
        case hint::settings: return has("; max-lag-millis: ") && has("; nice-ratio: ");
        default: return !value.empty();
    }
}

// What follows "# ".
gh_ost_line parse_remark(std::string_view remark) {
    gh_ost_line found;
    found.kind = remark == "Done" ? kind::done : kind::note;
    found.text = remark;
    for (const hint_form& form : hint_forms) {
        if (!remark.starts_with(form.begins)) continue;
        auto value = remark.substr(form.begins.size());
        if (form.what == hint::tables) value = remark.substr(form.begins.size() - 1);
        if (!is_whole(form.what, value)) break;
        found.text = value;
        if (form.is_flag_file && !read_flag_file(value, found)) break;
        found.kind = kind::hint;
        found.hint = form.what;
        return found;
    }
    return found;
}

// "2026-11-21 21:05:46" with the given separators.
bool skip_time(scan& text, std::string_view date_separator) {
    scan ahead = text;
    if (!ahead.two_digits(100) || !ahead.two_digits(100) || !ahead.skip(date_separator) ||
        !ahead.two_digits(13) || !ahead.skip(date_separator) || !ahead.two_digits(32) ||
        !ahead.skip(" ") || !ahead.two_digits(24) || !ahead.skip(":") || !ahead.two_digits(60) ||
        !ahead.skip(":") || !ahead.two_digits(61))
        return false;
    text = ahead;
    return true;
}

struct level_form {
    std::string_view word;
    kind what;
};

constexpr level_form own_levels[] = {
    {" FATAL ", kind::fatal},     {" CRITICAL ", kind::error}, {" ERROR ", kind::error},
    {" WARNING ", kind::warning}, {" NOTICE ", kind::info},    {" INFO ", kind::info},
    {" DEBUG ", kind::info},
};

constexpr level_form library_levels[] = {
    {"] [info] ", kind::library},        {"] [warn] ", kind::library},
    {"] [debug] ", kind::library},       {"] [trace] ", kind::library},
    {"] [error] ", kind::library_error}, {"] [fatal] ", kind::library_error},
    {"] [panic] ", kind::library_error}, {" INFO ", kind::library},
    {" WARN ", kind::library},           {" DEBUG ", kind::library},
    {" ERROR ", kind::library_error},
};

template <class Levels>
bool read_level(scan text, const Levels& levels, gh_ost_line& found) {
    for (const level_form& level : levels) {
        if (!text.skip(level.word)) continue;
        found.kind = level.what;
        found.text = text.rest();
        return true;
    }
    return false;
}

// "Done migrating `db`.`table`": gh-ost does not double a backquote within a name.
bool says_of_a_table(std::string_view text, std::string_view words, std::string_view ending) {
    scan all(text);
    if (!all.skip(words)) return false;
    const auto table = all.all_but(ending);
    if (!table || !table->starts_with('`') || !table->ends_with('`')) return false;
    const auto middle = table->find("`.`");
    return middle != std::string_view::npos && middle > 0 && middle + 4 < table->size();
}

void look_closer(gh_ost_line& found) {
    if (found.kind != kind::info) return;
    const std::string_view text = found.text;
    if (text == "Row copy complete") found.kind = kind::copy_complete;
    if (says_of_a_table(text, "Done migrating ", "") ||
        says_of_a_table(text, "Done reverting ", "") ||
        says_of_a_table(text, "Success! table ", " migrated instantly"))
        found.kind = kind::finished;
}

// "2026-11-21 21:06:25 FATAL 2026-11-21 21:06:25 ERROR cannot find table": an error that was logged
// before it was returned carries its own stamp; the reason stands after the last of them.
bool read_own_log(scan text, gh_ost_line& found) {
    if (!skip_time(text, "-") || !read_level(text, own_levels, found)) return false;
    for (;;) {
        scan inner(found.text);
        gh_ost_line nested;
        if (!skip_time(inner, "-") || !read_level(inner, own_levels, nested)) break;
        found.text = nested.text;
    }
    look_closer(found);
    return true;
}

bool read_logged(std::string_view line, gh_ost_line& found) {
    scan text(line);
    if (read_own_log(text, found)) return true;
    // logrus of go-mysql up to 1.1.x, slog of the one that the main branch uses.
    if (text.skip("["))
        return skip_time(text, "/") && text.rest().starts_with("]") &&
               read_level(text, library_levels, found);
    return skip_time(text, "/") && read_level(text, library_levels, found);
}

// What the flag package of Go says of options that it does not take, before it lists them all.
bool is_option_error(std::string_view line) {
    return line.starts_with("flag provided but not defined: ") ||
           line.starts_with("flag needs an argument: ") ||
           (line.starts_with("invalid ") && line.find(" for flag -") != std::string_view::npos);
}

bool is_option_list(std::string_view line) {
    return line.starts_with("Usage of ") || line.starts_with("  -") || line.starts_with("    \t");
}

bool is_crash(std::string_view line) {
    return line.starts_with("panic: ") || line.starts_with("fatal error: ") ||
           (line.starts_with("goroutine ") && line.ends_with(":"));
}

bool is_table_definition(std::string_view line) {
    return line.starts_with("CREATE TABLE `") || line.starts_with(") ENGINE=") ||
           line.starts_with("  `") || line.starts_with("  PRIMARY KEY ") ||
           line.starts_with("  UNIQUE KEY ") || line.starts_with("  KEY `") ||
           line.starts_with("  FULLTEXT KEY ") || line.starts_with("  SPATIAL KEY ") ||
           line.starts_with("  CONSTRAINT `");
}

}  // namespace

std::string_view to_string(gh_ost_state state) noexcept {
    switch (state) {
        case gh_ost_state::counting_rows: return "counting rows";
        case gh_ost_state::migrating: return "migrating";
        case gh_ost_state::throttled: return "throttled";
        case gh_ost_state::postponing: return "postponing cut-over";
        case gh_ost_state::other: return "other";
    }
    return "other";
}

std::optional<gh_ost_status> parse_gh_ost_status(std::string_view line) {
    gh_ost_status found;
    scan text(line);
    if (!read_rows(text, found) || !read_events(text, found) || !read_times(text, found) ||
        !read_lags(text, found))
        return std::nullopt;
    // The last one: a state may quote an error that has the same words.
    const auto state = text.until_last("; ETA: ");
    if (!state || state->empty() || !read_eta(text.rest(), found.eta)) return std::nullopt;
    read_state(*state, found);
    return found;
}

gh_ost_line parse_gh_ost_line(std::string_view line) {
    gh_ost_line found;
    found.text = line;
    if (line.find_first_not_of(" \t") == std::string_view::npos) {
        found.kind = kind::blank;
    } else if (line.starts_with("# ")) {
        found = parse_remark(line.substr(2));
    } else if (auto status = parse_gh_ost_status(line)) {
        found.kind = kind::status;
        found.status = std::move(status);
    } else if (is_crash(line)) {
        found.kind = kind::crash;
    } else if (is_option_error(line)) {
        found.kind = kind::error;
    } else if (is_option_list(line)) {
        found.kind = kind::note;
    } else if (is_table_definition(line)) {
        found.kind = kind::table_definition;
    } else if (read_logged(line, found)) {
        return found;
    }
    return found;
}

}  // namespace primacy::osc
