// What gh-ost answers on its socket. Pure; knows no socket. The first letters are small from 1.1.9
// on and a final dot comes and goes, so neither counts.
#pragma once

#include "osc/gh_ost_output.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace primacy::osc {

enum class gh_ost_reply_kind {
    nothing,          // it closed without a word
    status,           // done, or told: a status line, with or without the settings
    throttling,       // done: it pauses (the note on binary logs, which are kept only so long)
    unpostponed,      // one attempt to cut over; the flag file stays and is looked at again
    postponed,        // a flag file was made
    not_postponing,   // unpostpone came too early; nothing is remembered of it
    panicking,        // it ends now, without cleaning up
    refused,          // the table's name was missing or another one: nothing was done
    unknown_command,  // this version does not have it
    text              // no status line: the value that was asked for, or else the text of an error
};
std::string_view to_string(gh_ost_reply_kind kind) noexcept;

struct gh_ost_reply {
    gh_ost_reply_kind kind = gh_ost_reply_kind::nothing;
    std::string text;                       // the line that says so; of `status`, empty
    std::optional<gh_ost_status> status;    // the last status line within
    std::optional<bool> postpone_file_set;  // when the settings are within
};

gh_ost_reply parse_gh_ost_reply(std::string_view reply);

}  // namespace primacy::osc
