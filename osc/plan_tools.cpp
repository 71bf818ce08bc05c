// Which versions of gh-ost and pt-online-schema-change work with which servers, tables and ALTERs.
#include "osc/compatibility.hpp"
#include "osc/plan_rules.hpp"
#include "osc/tool_reading.hpp"

#include <algorithm>

namespace primacy::osc {

using checks::flavor;
using checks::server_version;

namespace {

std::string version_words(const server_side& server) {
    return std::string(server.kind == flavor::mariadb ? "MariaDB " : "MySQL ") +
           std::to_string(server.version.major) + "." + std::to_string(server.version.minor);
}

std::string unusable(const tool_facts& tool, tool_version oldest, std::string_view oldest_words) {
    if (!tool.problem.empty()) return tool.problem;
    if (tool.path.empty()) return "it is not installed";
    if (!tool.version) return "its version cannot be read from \"" + tool.version_text + "\"";
    if (*tool.version < oldest)
        return "version " + tool.version_text + " is too old; take " + std::string(oldest_words) +
               " or later";
    return "";
}

std::string gh_ost_against_table(const planning& in) {
    const auto& table = in.known.table;
    if (!table.foreign_keys.empty() || !table.referenced_by.empty())
        return "gh-ost refuses tables with foreign keys";
    if (!table.triggers.empty() && *in.known.gh_ost.version < tool_version{1, 1, 8})
        return "gh-ost before 1.1.8 refuses tables with triggers";
    if (in.asked.table.table.find('`') != std::string::npos ||
        in.asked.table.database.find_first_of("` ") != std::string::npos)
        return "gh-ost does not get along with a backquote in a name, nor with a blank in the name "
               "of a database";
    if (!gh_ost_can_name(in.asked.table.table))
        return "gh-ost would cut the long name in the middle of a character";
    if (!lasting_row_identity(table, in.made.alter))
        return "no PRIMARY or UNIQUE key without NULL tells the rows apart, before and after";
    return why_gh_ost_misreads(in.made.alter);
}

std::string pt_osc_against_table(const planning& in) {
    for (const std::string* part : {&in.asked.table.database, &in.asked.table.table})
        if (part->find_first_of("`'\",=\\%") != std::string::npos)
            return "its way to name a table allows no quotes, commas, equals signs, percent signs "
                   "or backslashes in it";
    if (!lasting_row_identity(in.known.table, in.made.alter))
        return "no PRIMARY or UNIQUE key without NULL tells the rows apart, before and after";
    return why_pt_osc_misreads(in.made.alter);
}

}  // namespace

// By runs and sources of July 2026: which releases log in at all and see their own events.
std::string why_gh_ost_cannot(const tool_facts& gh_ost, const server_side& server) {
    if (std::string why = unusable(gh_ost, {1, 1, 0}, "1.1.0"); !why.empty()) return why;
    const tool_version version = *gh_ost.version;
    const std::string here = "gh-ost " + gh_ost.version_text;
    if (server.kind == flavor::mysql) {
        if (server.version >= server_version{8, 4, 0} && version < tool_version{1, 1, 8})
            return here + " does not know the words of MySQL 8.4; 1.1.8 and later do";
        return "";
    }
    if (gh_ost.knows_mariadb) return "";
    if (server.version >= server_version{11, 1, 0})
        return version >= tool_version{1, 1, 9}
                   ? ""
                   : here + " never sees its own events on " + version_words(server) +
                         "; 1.1.9 and later do";
    return version <= tool_version{1, 1, 5}
               ? ""
               : here + " asks " + version_words(server) +
                     " for a variable that it does not have (error 1193); releases after 1.1.10 "
                     "know MariaDB";
}

std::string why_pt_osc_cannot(const tool_facts& pt_osc, const server_side& server) {
    if (std::string why = unusable(pt_osc, {3, 0, 0}, "3.0"); !why.empty()) return why;
    const bool speaks_84 = *pt_osc.version >= tool_version{3, 7, 0};
    if (server.kind == flavor::mysql && server.version >= server_version{8, 4, 0} && !speaks_84)
        return "pt-online-schema-change " + pt_osc.version_text +
               " cannot see replicas of MySQL 8.4 and later; 3.7 and later can";
    return "";
}

std::string why_not_granted(const std::vector<std::string>& missing) {
    std::string statements;
    for (const auto& each : missing)
        statements += " " + each;
    return missing.empty() ? "" : "the account lacks what it needs; on the writer:" + statements;
}

std::string why_not_gh_ost(const planning& in) {
    const server_side* server = in.read_by_gh_ost();
    if (std::string why = unusable(in.known.gh_ost, {1, 1, 0}, "1.1.0"); !why.empty()) return why;
    if (!server || server->unreadable) return "the server that it would read is not known";
    if (std::string why = why_gh_ost_cannot(in.known.gh_ost, *server); !why.empty()) return why;
    if (server->host.empty())
        return "gh-ost needs a TCP address, and " + server->name + " is configured by its socket";
    if (server->galera.value_or(false)) return "gh-ost does not work on Galera";
    if (!server->log_bin) return "whether " + server->name + " writes a binary log is not known";
    if (!*server->log_bin) return server->name + " writes no binary log";
    if (std::string why = gh_ost_against_table(in); !why.empty()) return why;
    return why_not_granted(in.known.gh_ost.missing_grants);
}

std::string why_not_pt_osc(const planning& in) {
    const server_side* writer = in.known.writer();
    if (std::string why = unusable(in.known.pt_osc, {3, 0, 0}, "3.0"); !why.empty()) return why;
    if (!writer || writer->unreadable) return "the writer is not known";
    if (in.asked.attempt == trial::test_on_replica)
        return "pt-online-schema-change has no test on a replica";
    if (std::string why = why_pt_osc_cannot(in.known.pt_osc, *writer); !why.empty()) return why;
    if (std::string why = pt_osc_against_table(in); !why.empty()) return why;
    return why_not_granted(in.known.pt_osc.missing_grants);
}

}  // namespace primacy::osc
