// What a job is told of the servers once its tool has ended.
#include "osc/inspection.hpp"

#include <doctest/doctest.h>

using namespace primacy::osc;
using namespace std::chrono_literals;
using primacy::checks::wall_time;
using names = std::vector<std::string>;

namespace {

const wall_time start = wall_time{} + 20'000 * 24h + 600ms;

job_record job() {
    job_record made;
    made.spec.table = {"shop", "orders"};
    made.spec.alter = "ADD COLUMN memo TEXT";
    made.started_at = start;
    made.before.definition = "CREATE TABLE `orders` (\n  `id` int\n)";
    return made;
}

table_facts unaltered() {
    table_facts made;
    made.name = {"shop", "orders"};
    made.exists = true;
    made.create_statement = job().before.definition;
    return made;
}

listed_object object(const std::string& name, std::optional<wall_time> created) {
    listed_object made;
    made.server = "db1";
    made.database = "shop";
    made.name = name;
    made.created_at = created;
    return made;
}

names left_of(const std::vector<listed_object>& objects) {
    auto view = inspect_job(job(), unaltered(), objects, {});
    REQUIRE(view.has_value());
    CHECK(!view->altered);
    return view->left;
}

}  // namespace

TEST_CASE("what a tool made within its first second is its leftover") {
    // Servers tell no parts of a second, and their clocks may be behind ours.
    CHECK(left_of({object("_orders_new", start - 600ms)}) == names{"table `_orders_new` on db1"});
    CHECK(left_of({object("_orders_new", start - 20s)}) == names{"table `_orders_new` on db1"});
    CHECK(left_of({object("_orders_new", start + 5h)}) == names{"table `_orders_new` on db1"});
    CHECK(left_of({object("_orders_new", std::nullopt)}) == names{"table `_orders_new` on db1"});
}

TEST_CASE("what only replicas have may be gone there in a moment") {
    auto on_db3 = object("_orders_new", start);
    on_db3.server = "db3";
    auto began = job();
    began.writer = "db1";
    auto view = inspect_job(began, unaltered(), {on_db3}, {});
    REQUIRE(view.has_value());
    CHECK(view->replicas_behind);
    view = inspect_job(began, unaltered(), {on_db3, object("_orders_new", start)}, {});
    CHECK(!view->replicas_behind);
    view = inspect_job(began, unaltered(), {}, {});
    CHECK(!view->replicas_behind);
}

TEST_CASE("what was there before the job is none of its leftovers, and old data is told apart") {
    CHECK(left_of({object("_orders_gho", start - 3h)}).empty());
    auto view = inspect_job(job(), unaltered(), {object("_orders_old", start - 900h)}, {"db3"});
    REQUIRE(view.has_value());
    CHECK(view->left.empty());
    CHECK(view->kept == names{"table `_orders_old` on db1"});
    CHECK(view->unreadable == names{"db3"});
}
