#include "osc/gh_ost_ending.hpp"

#include <utility>

namespace primacy::osc {

namespace {

using failure = gh_ost_failure;

struct fatal_form {
    std::string_view words;  // anywhere in the reason, but for its first letter
    failure why;
};

constexpr fatal_form fatal_forms[] = {
    {"ser commanded 'panic'", failure::panic_commanded},
    {"ound panic-file ", failure::panic_file},
    {"critical-load met", failure::critical_load},
    {"already exists. Panicking", failure::remains_in_way},
    {"bind: address already in use", failure::socket_taken},
    {"imeout while waiting for events up to lock", failure::cut_over_timeout},
    {"Lock wait timeout exceeded", failure::cut_over_timeout},
    {"another gh-ost process is already migrating", failure::already_running},
};

// What the failure itself says of tables that stay.
leftovers left_by(failure why, const gh_ost_words& words) {
    switch (why) {
        case failure::panic_commanded:
        case failure::panic_file:
        case failure::critical_load:
        case failure::remains_in_way:
        case failure::socket_taken:
        case failure::cut_over_timeout: return leftovers::certain;
        default: return words.any_status ? leftovers::certain : leftovers::possible;
    }
}

tool_ending killed(const process_status& status, const gh_ost_words& words) {
    tool_ending ending{.verdict = tool_verdict::failed,
                       .left = words.any_status ? leftovers::certain : leftovers::possible,
                       .sentence = "gh-ost was ended by " + describe(status)};
    if (*status.signal == 13) ending.sentence += ": nobody read its output any more";
    if (words.done) {
        // It has nothing left to do after that line but to go.
        ending.verdict = tool_verdict::unclear;
        ending.left = words.finished ? leftovers::none : leftovers::possible;
        ending.sentence += " after it had said \"# Done\"";
    }
    return ending;
}

tool_ending succeeded(const process_status& status, const gh_ost_words& words) {
    tool_ending ending{.verdict = status.known() ? tool_verdict::succeeded : tool_verdict::said_so,
                       .left = words.finished ? leftovers::none : leftovers::possible,
                       .sentence = status.known()
                                       ? "gh-ost ended with exit code 0 and \"# Done\""
                                       : "gh-ost said \"# Done\"; its exit status is not known"};
    if (!words.finished) ending.sentence += ", but not that it dropped its own tables";
    return ending;
}

tool_ending failed(const process_status& status, const gh_ost_words& words) {
    const auto left = left_by(classify_gh_ost_fatal(words.fatal), words);
    if (!words.fatal.empty()) return {tool_verdict::failed, left, "gh-ost gave up: " + words.fatal};
    std::string sentence = "gh-ost ended with " + describe(status) + " and gave no reason";
    if (!words.error.empty()) sentence += "; its last error was: " + words.error;
    return {tool_verdict::failed, left, std::move(sentence)};
}

}  // namespace

std::string_view to_string(gh_ost_failure why) noexcept {
    switch (why) {
        case failure::none: return "none";
        case failure::panic_commanded: return "panic commanded";
        case failure::panic_file: return "panic file";
        case failure::critical_load: return "critical load";
        case failure::remains_in_way: return "remains in the way";
        case failure::socket_taken: return "socket taken";
        case failure::hook_failed: return "hook failed";
        case failure::cut_over_timeout: return "cut-over timed out";
        case failure::already_running: return "already running";
        case failure::other: return "other";
    }
    return "other";
}

gh_ost_failure classify_gh_ost_fatal(std::string_view reason) noexcept {
    if (reason.empty()) return failure::none;
    if (reason.starts_with("exit status ")) return failure::hook_failed;
    for (const fatal_form& form : fatal_forms) {
        if (reason.find(form.words) != std::string_view::npos) return form.why;
    }
    return failure::other;
}

void gh_ost_words::hear(const gh_ost_line& line) {
    switch (line.kind) {
        case gh_ost_line_kind::status: any_status = true; break;
        case gh_ost_line_kind::done: done = true; break;
        case gh_ost_line_kind::finished: finished = true; break;
        case gh_ost_line_kind::fatal: fatal = line.text; break;
        case gh_ost_line_kind::error: error = line.text; break;
        case gh_ost_line_kind::crash:
            if (crash.empty()) crash = line.text;
            break;
        default: break;
    }
}

tool_ending judge_gh_ost(const process_status& status, const gh_ost_words& words) {
    if (status.signal) return killed(status, words);
    const auto left = words.any_status ? leftovers::certain : leftovers::possible;
    if (!words.crash.empty()) return {tool_verdict::failed, left, "gh-ost crashed: " + words.crash};
    const bool says_failure = !words.fatal.empty();
    if (words.done && says_failure)
        return {tool_verdict::unclear, left,
                "gh-ost said both \"# Done\" and a reason to give up: " + words.fatal};
    if (words.done && status.exit_code.value_or(0) != 0)
        return {tool_verdict::unclear, left,
                "gh-ost said \"# Done\", and yet it ended with " + describe(status)};
    if (words.done) return succeeded(status, words);
    if (status.exit_code == 0)
        return {tool_verdict::unclear, left,
                "gh-ost ended with exit code 0, but never said \"# Done\""};
    if (status.exit_code == 2 && !says_failure && !words.any_status)
        return {tool_verdict::failed, leftovers::none,
                "gh-ost did not take its options (exit code 2)" +
                    (words.error.empty() ? "" : ": " + words.error)};
    if (!status.known() && !says_failure)
        return {tool_verdict::unclear, left,
                "gh-ost is gone; its exit status is not known and it said nothing of its end"};
    return failed(status, words);
}

}  // namespace primacy::osc
