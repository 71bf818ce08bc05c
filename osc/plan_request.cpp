// What is asked: can it be meant, and is it known on which server it would run?
#include "osc/plan_rules.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

bool same_name(std::string_view one, std::string_view other) {
    return is_same_engine(one, other);  // without letter case, as far as ASCII goes
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
    if (!in.known.syntax_error.empty())
        in.refuse_for_good("bad_alter",
                           "the server cannot read the ALTER: " + in.known.syntax_error);
}

void judge_column(const planning& in, const clause& each) {
    const table_facts& table = in.known.table;
    const bool there = table.column(each.column) != nullptr;
    const bool must_exist =
        each.kind == clause_kind::drop_column || each.kind == clause_kind::modify_column ||
        each.kind == clause_kind::rename_column || each.kind == clause_kind::column_default;
    const std::string name = readable(in.asked.table);
    if (must_exist && !each.conditional && !there)
        in.refuse_for_good("bad_alter", name + " has no column " + quoted(each.column));
    if (each.kind == clause_kind::add_column && !each.conditional && there)
        in.refuse_for_good("bad_alter", name + " has a column " + quoted(each.column) + " already");
    if (!each.new_column.empty() && !same_name(each.new_column, each.column) &&
        table.column(each.new_column))
        in.refuse_for_good("bad_alter",
                           name + " has a column " + quoted(each.new_column) + " already");
}

void judge_key(const planning& in, const clause& each) {
    const bool must_exist =
        each.kind == clause_kind::drop_index || each.kind == clause_kind::drop_primary ||
        each.kind == clause_kind::rename_index || each.kind == clause_kind::index_visibility;
    const auto& keys = in.known.table.keys;
    bool there = std::any_of(keys.begin(), keys.end(),
                             [&](const key_fact& key) { return same_name(key.name, each.key); });
    if (must_exist && !each.conditional && !there)
        in.refuse_for_good("bad_alter",
                           readable(in.asked.table) + " has no index " + quoted(each.key));
}

void judge_values(const planning& in) {
    const job_spec& asked = in.asked;
    auto refuse = [&](std::string reason) { in.refuse_for_good("bad_value", std::move(reason)); };
    if (asked.chunk_rows < 10 || asked.chunk_rows > 100'000)
        refuse("chunk_rows must be from 10 to 100000");
    if (asked.attempts < 1 || asked.attempts > 50) refuse("attempts must be from 1 to 50");
    if (asked.lock_wait < std::chrono::seconds(1) || asked.lock_wait > std::chrono::seconds(10))
        refuse("lock_wait must be from 1s to 10s: writes wait as long");
    if (asked.max_lag < std::chrono::milliseconds(100)) refuse("max_lag must be 100ms or more");
    auto is_odd = [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '_');
    };
    for (const auto& limit : asked.max_load)
        if (limit.variable.empty() ||
            std::any_of(limit.variable.begin(), limit.variable.end(), is_odd))
            refuse("max_load names no status variable: \"" + limit.variable + "\"");
    using namespace std::chrono_literals;
    if (asked.window && (asked.window->begin < 0min || asked.window->begin >= 24h ||
                         asked.window->end < 0min || asked.window->end >= 24h))
        refuse("the window must begin and end at a time of the day, from 00:00 to 23:59");
    for (const auto& code : asked.allow) {
        const auto& all = codes_to_allow();
        if (std::find(all.begin(), all.end(), code) == all.end())
            in.refuse_for_good("bad_allow", "--allow knows no \"" + code + "\"");
    }
}

// Why nobody can say where it would run; empty: it is known.
std::string why_writer_unknown(const facts& known) {
    const environment& around = known.around;
    if (!around.writer_unknown_because.empty()) return around.writer_unknown_because;
    const server_side* writer = known.writer();
    if (!writer || around.writer.empty()) return "no server of the topology is the writer";
    if (std::count_if(known.servers.begin(), known.servers.end(),
                      [](const server_side& each) { return each.is_writer; }) > 1)
        return "more than one server takes writes";
    if (writer->name != around.writer)
        return "the writer changed from " + writer->name + " to " + around.writer + " meanwhile";
    if (writer->unreadable) return writer->name + " cannot be read: " + *writer->unreadable;
    return "";
}

void judge_test_replica(const planning& in) {
    if (in.asked.attempt != trial::test_on_replica) return;
    const server_side* replica = in.read_by_gh_ost();
    if (!replica)
        in.refuse_for_good("bad_replica", "there is no server \"" + in.asked.test_replica +
                                              "\" to test on in " + in.asked.topology);
    else if (replica->is_writer)
        in.refuse_for_good("bad_replica", replica->name + " is the writer; a test needs a replica");
    else if (replica->unreadable)
        in.refuse_for_good("bad_replica",
                           replica->name + " cannot be read: " + *replica->unreadable);
}

}  // namespace

void judge_request(const planning& in) {
    judge_name_and_alter(in);
    judge_values(in);
    if (std::string why = why_writer_unknown(in.known); !why.empty()) {
        in.refuse_for_good("unknown_writer",
                           why + "; see `primacy status " + in.asked.topology + "`");
        return;
    }
    judge_test_replica(in);
    const table_facts& table = in.known.table;
    for (const auto& why : table.unread)
        in.refuse_for_good("not_readable", why);
    if (!table.exists && table.unread.empty())
        in.refuse_for_good("no_table", "there is no table " + readable(in.asked.table) + " on " +
                                           in.known.writer()->name);
    else if (table.is_view)
        in.refuse_for_good("no_table", readable(in.asked.table) + " is a view, not a table");
    else if (in.made.alter.problem.empty())
        for (const auto& each : in.made.alter.clauses) {
            judge_column(in, each);
            judge_key(in, each);
        }
}

}  // namespace primacy::osc
