// The lines by which our own runner of a native ALTER (osc/drivers/native_run) tells how it goes,
// written and read in one place. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace primacy::osc {

struct native_line {
    enum class what {
        session,   // `number` is the server's id of the session that alters
        progress,  // `ratio` and `text`: the server's own words for the stage
        done,      // the server says that it has altered the table
        failed     // it has not, `text` says why; `number` is the server's error, 0: none
    } kind = what::session;
    std::uint64_t number = 0;
    double ratio = 0;  // 0 to 1
    std::string text;
};

std::string to_line(const native_line& line);
std::optional<native_line> parse_native_line(std::string_view text);

}  // namespace primacy::osc
