// A clean-up of several servers: what is dropped where, and what one server's objects mean for the
// others'.
#include "osc/cleanup.hpp"

#include <doctest/doctest.h>

using namespace primacy::osc;
using namespace std::chrono_literals;
using primacy::checks::wall_time;

namespace {

const table_name orders{"shop", "orders"};
const wall_time now = wall_time{} + 20'000 * 24h;

// As a job that ended an hour ago made it.
listed_object table(const std::string& server, const std::string& name,
                    const std::string& comment = "", wall_time created = now - 2h) {
    listed_object made;
    made.server = server;
    made.database = "shop";
    made.name = name;
    made.comment = comment;
    made.created_at = created;
    return made;
}

listed_object trigger(const std::string& server, wall_time created = now - 2h) {
    listed_object made = table(server, "pt_osc_shop_orders_ins", "", created);
    made.is_trigger = true;
    made.on_table = "orders";
    return made;
}

cleanup_policy after_a_job() {
    cleanup_policy made;
    made.writer = "db1";
    made.jobs = {{now - 3h, now - 1h}};
    return made;
}

std::vector<cleanup_line> plan(const std::vector<listed_object>& objects,
                               const cleanup_policy& policy) {
    return plan_cleanup(leftovers_of(orders, objects), policy, now);
}

cleanup_line line_of(const std::vector<cleanup_line>& lines, const std::string& server,
                     const std::string& name) {
    for (const auto& each : lines)
        if (each.what.what.server == server && each.what.what.name == name) return each;
    FAIL("no line for " << name << " on " << server);
    return {};
}

bool says(const cleanup_line& line, const std::string& words) {
    return line.why.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("the writer's drop is carried out by the replicas, and what it lacks is dropped there") {
    auto lines = plan({table("db1", "_orders_gho"), table("db2", "_orders_gho"),
                       table("db3", "_orders_gho"), table("db3", "_orders_new")},
                      after_a_job());
    CHECK(line_of(lines, "db1", "_orders_gho").through == "db1");
    CHECK(line_of(lines, "db2", "_orders_gho").through == "db1");
    CHECK(line_of(lines, "db3", "_orders_gho").through == "db1");
    CHECK(line_of(lines, "db3", "_orders_new").through == "db3");
    for (const auto& line : lines)
        CHECK(line.drop);
}

TEST_CASE("what must be kept on one server is kept on all") {
    // On db3 it is older than every job: nobody knows whose it is.
    auto lines = plan({table("db1", "_orders_gho"), table("db2", "_orders_gho"),
                       table("db3", "_orders_gho", "", now - 900h)},
                      after_a_job());
    for (const auto& line : lines) {
        CHECK(!line.drop);
        CHECK(line.through == "");
    }
    CHECK(says(line_of(lines, "db1", "_orders_gho"), "db3 would carry out the same"));
    CHECK(says(line_of(lines, "db2", "_orders_gho"), "it is kept on db1"));
    // A place holder on the writer, and the rows themselves on a replica.
    lines =
        plan({table("db1", "_orders_del", "ghost-cut-over-sentry"), table("db2", "_orders_del")},
             after_a_job());
    CHECK(!line_of(lines, "db1", "_orders_del").drop);
}

TEST_CASE("a table that a kept trigger writes to is kept, or every write would fail") {
    auto policy = after_a_job();
    const std::vector<listed_object> objects = {
        trigger("db1", now - 900h), table("db1", "_orders_new"), table("db1", "_orders_gho")};
    auto lines = plan(objects, policy);
    CHECK(!line_of(lines, "db1", "pt_osc_shop_orders_ins").drop);
    CHECK(says(line_of(lines, "db1", "pt_osc_shop_orders_ins"), "--allow tool_unseen"));
    CHECK(!line_of(lines, "db1", "_orders_new").drop);
    CHECK(line_of(lines, "db1", "_orders_gho").drop);
    policy.tool_has_ended = true;
    for (const auto& line : plan(objects, policy))
        CHECK(line.drop);
    // The trigger is kept because of another server; the copy follows it.
    policy.tool_has_ended = false;
    lines = plan({trigger("db1"), table("db1", "_orders_new"), trigger("db2", now - 900h)}, policy);
    for (const auto& line : lines)
        CHECK(!line.drop);
}

TEST_CASE("nothing is dropped without a writer, or beside a server that nobody can read") {
    auto policy = after_a_job();
    policy.writer = "";
    const std::vector<listed_object> objects = {table("db1", "_orders_gho"),
                                                table("db3", "_orders_new")};
    for (const auto& line : plan(objects, policy)) {
        CHECK(!line.drop);
        CHECK(says(line, "which server is the writer is not known"));
    }
    policy.writer = "db1";
    policy.unreadable = {"db2"};
    auto lines = plan(objects, policy);
    CHECK(!line_of(lines, "db1", "_orders_gho").drop);
    CHECK(says(line_of(lines, "db1", "_orders_gho"), "db2 cannot be read"));
    CHECK(line_of(lines, "db3", "_orders_new").drop);  // there alone, and not logged
    policy.may_be_unreadable = true;
    CHECK(line_of(plan(objects, policy), "db1", "_orders_gho").drop);
}

TEST_CASE("a permit for old data holds on every server, and so does its time") {
    auto policy = after_a_job();
    const std::vector<listed_object> objects = {table("db1", "_orders_old"),
                                                table("db2", "_orders_old")};
    policy.drop_old_data = true;
    for (const auto& line : plan(objects, policy))
        CHECK(!line.drop);
    policy.keep_old = 59min;
    for (const auto& line : plan(objects, policy))
        CHECK(line.through == "db1");
    policy.drop_old_data = false;
    for (const auto& line : plan(objects, policy))
        CHECK(!line.drop);
}
