#include "osc/plan_rules.hpp"

#include "checks/words.hpp"

#include <algorithm>

namespace primacy::osc {

using checks::flavor;
using checks::server_version;
namespace words = checks::words;

namespace {

constexpr std::string_view unknown_writer = "unknown_writer";

std::string names_of(const std::vector<std::string>& names) {
    return words::list(names);
}

std::string megabytes(std::uint64_t bytes) {
    return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

bool needs_binlog(const planning& in) {
    return in.made.chosen == tool::gh_ost;
}

void judge_name_and_alter(const planning& in) {
    if (std::string why = unusable_because(in.asked.table); !why.empty())
        in.refuse_for_good("bad_name", std::move(why));
    const alter_request& alter = in.made.alter;
    if (!alter.problem.empty()) {
        in.refuse_for_good("bad_alter", alter.problem);
        return;
    }
    if (alter.named &&
        (alter.named->table != in.asked.table.table ||
         (!alter.named->database.empty() && alter.named->database != in.asked.table.database)))
        in.refuse_for_good("bad_alter", "the ALTER names another table than " +
                                            readable(in.asked.table) +
                                            "; one job alters one table");
    if (alter.has(clause_kind::partitioning) || alter.has(clause_kind::system_versioning))
        in.refuse_for_good("bad_alter",
                           "partitions and system versioning are not changed by a job; use the "
                           "server's own ALTER in a maintenance window");
    if (!in.known.syntax_error.empty())
        in.refuse_for_good("bad_alter",
                           "the server cannot read the ALTER: " + in.known.syntax_error);
}

void judge_columns(const planning& in) {
    for (const auto& each : in.made.alter.clauses) {
        bool must_exist =
            each.kind == clause_kind::drop_column || each.kind == clause_kind::modify_column ||
            each.kind == clause_kind::rename_column || each.kind == clause_kind::column_default;
        bool optional = each.text.find(" EXISTS") != std::string::npos ||
                        each.text.find(" exists") != std::string::npos;
        if (must_exist && !optional && !each.column.empty() && !in.known.table.column(each.column))
            in.refuse_for_good("bad_alter",
                               readable(in.asked.table) + " has no column " + quoted(each.column));
        if (each.kind == clause_kind::add_column && !optional && !each.column.empty() &&
            in.known.table.column(each.column))
            in.refuse_for_good("bad_alter", readable(in.asked.table) + " has a column " +
                                                quoted(each.column) + " already");
    }
}

}  // namespace

bool planning::allowed(std::string_view code) const {
    return std::find(asked.allow.begin(), asked.allow.end(), code) != asked.allow.end();
}

void planning::warn(std::string_view code, std::string reason) const {
    made.warnings.push_back({std::string(code), std::move(reason)});
}

void planning::refuse(std::string_view code, std::string reason) const {
    if (allowed(code))
        warn(code, "allowed by --allow: " + reason);
    else
        made.refusals.push_back({std::string(code), std::move(reason), true});
}

void planning::refuse_for_good(std::string_view code, std::string reason) const {
    made.refusals.push_back({std::string(code), std::move(reason), false});
}

bool planning::copies() const {
    return made.chosen == tool::gh_ost || made.chosen == tool::pt_osc;
}

void judge_request(const planning& in) {
    judge_name_and_alter(in);
    for (const auto& code : in.asked.allow) {
        const auto& all = codes_to_allow();
        if (std::find(all.begin(), all.end(), code) == all.end())
            in.refuse_for_good("bad_allow", "--allow knows no \"" + code + "\"");
    }
    const server_side* writer = in.known.writer();
    if (!in.known.around.writer_unknown_because.empty() || !writer || writer->unreadable) {
        std::string why = in.known.around.writer_unknown_because;
        if (why.empty())
            why = writer ? writer->name + " cannot be read: " + *writer->unreadable
                         : "no server of the topology is the writer";
        in.refuse_for_good(unknown_writer,
                           why + "; see `primacy status " + in.asked.topology + "`");
        return;
    }
    const table_facts& table = in.known.table;
    for (const auto& why : table.unread)
        in.refuse_for_good("not_readable", why);
    if (!table.exists && table.unread.empty())
        in.refuse_for_good("no_table",
                           "there is no table " + readable(in.asked.table) + " on " + writer->name);
    else if (table.is_view)
        in.refuse_for_good("no_table", readable(in.asked.table) + " is a view, not a table");
    else if (in.made.alter.problem.empty())
        judge_columns(in);
}

void judge_table(const planning& in) {
    const table_facts& table = in.known.table;
    if (table.system_versioned && in.copies())
        in.refuse("system_versioned", readable(table.name) + " is system-versioned: a copy by " +
                                          std::string(to_string(*in.made.chosen)) +
                                          " keeps the current rows and silently loses all history");
    if (in.copies() && !table.row_identity())
        in.refuse_for_good("no_unique_key", readable(table.name) +
                                                " has no PRIMARY KEY and no UNIQUE key without "
                                                "NULL, by which rows could be told apart");
    if (!table.triggers.empty() && in.copies())
        in.refuse("triggers", readable(table.name) + " has triggers (" + names_of(table.triggers) +
                                  "); the tool would have to carry them over");
    if (in.copies() && !(table.foreign_keys.empty() && table.referenced_by.empty())) {
        std::vector<std::string> all = table.foreign_keys;
        all.insert(all.end(), table.referenced_by.begin(), table.referenced_by.end());
        in.refuse("foreign_keys", readable(table.name) + " has foreign keys (" + names_of(all) +
                                      "), which a copied table has to be given anew");
    }
    if (in.made.alter.has(clause_kind::add_unique) && in.copies())
        in.refuse("new_unique_key",
                  "a new UNIQUE key on a copy silently drops rows that are equal in it; make sure "
                  "that there are none");
    for (const auto& each : in.made.alter.clauses) {
        bool renames = !each.new_column.empty();
        if (renames && in.copies())
            in.refuse("rename_column", "renaming " + quoted(each.column) + " to " +
                                           quoted(each.new_column) +
                                           " by a copy depends on the tool's reading of the ALTER; "
                                           "a native ALTER renames at once");
        if (each.not_null_no_default && each.kind == clause_kind::add_column && in.copies())
            in.warn("not_null_no_default",
                    quoted(each.column) +
                        " is NOT NULL without DEFAULT: old rows get the type's "
                        "zero value");
    }
}

void judge_servers(const planning& in) {
    std::uint64_t needed = in.made.expected.bytes.value_or(0);
    needed +=
        needed / 10 + (needed == 0 ? 0 : 100'000'000);  // and room for what is written meanwhile
    for (const auto& server : in.known.servers) {
        if (server.unreadable) {
            in.refuse("server_unknown", server.name + " cannot be read: " + *server.unreadable +
                                            "; its lag and its disk would go unseen");
            continue;
        }
        for (const auto& why : server.unread)
            in.refuse("server_unknown", why);
        if (needed > 0 && server.disk_free_bytes && *server.disk_free_bytes < needed)
            in.refuse("disk_space", server.name + " has " + megabytes(*server.disk_free_bytes) +
                                        " free and the change needs about " + megabytes(needed));
        if (needed > 0 && !server.disk_free_bytes)
            in.warn("disk_unknown", "how much disk " + server.name +
                                        " has left is not known; about " + megabytes(needed) +
                                        " will be needed");
        if (server.galera.value_or(false) && in.made.chosen == tool::gh_ost)
            in.refuse_for_good("galera", "gh-ost does not work on Galera");
        if (in.copies() && !server.has_table)
            in.warn("table_missing", server.name +
                                         " does not have the table; its lag is watched "
                                         "all the same");
        if (in.asked.attempt == trial::test_on_replica && server.name == in.asked.test_replica &&
            server.gtid_strict_mode.value_or(true))
            in.refuse("strict_gtid",
                      "test-on-replica writes transactions of its own on " + server.name +
                          ", and with gtid_strict_mode its replication stops on them afterwards");
    }
    const server_side* writer = in.known.writer();
    if (!writer || !needs_binlog(in)) return;
    if (writer->log_bin_compress.value_or(false))
        in.refuse("log_bin_compress",
                  "log_bin_compress is ON on " + writer->name +
                      ": gh-ost waits for ever; SET GLOBAL log_bin_compress = OFF");
    if (writer->binlog_format != "ROW")
        in.refuse("binlog_format",
                  "binlog_format is " +
                      (writer->binlog_format.empty() ? "not known" : writer->binlog_format) +
                      " on " + writer->name + "; gh-ost needs ROW");
    if (writer->binlog_row_image != "FULL")
        in.refuse("binlog_row_image",
                  "binlog_row_image is " +
                      (writer->binlog_row_image.empty() ? "not known" : writer->binlog_row_image) +
                      " on " + writer->name + "; gh-ost needs FULL");
    auto duration = in.made.expected.duration;
    if (!writer->binlog_kept && !writer->binlog_kept_for_ever)
        in.warn("binlog_retention", "how long " + writer->name +
                                        " keeps its binary logs is not known; what is purged "
                                        "under gh-ost is lost without an error");
    if (writer->binlog_kept && duration && *writer->binlog_kept < 2 * *duration)
        in.refuse("binlog_retention",
                  "binary logs are kept for " + words::seconds(*writer->binlog_kept) + " on " +
                      writer->name + " and the copy takes about " + words::seconds(*duration) +
                      ": what is purged under gh-ost is lost without an error");
}

void judge_surroundings(const planning& in) {
    const environment& around = in.known.around;
    if (around.split_brain)
        in.refuse("split_brain", "a split brain is suspected or confirmed; end it first");
    if (!around.jobs_on_table.empty())
        in.refuse_for_good("job_on_table", "the job " + around.jobs_on_table.front() +
                                               " works on this table; wait for its end");
    if (!around.jobs_on_topology.empty() && in.copies())
        in.warn("queued", "it waits behind " + names_of(around.jobs_on_topology));
    if (!around.tools_at_work.empty())
        in.refuse_for_good("tool_at_work",
                           "somebody alters this table now: " + names_of(around.tools_at_work));
    std::vector<std::string> left, old;
    for (const auto& object : around.leftovers)
        (object.is_old_data ? old : left).push_back(quoted(object.name) + " on " + object.server);
    if (!old.empty())
        in.warn("old_data", "the original table of an earlier change is still there: " +
                                names_of(old) + "; `primacy osc cleanup` tells how long it stays");
    if (!left.empty() && in.copies())
        in.refuse("leftovers", "an earlier run left " + names_of(left) +
                                   "; `primacy osc cleanup` tells what each of them is");
    if (around.maintenance) in.warn("maintenance", "maintenance is on for this topology");
    if (in.asked.window && in.made.chosen == tool::native &&
        in.made.algorithm != native_algorithm::instant)
        in.warn("window",
                "a native ALTER cannot be held back before its end: it is started inside "
                "the window");
}

const std::vector<std::string_view>& codes_to_allow() {
    static const std::vector<std::string_view> all = {
        "binlog_format", "binlog_retention", "binlog_row_image", "disk_space",    "foreign_keys",
        "leftovers",     "log_bin_compress", "new_unique_key",   "rename_column", "server_unknown",
        "split_brain",   "strict_gtid",      "system_versioned", "triggers"};
    return all;
}

}  // namespace primacy::osc
