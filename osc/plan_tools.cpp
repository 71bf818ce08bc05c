// Which versions of gh-ost and pt-online-schema-change work with which servers.
#include "osc/plan_rules.hpp"

#include <algorithm>

namespace primacy::osc {

using checks::flavor;
using checks::server_version;

namespace {

std::string version_words(const server_side& server) {
    return std::string(server.kind == flavor::mariadb ? "MariaDB " : "MySQL ") +
           std::to_string(server.version.major) + "." + std::to_string(server.version.minor);
}

std::string unusable(const tool_facts& tool) {
    if (!tool.problem.empty()) return tool.problem;
    if (tool.path.empty()) return "it is not installed";
    if (!tool.version) return "its version cannot be read from \"" + tool.version_text + "\"";
    return why_not_granted(tool.missing_grants);
}

// By runs and sources of July 2026: which releases log in at all and see their own events.
std::string gh_ost_against(const tool_facts& gh_ost, const server_side& writer) {
    const tool_version version = *gh_ost.version;
    const std::string here = "gh-ost " + gh_ost.version_text;
    if (writer.kind == flavor::mysql) {
        if (writer.version >= server_version{8, 4, 0} && version < tool_version{1, 1, 8})
            return here + " does not know the words of MySQL 8.4; 1.1.8 and later do";
        return "";
    }
    if (gh_ost.knows_mariadb) return "";
    if (writer.version >= server_version{11, 1, 0})
        return version >= tool_version{1, 1, 9}
                   ? ""
                   : here + " never sees its own events on " + version_words(writer) +
                         "; 1.1.9 and later do";
    return version <= tool_version{1, 1, 5}
               ? ""
               : here + " asks " + version_words(writer) +
                     " for a variable that it does not have (error 1193); releases after 1.1.10 "
                     "know MariaDB";
}

}  // namespace

std::string why_not_granted(const std::vector<std::string>& missing) {
    std::string statements;
    for (const auto& each : missing)
        statements += " " + each;
    return missing.empty() ? "" : "the account lacks what it needs; on the writer:" + statements;
}

std::string why_not_gh_ost(const planning& in) {
    const server_side* writer = in.known.writer();
    if (std::string why = unusable(in.known.gh_ost); !why.empty()) return why;
    if (!writer || writer->unreadable) return "the writer is not known";
    if (std::string why = gh_ost_against(in.known.gh_ost, *writer); !why.empty()) return why;
    if (writer->host.empty())
        return "gh-ost needs a TCP address, and " + writer->name + " is configured by its socket";
    if (writer->galera.value_or(false)) return "gh-ost does not work on Galera";
    if (!writer->log_bin.value_or(false)) return "the writer writes no binary log";
    const auto& table = in.known.table;
    if (!table.foreign_keys.empty() || !table.referenced_by.empty())
        return "gh-ost refuses tables with foreign keys";
    if (!table.triggers.empty() && *in.known.gh_ost.version < tool_version{1, 1, 8})
        return "gh-ost before 1.1.8 refuses tables with triggers";
    if (in.asked.table.table.find('`') != std::string::npos ||
        in.asked.table.database.find_first_of("` ") != std::string::npos)
        return "gh-ost does not get along with a backquote in a name, nor with a blank in that of "
               "a "
               "database";
    return "";
}

std::string why_not_pt_osc(const planning& in) {
    const server_side* writer = in.known.writer();
    if (std::string why = unusable(in.known.pt_osc); !why.empty()) return why;
    if (!writer || writer->unreadable) return "the writer is not known";
    if (in.asked.attempt == trial::test_on_replica)
        return "pt-online-schema-change has no test on a replica";
    bool speaks_84 = *in.known.pt_osc.version >= tool_version{3, 7, 0};
    if (writer->kind == flavor::mysql && writer->version >= server_version{8, 4, 0} && !speaks_84)
        return "pt-online-schema-change " + in.known.pt_osc.version_text +
               " cannot see replicas of MySQL 8.4 and later; 3.7 and later can";
    for (const std::string* part : {&in.asked.table.database, &in.asked.table.table})
        if (part->find_first_of("`'\",=\\%") != std::string::npos)
            return "its way to name a table allows no quotes, commas, equals signs, percent "
                   "signs or backslashes in it";
    return "";
}

}  // namespace primacy::osc
