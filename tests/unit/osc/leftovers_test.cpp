// What a clean-up would drop, and above all what it must not.
#include "osc/leftovers.hpp"

#include "osc/cleanup.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace primacy::osc;
using namespace std::chrono_literals;
using primacy::checks::wall_time;

namespace {

const table_name orders{"shop", "orders"};
const wall_time now = wall_time{} + 20'000 * 24h;

listed_object table(const std::string& name, const std::string& comment = "",
                    std::optional<wall_time> created = std::nullopt) {
    listed_object made;
    made.server = "db1";
    made.database = "shop";
    made.name = name;
    made.comment = comment;
    made.created_at = created;
    return made;
}

listed_object trigger(const std::string& name, const std::string& on) {
    listed_object made = table(name);
    made.is_trigger = true;
    made.on_table = on;
    return made;
}

// A job on the table, from so long ago to so long ago.
job_trace job(wall_time::duration begun, wall_time::duration ended) {
    return {now - begun, now - ended};
}

leftover_kind kind_of(const listed_object& object, const table_name& of = orders) {
    auto found = leftovers_of(of, {object});
    REQUIRE(found.size() == 1);
    return found[0].kind;
}

bool is_ours(const listed_object& object, const table_name& of = orders) {
    return !leftovers_of(of, {object}).empty();
}

std::vector<cleanup_line> plan(const std::vector<listed_object>& objects, cleanup_policy policy,
                               const table_name& of = orders) {
    policy.writer = "db1";
    return plan_cleanup(leftovers_of(of, objects), policy, now);
}

// Of one object among others.
cleanup_line line_of(const std::vector<cleanup_line>& lines, const std::string& name) {
    for (const auto& each : lines)
        if (each.what.what.name == name) return each;
    FAIL("no line for " << name);
    return {};
}

std::string times(std::size_t count, const std::string& text) {
    std::string made;
    while (count-- > 0)
        made += text;
    return made;
}

// Everything that a person could permit in general.
cleanup_policy generous() {
    cleanup_policy made;
    made.drop_old_data = made.tool_has_ended = true;
    made.jobs = {job(900h, 800h)};
    return made;
}

}  // namespace

TEST_CASE("what tools leave is told apart") {
    CHECK(kind_of(table("_orders_gho")) == leftover_kind::copy);
    CHECK(kind_of(table("_orders_ghc", "gh-ost changelog")) == leftover_kind::changelog);
    CHECK(kind_of(table("_orders_ghk")) == leftover_kind::checkpoint);
    CHECK(kind_of(table("_orders_del", "ghost-cut-over-sentry")) == leftover_kind::sentry);
    CHECK(kind_of(table("_orders_del")) == leftover_kind::old_data);
    CHECK(kind_of(table("_orders_del", "our orders")) == leftover_kind::old_data);
    CHECK(kind_of(table("_orders_20261125083059_del")) == leftover_kind::old_data);
    CHECK(kind_of(table("_orders_new")) == leftover_kind::copy);
    CHECK(kind_of(table("___orders_new")) == leftover_kind::copy);
    CHECK(kind_of(table("_orders_old")) == leftover_kind::old_data);
    CHECK(kind_of(trigger("pt_osc_shop_orders_ins", "orders")) == leftover_kind::trigger);
    // The triggers went with the table when it was swapped away (seen).
    CHECK(kind_of(trigger("pt_osc_shop_orders_ins", "_orders_old")) == leftover_kind::trigger);
}

TEST_CASE("what is somebody else's is not looked at") {
    for (const char* name : {"orders", "orders_new", "_orders", "_orders_newest", "_orders_gho_x",
                             "_order_new", "_orders2_old", "orders_20261125083059_del"})
        CHECK_MESSAGE(!is_ours(table(name)), name);
    listed_object elsewhere = table("_orders_gho");
    elsewhere.database = "shop2";
    CHECK(!is_ours(elsewhere));
    CHECK(!is_ours(trigger("pt_osc_shop_orders_ins", "customers")));
    CHECK(!is_ours(trigger("orders_ins", "orders")));
    CHECK(!is_ours(trigger("pt_osc_shop_orders_audit", "orders")));
}

TEST_CASE("two tables whose triggers have the same stem keep theirs") {
    const table_name dash{"shop", "a-b"}, underscore{"shop", "a_b"};
    auto of_dash = trigger("pt_osc_shop_a_b_del", "a-b");
    CHECK(is_ours(of_dash, dash));
    CHECK(!is_ours(of_dash, underscore));
    const table_name one{"shop", times(60, "x") + "1"}, other{"shop", times(60, "x") + "2"};
    auto of_one = trigger(pt_osc_names_of(one).triggers[0], one.table);
    CHECK(of_one.name == pt_osc_names_of(other).triggers[0]);
    CHECK(is_ours(of_one, one));
    CHECK(!is_ours(of_one, other));
}

TEST_CASE("a name alone is no leave to drop a table") {
    // A person's own tables, beside a table on which jobs have run.
    const cleanup_policy policy = generous();
    for (const char* name : {"_orders_new", "_orders_gho", "_orders_ghc", "_orders_ghk"}) {
        auto line = line_of(plan({table(name, "", now - 30'000h)}, policy), name);
        CHECK(!line.drop);
        CHECK(line.why.find("nothing shows that a tool made it") != std::string::npos);
        line = line_of(plan({table(name)}, policy), name);
        CHECK(!line.drop);
    }
}

TEST_CASE("a tool's copy is known by the job that ran, or by what stands beside it") {
    cleanup_policy policy;
    policy.jobs = {job(50h, 41h)};
    CHECK(line_of(plan({table("_orders_new", "", now - 49h)}, policy), "_orders_new").drop);
    CHECK(line_of(plan({table("_orders_gho", "", now - 50h)}, policy), "_orders_gho").drop);
    CHECK(!line_of(plan({table("_orders_gho", "", now - 40h)}, policy), "_orders_gho").drop);
    CHECK(!line_of(plan({table("_orders_gho", "", now - 51h)}, policy), "_orders_gho").drop);
    // gh-ost run by hand: its changelog says whose it is.
    policy.jobs.clear();
    auto lines =
        plan({table("_orders_gho"), table("_orders_ghc", "gh-ost changelog"), table("_orders_ghk")},
             policy);
    for (const char* name : {"_orders_gho", "_orders_ghc", "_orders_ghk"})
        CHECK_MESSAGE(line_of(lines, name).drop, name);
    // pt-online-schema-change run by hand: its triggers do.
    policy.tool_has_ended = true;
    lines = plan({table("_orders_new"), trigger("pt_osc_shop_orders_ins", "orders")}, policy);
    CHECK(line_of(lines, "_orders_new").drop);
    // Neither speaks for the other's, nor on another server.
    lines = plan({table("_orders_new"), table("_orders_ghc", "gh-ost changelog")}, policy);
    CHECK(!line_of(lines, "_orders_new").drop);
    auto elsewhere = trigger("pt_osc_shop_orders_ins", "orders");
    elsewhere.server = "db2";
    CHECK(!line_of(plan({table("_orders_new"), elsewhere}, policy), "_orders_new").drop);
    // Of two, one may be a person's.
    lines = plan(
        {table("_orders_new"), table("__orders_new"), trigger("pt_osc_shop_orders_ins", "orders")},
        policy);
    CHECK(!line_of(lines, "_orders_new").drop);
    CHECK(!line_of(lines, "__orders_new").drop);
    policy.named = {"__orders_new"};
    lines = plan({table("_orders_new"), table("__orders_new")}, policy);
    CHECK(!line_of(lines, "_orders_new").drop);
    CHECK(line_of(lines, "__orders_new").drop);
}

TEST_CASE("a table of more underscores may be another table's") {
    cleanup_policy policy = generous();
    const std::vector<listed_object> objects = {table("orders"), table("_orders"),
                                                table("__orders_new", "", now - 850h),
                                                table("__orders_old")};
    auto lines = plan(objects, policy);
    CHECK(line_of(lines, "__orders_new").what.kind == leftover_kind::foreign);
    CHECK(!line_of(lines, "__orders_new").drop);
    CHECK(!line_of(lines, "__orders_old").drop);
    CHECK(leftovers_of({"shop", "_orders"}, objects)[0].kind == leftover_kind::copy);
}

TEST_CASE("original data is dropped by a permit and after its time, and by nothing else") {
    const auto old_tables = {"_orders_old", "_orders_del", "_orders_20261125083059_del"};
    for (const char* name : old_tables) {
        CAPTURE(std::string(name));
        // As old as it may be itself: CREATE_TIME says nothing of the swap.
        const auto objects = {table(name, "", now - 90'000h)};
        cleanup_policy policy;
        policy.jobs = {job(900h, 800h)};
        CHECK(!line_of(plan(objects, policy), name).drop);
        CHECK(line_of(plan(objects, policy), name).why.find("--drop-old") != std::string::npos);
        policy.drop_old_data = true;
        CHECK(line_of(plan(objects, policy), name).drop);
        policy.jobs.push_back(job(30h, 20h));  // it may be of this one
        CHECK(!line_of(plan(objects, policy), name).drop);
        policy.jobs.clear();
        policy.named = {name};
        CHECK(!line_of(plan(objects, policy), name).drop);
        CHECK(line_of(plan(objects, policy), name).why.find("by hand") != std::string::npos);
        policy = generous();
        policy.keep_old = 24h * 365;
        CHECK(!line_of(plan(objects, policy), name).drop);
    }
}

TEST_CASE("a sentry goes, and data in its place stays") {
    cleanup_policy policy;
    CHECK(
        line_of(plan({table("_orders_del", "ghost-cut-over-sentry")}, policy), "_orders_del").drop);
    CHECK(!line_of(plan({table("_orders_del", "ghost-cut-over-sentry ")}, policy), "_orders_del")
               .drop);
    CHECK(!line_of(plan({table("_orders_old", "ghost-cut-over-sentry")}, policy), "_orders_old")
               .drop);
}

TEST_CASE("long names leave nothing by which copy and original could be told") {
    for (std::size_t length :
         {std::size_t{60}, std::size_t{61}, std::size_t{62}, std::size_t{64}}) {
        const table_name name{"shop", times(length, "x")};
        pt_osc_names names = pt_osc_names_of(name);
        for (const auto* list : {&names.copies, &names.olds})
            for (const auto& each : *list) {
                CAPTURE(each);
                CHECK(kind_of(table(each), name) == leftover_kind::foreign);
                auto policy = generous();
                policy.named = {each};
                CHECK(!line_of(plan({table(each, "", now - 850h)}, policy, name), each).drop);
            }
    }
    // 54 letters: with ten underscores both are cut to the same name.
    const table_name name{"shop", times(54, "x")};
    CHECK(kind_of(table(pt_osc_names_of(name).copies[9]), name) == leftover_kind::foreign);
    CHECK(kind_of(table("_" + name.table + "_new"), name) == leftover_kind::copy);
    CHECK(kind_of(table("_" + times(59, "x") + "_gho"), {"shop", times(64, "x")}) ==
          leftover_kind::copy);
}

TEST_CASE("triggers go before what they write to, and data last") {
    const std::vector<listed_object> objects = {
        table("_orders_old"), table("_orders_del", "ghost-cut-over-sentry"),
        table("_orders_ghk"), table("_orders_ghc", "gh-ost changelog"),
        table("_orders_new"), trigger("pt_osc_shop_orders_ins", "orders"),
        table("_orders_gho"), trigger("pt_osc_shop_orders_del", "orders")};
    auto found = leftovers_of(orders, objects);
    REQUIRE(found.size() == objects.size());
    CHECK(std::is_sorted(found.begin(), found.end(), [](const leftover& one, const leftover& two) {
        return one.kind < two.kind;
    }));
    CHECK(found[0].what.is_trigger);
    CHECK(found[1].what.is_trigger);
    CHECK(found.back().kind == leftover_kind::old_data);
}

TEST_CASE("nothing is dropped while a tool is at work") {
    const std::vector<listed_object> objects = {
        trigger("pt_osc_shop_orders_ins", "orders"), table("_orders_new", "", now - 850h),
        table("_orders_del", "ghost-cut-over-sentry"), table("_orders_old")};
    cleanup_policy policy = generous();
    policy.tool_at_work = "session 12 of gh-ost on db1";
    for (const auto& line : plan(objects, policy)) {
        CHECK(!line.drop);
        CHECK(line.why.find("session 12 of gh-ost on db1 is at work") != std::string::npos);
    }
    policy = generous();
    policy.jobs.push_back({now - 1h, {}});
    for (const auto& line : plan(objects, policy)) {
        CHECK(!line.drop);
        CHECK(line.why.find("not over") != std::string::npos);
    }
}

TEST_CASE("the statement names exactly one object") {
    const table_name weird{"sh`op", "or`d.ers"};
    listed_object object = table("_or`d.ers_gho");
    object.database = "sh`op";
    auto lines = plan({object}, {}, weird);
    CHECK(lines[0].statement == "DROP TABLE IF EXISTS `sh``op`.`_or``d.ers_gho`");
    lines = plan({trigger("pt_osc_shop_orders_ins", "orders")}, {});
    CHECK(lines[0].statement == "DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_ins`");
    CHECK(describe(lines[0].what) == "trigger `pt_osc_shop_orders_ins` on db1");
}
