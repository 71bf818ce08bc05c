#include "osc/pt_osc_output.hpp"

#include "osc/pt_osc_complaint.hpp"
#include "osc/scan.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

using kind = pt_osc_line_kind;

struct whole_line {
    std::string_view words;
    kind what;
};

constexpr whole_line whole_lines[] = {
    {"Will check slave lag on:", kind::lag_watched},
    {"Will check replica lag on:", kind::lag_watched},
    {"Operation, tries, wait:", kind::note},
    {"Child tables:", kind::note},
    {"Renaming columns:", kind::note},
    {"Creating new table...", kind::creating_new_table},
    {"Altering new table...", kind::altering_new_table},
    {"Creating triggers...", kind::creating_triggers},
    {"Created triggers OK.", kind::created_triggers},
    {"Copied rows OK.", kind::copied},
    {"Analyzing new table...", kind::analyzing},
    {"Swapping tables...", kind::swapping},
    {"Swapped original and new tables OK.", kind::swapped},
    {"Drop-swapping tables...", kind::swapping},
    {"Dropped and swapped tables OK.", kind::swapped},
    {"Rebuilding foreign key constraints...", kind::note},
    {"Rebuilt foreign key constraints OK.", kind::note},
    {"Dropping old table...", kind::dropping_old_table},
    {"Dropping triggers...", kind::dropping_triggers},
    {"Dropped triggers OK.", kind::dropped_triggers},
    {"Dropping new table...", kind::dropping_new_table},
    {"Dropped new table OK.", kind::dropped_new_table},
    {"Adding original triggers to new table.", kind::note},
    {"Adding reverse triggers", kind::note},
    {"Pausing because PXC Flow Control is active", kind::waits_for_flow},
    {"Slave set to watch has changed", kind::watched_set_changed},
    {"Replica set to watch has changed", kind::watched_set_changed},
};

// Text between two fixed pieces; with `is_table`, a quoted table's name and nothing else.
struct framed_line {
    std::string_view begins, ends;
    kind what;
    bool is_table = false;
};

constexpr framed_line framed_lines[] = {
    {"No slaves found.  See --recursion-method if host ", " has slaves.", kind::no_replicas},
    {"No replicas found.  See --recursion-method if host ", " has replicas.", kind::no_replicas},
    {"Ignoring all slaves because ", " was specified", kind::replicas_ignored},
    {"Ignoring all replicas because ", " was specified", kind::replicas_ignored},
    {"Not checking slave lag because ", " was not specified.", kind::lag_not_watched},
    {"Not checking replica lag because ", " was not specified.", kind::lag_not_watched},
    {"Skipping slave ", "", kind::note},
    {"Skipping replica ", "", kind::note},
    {"Altering ", "...", kind::altering, true},
    {"Starting a dry run.  ",
     " will not be altered.  Specify --execute instead of --dry-run to alter the table.",
     kind::dry_run_begun, true},
    {"Created new table ", " OK.", kind::created_new_table},
    {"Altered ", " OK.", kind::altered_new_table, true},
    {"", " is empty, no rows to copy.", kind::nothing_to_copy, true},
    {"Dropped old table ", " OK.", kind::dropped_old_table, true},
    {"Pausing because ", ".", kind::waits_for_load},
    {"# Exiting on ", ".", kind::interrupted},
    {"Not dropping triggers because ", "  To drop the triggers, execute:", kind::triggers_left},
    {"DROP TRIGGER IF EXISTS ", "", kind::drop_statement, true},
    {"DROP TABLE IF EXISTS ", ";", kind::drop_statement, true},
    {"Successfully altered ", ".", kind::successfully_altered, true},
    {"Altered ", " but there were errors or warnings.", kind::altered_with_errors, true},
    {"Dry run complete.  ", " was not altered.", kind::dry_run_complete, true},
    {"", " was not altered.", kind::not_altered, true},
    {"History saved. Job id: ", "", kind::note},
    {"Created plugin from ", ".", kind::note},
    {"Using original table index ", "", kind::note},
    {"Will ", " update foreign keys.", kind::note},
    {"Skipping triggers creation since ", "", kind::note},
    {"Max rows for the rebuild_constraints method: ", "", kind::note},
    {"Waiting forever for new table ", "...", kind::note},
};

void skip_time_stamp(scan& text) {
    scan ahead = text;
    if (ahead.two_digits(100) && ahead.two_digits(100) && ahead.skip("-") && ahead.two_digits(13) &&
        ahead.skip("-") && ahead.two_digits(32) && ahead.skip("T") && ahead.two_digits(24) &&
        ahead.skip(":") && ahead.two_digits(60) && ahead.skip(":") && ahead.two_digits(61) &&
        ahead.skip(" "))
        text = ahead;
}

bool is_one_table(std::string_view text) {
    scan name(text);
    return name.table() && name.done();
}

// What stands between the two pieces; something must.
std::optional<std::string_view> framed(const framed_line& form, std::string_view line) {
    scan text(line);
    if (!text.skip(form.begins)) return std::nullopt;
    const auto middle = text.all_but(form.ends);
    if (!middle || (form.is_table && !is_one_table(*middle))) return std::nullopt;
    return middle;
}

bool read_framed(std::string_view line, pt_osc_line& found) {
    for (const framed_line& form : framed_lines) {
        const auto middle = framed(form, line);
        if (!middle) continue;
        found.kind = form.what;
        // A statement is told whole, but for the semicolon that only one of the two kinds has.
        if (form.what == kind::drop_statement)
            found.text = std::string(form.begins) + std::string(*middle);
        else if (form.what != kind::note)
            found.text = *middle;
        return true;
    }
    return false;
}

// "Found 2 slaves:", "Copying approximately 595630 rows...", "Sleeping 60 seconds because X exists"
bool read_counted(scan text, pt_osc_line& found) {
    if (text.skip("Found ")) {
        found.number = text.count();
        found.kind = kind::replicas_found;
        return found.number && (text.rest() == " slaves:" || text.rest() == " replicas:");
    }
    if (text.skip("Copying approximately ")) {
        found.number = text.count();
        found.kind = kind::copying;
        return found.number && text.rest() == " rows...";
    }
    if (!text.skip("Sleeping ")) return false;
    found.number = text.count();
    if (!found.number || !text.skip(" seconds because ")) return false;
    const auto file = text.all_but(" exists");
    if (!file) return false;
    found.kind = kind::waits_for_file;
    found.text = *file;
    return true;
}

// "Replica lag is 4 seconds on vm.  Waiting."; the lag may be "?".
bool read_lag_wait(scan text, pt_osc_line& found) {
    if (!text.skip("lag is ")) return false;
    if (!text.skip("?") && !(found.number = text.count())) return false;
    if (!text.skip(" seconds on ")) return false;
    const auto server = text.all_but(".  Waiting.");
    if (!server) return false;
    found.kind = kind::waits_for_lag;
    found.text = *server;
    return true;
}

// "Replica 'vm' is stopped.  Waiting.", from 3.5 on without quotes, before it with "(1) " or "(2)
// ".
bool read_replica_wait(scan text, pt_osc_line& found) {
    if (!text.skip("(1) ")) text.skip("(2) ");
    if (!text.skip("Replica ") && !text.skip("Slave ")) return false;
    if (read_lag_wait(text, found)) return true;
    auto server = text.all_but(" is stopped.  Waiting.");
    if (!server) return false;
    if (server->size() > 2 && server->starts_with('\'') && server->ends_with('\''))
        server = server->substr(1, server->size() - 2);
    found.kind = kind::waits_for_stopped;
    found.text = *server;
    return true;
}

// "Copying `db`.`t`:  42% 01:23 remain"
bool read_progress(scan text, pt_osc_line& found) {
    const bool copy = text.skip("Copying ");
    if (!copy && !text.skip("Waiting for ")) return false;
    const auto name = copy ? text.table() : text.until_last(": ");
    if (!name || name->empty() || (copy && !text.skip(": "))) return false;
    text.skip_blanks();
    const auto percent = text.count();
    if (!percent || *percent > 100 || !text.skip("% ")) return false;
    const auto time = text.all_but(" remain");
    const auto remaining = parse_pt_osc_time(time.value_or(""));
    if (!remaining) return false;
    found.kind = copy ? kind::progress : kind::other_progress;
    found.text = *name;
    found.percent = static_cast<unsigned>(*percent);
    found.remaining = *remaining;
    return true;
}

// "Not dropping the new table `db`.`_t_new` because …", and the like of other steps.
bool read_skipped(scan text, pt_osc_line& found) {
    if (!text.skip("Not ")) return false;
    if (text.skip("dropping the new table ")) {
        const auto table = text.table();
        const auto why = text.rest();
        if (!table || !why.starts_with(" because ") ||
            !(why.ends_with("  To drop the new table, execute:") ||
              why.ends_with(" dropping these triggers failed:")))
            return false;
        found.kind = kind::new_table_left;
        found.text = *table;
        return true;
    }
    found.kind = kind::step_skipped;
    const auto step = text.until(" because ");
    if (!step || step->empty()) return false;
    // For any other reason more must follow (see triggers_left).
    if (*step == "dropping triggers") return text.rest() == "this is a dry run.";
    return text.all_but(".").has_value();
}

// Lines of a list, which begin with two blanks.
bool read_item(scan text, pt_osc_line& found) {
    if (!text.skip("  ") || text.rest().starts_with("* ")) return false;
    const auto item = text.rest();
    const auto statement =
        framed({"DROP TRIGGER IF EXISTS ", "", kind::drop_statement, true}, item);
    found.kind = statement ? kind::drop_statement : kind::note;
    found.text = item;
    const bool is_child = item.starts_with('`') && (item.ends_with(" rows)") ||
                                                    item.find(" rows; ") != std::string_view::npos);
    const bool is_operation = std::count(item.begin(), item.end(), ',') == 2;
    const bool is_renamed = item.find(" to ") != std::string_view::npos;
    const bool is_change = item.starts_with("Was: ") || item.starts_with("Now: ");
    return statement || is_child || is_operation || is_renamed || is_change;
}

// "vm -> 127.0.0.1:33991"
bool is_server(std::string_view line) {
    const auto arrow = line.find(" -> ");
    return arrow != 0 && arrow != std::string_view::npos && arrow + 4 < line.size() &&
           line.find(' ') == arrow && line.find(' ', arrow + 4) == std::string_view::npos;
}

// Tries one way to read the line; what does not fit leaves nothing behind.
template <class Reader>
bool fits(Reader&& reader, scan text, pt_osc_line& found) {
    pt_osc_line tried = found;
    if (!reader(text, tried)) return false;
    found = std::move(tried);
    return true;
}

bool read_understood(scan text, pt_osc_line& found) {
    const auto line = text.rest();
    for (const whole_line& form : whole_lines) {
        if (line != form.words) continue;
        found.kind = form.what;
        return true;
    }
    return fits(read_progress, text, found) || fits(read_replica_wait, text, found) ||
           fits(read_counted, text, found) || read_framed(line, found) ||
           fits(read_skipped, text, found) || fits(read_item, text, found);
}

}  // namespace

std::optional<std::chrono::seconds> parse_pt_osc_time(std::string_view line) {
    scan text(line);
    std::uint64_t days = 0;
    unsigned hours = 0;
    scan ahead = text;
    const auto before_plus = ahead.count();
    const bool has_days = before_plus && ahead.skip("+");
    if (has_days) {
        if (*before_plus > 1'000'000) return std::nullopt;
        days = *before_plus;
        text = ahead;
    }
    const auto first = text.two_digits(60);
    if (!first || !text.skip(":")) return std::nullopt;
    const auto second = text.two_digits(60);
    if (!second) return std::nullopt;
    unsigned minutes = *first;
    unsigned seconds = *second;
    if (text.skip(":")) {
        const auto third = text.two_digits(60);
        if (!third || *first >= 24) return std::nullopt;
        hours = *first;
        minutes = *second;
        seconds = *third;
    } else if (has_days) {
        return std::nullopt;
    }
    if (!text.done()) return std::nullopt;
    return std::chrono::days(days) + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
           std::chrono::seconds(seconds);
}

pt_osc_line parse_pt_osc_line(std::string_view line) {
    scan text(line);
    text.skip("\t");
    const bool again = text.skip("(in cleanup) ");  // how Perl tells an error within clean-up
    skip_time_stamp(text);
    pt_osc_line found;
    found.text = text.rest();
    if (text.rest().find_first_not_of(" \t") == std::string_view::npos)
        found.kind = kind::blank;
    else if (again)
        found.kind = kind::trouble;
    else if (read_understood(text, found))
        return found;
    else if (text.rest().starts_with("# "))
        found.kind = kind::statistics;
    else if (is_server(text.rest()))
        found.kind = kind::server;
    else
        found.kind = complaint_of_pt_osc(text.rest());
    return found;
}

}  // namespace primacy::osc
