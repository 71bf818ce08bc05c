#include "osc/pt_osc_complaint.hpp"

#include "osc/scan.hpp"

#include <algorithm>
#include <iterator>

namespace primacy::osc {

namespace {

using kind = pt_osc_line_kind;

// What an error of the tool, of Perl or of its database driver begins with.
constexpr std::string_view trouble_signs[] = {
    "Error ",
    "Cannot ",
    "DBD::",
    "DBI ",
    "Lost connection ",
    "Failed to ",
    "Invalid ",
    "The table ",
    "The new table ",
    "The original table ",
    "There is an error ",
    "Exiting ",
    "replication is stopped",
    "2> Cannot ",
    "You did not specify --alter-foreign-keys-method",
    "Errors in command-line",
    "  * ",
    "Unknown option: ",
    "Option ",
    "--",
    "This tool requires ",
    "Using option --where ",
    "These triggers must be dropped ",
    "To try dropping ",
    "Child tables found ",
    "User-specified ",
    "wsrep_OSU_method=TOI ",
    "Percona XtraDB Cluster ",
    "MySQL error ",
    "Lost ",
};

// And a warning.
constexpr std::string_view warning_signs[] = {
    "WARNING",       "Rows are copying very slowly.", "No foreign keys reference ",
    "Use of uninit", "Switching to nibble",           "Chunk index ",
    "Use --",        "Error getting server id",
};

// The rest of a message that began on a line before, and what precedes a usage message.
constexpr std::string_view further_words[] = {
    "Please ",
    "See http",
    "Usage: pt-online-schema-change ",
    "Determining the method to update ",
    "The tool should handle this correctly, ",
    "pt-online-schema-change alters a table's ",
    "writes.  Specify the database ",
    "reading its documentation ",
    "details, please use the ",
};

template <class Signs>
bool begins_with_any(std::string_view line, const Signs& signs) {
    return std::any_of(std::begin(signs), std::end(signs),
                       [line](std::string_view sign) { return line.starts_with(sign); });
}

// A replica that was found and cannot be reached: "Cannot connect to P=3306,h=db2,…". It is not
// watched then.
bool is_lost_replica(std::string_view line) {
    scan text(line);
    return text.skip("Cannot connect to ") && text.rest().size() > 2 && text.rest()[1] == '=';
}

}  // namespace

pt_osc_line_kind complaint_of_pt_osc(std::string_view line) {
    if (begins_with_any(line, warning_signs) || is_lost_replica(line)) return kind::warning;
    if (line.find(" exceeds its critical threshold ") != std::string_view::npos ||
        line.find("pt-online-schema-change line ") != std::string_view::npos ||
        begins_with_any(line, trouble_signs))
        return kind::trouble;
    return begins_with_any(line, further_words) ||
                   line.ends_with("pt-online-schema-change' for complete documentation.")
               ? kind::note
               : kind::unknown;
}

}  // namespace primacy::osc
