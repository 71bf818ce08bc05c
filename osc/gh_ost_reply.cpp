#include "osc/gh_ost_reply.hpp"

#include "osc/scan.hpp"

namespace primacy::osc {

namespace {

using kind = gh_ost_reply_kind;

struct reply_form {
    std::string_view words;  // in small letters, without a final dot
    kind what;
    bool is_whole_line;
};

constexpr reply_form reply_forms[] = {
    {"unpostponed", kind::unpostponed, true},
    {"postponed", kind::postponed, true},
    {"you may only invoke this when gh-ost is actively postponing migration. at this time it is "
     "not",
     kind::not_postponing, true},
    {"user commanded 'panic'. the migration will be aborted without cleanup", kind::panicking,
     false},
    {"unknown command: ", kind::unknown_command, false},
    {"# note: you may only throttle for as long as your binary logs are not purged",
     kind::throttling, true},
};

std::string small_letters(std::string_view text) {
    std::string small(text);
    for (char& letter : small) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    return small;
}

// "user commanded 'panic' on other, but migrated table is orders; ignoring request", or without a
// name where one is wanted. The panic that was accepted begins alike, and so do parts of it.
bool is_refusal(std::string_view words) {
    scan text(words);
    if (!text.skip("user commanded '") || !text.until("'")) return false;
    return text.rest().starts_with(" without specifying ") ||
           (text.skip(" on ") && text.all_but("; ignoring request"));
}

kind kind_of(std::string_view line) {
    const std::string small = small_letters(line);
    std::string_view words = small;
    if (words.ends_with('.')) words.remove_suffix(1);
    for (const reply_form& form : reply_forms) {
        if (form.is_whole_line ? words == form.words : words.starts_with(form.words))
            return form.what;
    }
    return is_refusal(words) ? kind::refused : kind::text;
}

void hear(std::string_view line, gh_ost_reply& found) {
    gh_ost_line parsed = parse_gh_ost_line(line);
    if (parsed.kind == gh_ost_line_kind::blank) return;
    if (parsed.kind == gh_ost_line_kind::status) {
        found.status = std::move(parsed.status);
        return;
    }
    if (parsed.kind == gh_ost_line_kind::hint) {
        if (parsed.hint == gh_ost_hint::postpone_file) found.postpone_file_set = parsed.is_set;
        return;
    }
    const kind said = kind_of(line);
    // The first line that says something definite is the answer; a plain text never outranks it.
    if (found.kind != kind::nothing && (found.kind != kind::text || said == kind::text)) return;
    found.kind = said;
    found.text = line;
}

}  // namespace

std::string_view to_string(gh_ost_reply_kind which) noexcept {
    switch (which) {
        case kind::nothing: return "nothing";
        case kind::status: return "status";
        case kind::throttling: return "throttling";
        case kind::unpostponed: return "unpostponed";
        case kind::postponed: return "postponed";
        case kind::not_postponing: return "not postponing";
        case kind::panicking: return "panicking";
        case kind::refused: return "refused";
        case kind::unknown_command: return "unknown command";
        case kind::text: return "text";
    }
    return "text";
}

gh_ost_reply parse_gh_ost_reply(std::string_view reply) {
    gh_ost_reply found;
    while (!reply.empty()) {
        const auto end = reply.find('\n');
        auto line = reply.substr(0, end);
        reply.remove_prefix(end == std::string_view::npos ? reply.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        hear(line, found);
    }
    // The list of control replicas comes before the settings: it is no error, for a status follows.
    if (found.status && (found.kind == kind::nothing || found.kind == kind::text)) {
        found.kind = kind::status;
        found.text.clear();
    }
    return found;
}

}  // namespace primacy::osc
