#include "osc/pt_osc_ending.hpp"

#include <algorithm>
#include <utility>

namespace primacy::osc {

namespace {

using kind = pt_osc_line_kind;
using last = pt_osc_last_words;

struct exit_meaning {
    int code;
    std::string_view meaning;
};

constexpr exit_meaning exit_meanings[] = {
    {0, "it reports no error, which says little"},
    {1, "options that it does not take, a signal, or something that it could not clean up"},
    {2, "a server that is too old"},
    {3, "a server that lacks what it needs"},
    {4, "the table has no primary key and no unique key without NULL"},
    {5, "its plugin cannot be loaded"},
    {6, "an unknown method for foreign keys"},
    {7, "a key of the wrong length"},
    {9, "a key whose length is not known, or one that is not safe to go along"},
    {10, "the new table could not be created"},
    {11, "the new table could not be altered, or any other failure of that number"},
    {12, "the triggers could not be created"},
    {13, "the table's own triggers could not be restored"},
    {14, "the tables could not be swapped"},
    {15, "the foreign keys could not be brought along"},
    {16, "the old table could not be dropped"},
    {17, "an operation that it does not support"},
    {18, "no connection to the server"},
    {19, "the connection to the server was lost"},
    {20, "the reverse triggers could not be created"},
    {25, "no meaning of its own: the reason is what it wrote"},
    {128, "replication of a replica is stopped"},
    {255, "no meaning of its own: the reason is what it wrote"},
};

// The table that it made is the table itself once they are swapped.
leftovers left_by(const pt_osc_words& words) {
    if (words.drop_failed) return leftovers::certain;
    if (words.triggers_begun && !words.triggers_dropped) return leftovers::certain;
    if (words.new_table_made && !words.new_table_dropped && !words.swapped)
        return leftovers::certain;
    // Between "Swapping" and "Swapped" nobody knows but the server; an old table is dropped last.
    const bool in_between = words.swap_begun && !words.swapped;
    if (in_between) return leftovers::certain;
    if (words.last == last::none && words.began) return leftovers::possible;
    return leftovers::none;
}

std::string reason(const pt_osc_words& words) {
    if (!words.trouble.empty()) return words.trouble;
    return words.not_understood;
}

std::string last_words(last what) {
    switch (what) {
        case last::successfully_altered: return "\"Successfully altered\"";
        case last::altered_with_errors: return "\"Altered … but there were errors or warnings\"";
        case last::not_altered: return "\"was not altered\"";
        case last::dry_run_complete: return "\"Dry run complete\"";
        case last::none: break;
    }
    return "nothing of its end";
}

tool_ending ended(tool_verdict verdict, const process_status& status, const pt_osc_words& words) {
    std::string sentence = "pt-online-schema-change ended with " + describe(status) + " and said " +
                           last_words(words.last);
    if (words.last == last::successfully_altered && !words.swapped)
        sentence += ", but not that it swapped the tables";
    else if (verdict != tool_verdict::succeeded && verdict != tool_verdict::said_so) {
        if (!words.interrupted_by.empty())
            sentence += "; it was interrupted by " + words.interrupted_by;
        else if (const auto why = reason(words); !why.empty())
            sentence += "; it complained: " + why;
        else if (status.exit_code)
            sentence += "; that code means: " + explain_pt_osc_exit(*status.exit_code);
    }
    return {verdict, left_by(words), std::move(sentence)};
}

bool is_drop_failure(std::string_view trouble) {
    return trouble.starts_with("Error dropping new table ") ||
           trouble.starts_with("Error dropping trigger") ||
           trouble.starts_with("These triggers must be dropped ") ||
           trouble.starts_with("To try dropping the triggers again");
}

void hear_the_end(const pt_osc_line& line, pt_osc_words& words) {
    switch (line.kind) {
        case kind::interrupted: words.interrupted_by = line.text; break;
        case kind::successfully_altered: words.last = last::successfully_altered; break;
        case kind::altered_with_errors: words.last = last::altered_with_errors; break;
        case kind::not_altered: words.last = last::not_altered; break;
        case kind::dry_run_complete: words.last = last::dry_run_complete; break;
        case kind::drop_statement:
            if (words.drop_statements.size() < 100) words.drop_statements.push_back(line.text);
            break;
        case kind::trouble:
            words.trouble = line.text;
            if (is_drop_failure(line.text)) words.drop_failed = true;
            break;
        case kind::unknown: words.not_understood = line.text; break;
        default: break;
    }
}

}  // namespace

void pt_osc_words::hear(const pt_osc_line& line) {
    switch (line.kind) {
        case kind::altering:
        case kind::dry_run_begun: began = true; break;
        case kind::created_new_table: new_table_made = true; break;
        case kind::dropped_new_table: new_table_dropped = true; break;
        case kind::creating_triggers: triggers_begun = true; break;
        case kind::dropped_triggers: triggers_dropped = true; break;
        case kind::copied: copied = true; break;
        case kind::swapping: swap_begun = true; break;
        case kind::swapped:
            swapped = true;
            if (line.text.starts_with("Dropped and ")) old_table_dropped = true;
            break;
        case kind::dropped_old_table: old_table_dropped = true; break;
        default: hear_the_end(line, *this); break;
    }
}

std::string explain_pt_osc_exit(int code) {
    for (const exit_meaning& known : exit_meanings) {
        if (known.code == code) return std::string(known.meaning);
    }
    return "no meaning that is known; the reason is what it wrote";
}

tool_ending judge_pt_osc(const process_status& status, const pt_osc_words& words, bool dry_run) {
    const auto verdict = [&](tool_verdict which) { return ended(which, status, words); };
    const auto wanted = dry_run ? last::dry_run_complete : last::successfully_altered;
    if (status.signal) {
        // Words of an end before the signal contradict it: then the server has to tell.
        const bool spoke = words.last == wanted || words.last == last::altered_with_errors;
        return verdict(spoke || words.swap_begun ? tool_verdict::unclear : tool_verdict::failed);
    }
    if (words.last == last::not_altered) {
        // 3.7.0 exits 0 on some of these failures.
        return verdict(words.swapped ? tool_verdict::unclear : tool_verdict::failed);
    }
    if (words.last == wanted) {
        // With --no-swap-tables it says "Successfully altered" of a table that it did not alter.
        if (words.drop_failed || (!dry_run && !words.swapped))
            return verdict(tool_verdict::unclear);
        if (!status.known()) return verdict(tool_verdict::said_so);
        return verdict(status.exit_code == 0 ? tool_verdict::succeeded : tool_verdict::unclear);
    }
    if (words.last != last::none) return verdict(tool_verdict::unclear);
    const bool failed = status.exit_code.value_or(0) != 0 && !words.swap_begun;
    return verdict(failed ? tool_verdict::failed : tool_verdict::unclear);
}

}  // namespace primacy::osc
