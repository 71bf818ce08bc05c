#include "agent/app/osc/job_request.hpp"

#include "agent/app/osc/plan_request.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::app;
using namespace std::chrono_literals;
using lines = std::vector<std::string>;

namespace {

config two_topologies() {
    config made;
    for (const char* name : {"shop", "crm"}) {
        topology_config topology;
        topology.name = name;
        for (const char* server : {"db1", "db2"})
            topology.servers.push_back({server, "10.0.0.1", 3306, "", {}});
        made.topologies.push_back(topology);
    }
    return made;
}

job_request from_text(std::string_view text, const job_flags& flags = {}) {
    return read_job_request(two_topologies(), flags, "job.toml", text);
}

const std::string whole =
    "[job]\ntopology = \"shop\"\ntable = \"shop.orders\"\n"
    "alter = \"ADD COLUMN note TEXT\"\n";

// What is wrong with one more line, line 5.
lines wrong(const std::string& line) {
    return from_text(whole + line + "\n").complaints;
}

}  // namespace

TEST_CASE("a job file says everything that flags can") {
    const auto made = from_text(
        whole +
        "tool = \"gh-ost\"\nallow = [\"triggers\", \"leftovers\"]\nmax_lag = \"3s\"\n"
        "max_load = [\"Threads_running=25\", \"Threads_connected=100\"]\nwindow = "
        "\"22:30-04:00\"\ncut_over = \"manual\"\nchunk_rows = 500\nlock_wait = \"5s\"\nattempts = "
        "3\ntest_on_replica = \"db2\"\n");
    CHECK(made.complaints == lines{});
    const auto& spec = made.spec;
    CHECK(spec.topology == "shop");
    CHECK(spec.table == osc::table_name{"shop", "orders"});
    CHECK(spec.alter == "ADD COLUMN note TEXT");
    CHECK(spec.wanted == osc::tool::gh_ost);
    CHECK(spec.allow == lines{"triggers", "leftovers"});
    CHECK(spec.max_lag == 3s);
    CHECK(spec.max_load ==
          std::vector<osc::load_limit>{{"Threads_running", 25}, {"Threads_connected", 100}});
    CHECK(spec.window == osc::daily_window{22h + 30min, 4h});
    CHECK(spec.cut_over == osc::cut_over_by::person);
    CHECK(spec.chunk_rows == 500);
    CHECK(spec.lock_wait == 5s);
    CHECK(spec.attempts == 3);
    CHECK(spec.attempt == osc::trial::test_on_replica);
    CHECK(spec.test_replica == "db2");
}

TEST_CASE("what is not said is as a job has it by default") {
    osc::job_spec plain;
    plain.topology = "shop";
    plain.table = {"shop", "orders"};
    plain.alter = "ADD COLUMN note TEXT";
    CHECK(from_text(whole).spec == plain);
    const auto by_flags = read_job_request(
        two_topologies(),
        {{"topology", {"shop"}}, {"table", {"shop.orders"}}, {"alter", {"ADD COLUMN note TEXT"}}});
    CHECK(by_flags.ok());
    CHECK(by_flags.spec == plain);
}

TEST_CASE("what is wrong is told with file, line, column and the nearest name") {
    CHECK(wrong("altre = \"x\"") ==
          lines{"job.toml:5:1: job: unknown key \"altre\"; did you mean \"alter\"?"});
    CHECK(wrong("max_lag = 5") ==
          lines{"job.toml:5:11: job.max_lag: expected a duration such as \"250ms\", \"2s\" or "
                "\"10m\", got the integer 5"});
    CHECK(wrong("tool = \"ghost\"") ==
          lines{"job.toml:5:8: job.tool: expected one of \"auto\", \"native\", \"gh-ost\", "
                "\"pt-osc\", got \"ghost\"; did you mean \"gh-ost\"?"});
    CHECK(wrong("allow = [\"leftovers\", \"trigers\"]") ==
          lines{"job.toml:5:23: job.allow: no refusal has the code \"trigers\"; did you mean "
                "\"triggers\"?"});
    CHECK(wrong("max_load = [\"Threads_running\"]") ==
          lines{"job.toml:5:13: job.max_load: expected a status variable and its limit, as "
                "\"Threads_running=25\", got \"Threads_running\""});
    CHECK(wrong("window = \"2-4\"") ==
          lines{"job.toml:5:10: job.window: expected two times of day (UTC) as \"02:00-04:00\", "
                "got \"2-4\""});
    CHECK(wrong("chunk_rows = 1") ==
          lines{"job.toml:5:14: job.chunk_rows: expected a whole number from 10 to 100000, got "
                "the integer 1"});
    CHECK(wrong("lock_wait = \"1500ms\"") ==
          lines{"job.toml:5:13: job.lock_wait: expected whole seconds"});
    CHECK(wrong("dry_run_tool = true\ntest_on_replica = \"db2\"") ==
          lines{"job.toml:6:19: job.test_on_replica: a job is either a dry run or a test on a "
                "replica"});
    CHECK(wrong("test_on_replica = \"db3\"") ==
          lines{"job.toml:5:19: job.test_on_replica: there is no server \"db3\" in shop; did you "
                "mean \"db1\"?"});
    CHECK(from_text("[jbo]\ntable = \"a.b\"\n").complaints.front() ==
          "job.toml:1:1: key \"job\" is missing: the schema change");
    CHECK(from_text("[job]\ntable = orders\n").complaints.size() == 1);
    CHECK(from_text("[job]\ntable = orders\n").complaints.front().starts_with("job.toml:2:"));
}

TEST_CASE("a table that is named in parts is taken apart") {
    auto table_of = [](const std::string& text) {
        return read_job_request(two_topologies(),
                                {{"topology", {"shop"}}, {"table", {text}}, {"alter", {"FORCE"}}});
    };
    CHECK(table_of("`we.ird`.`ta``ble`").spec.table == osc::table_name{"we.ird", "ta`ble"});
    CHECK(table_of("orders").complaints ==
          lines{"--table: \"orders\" names no database: write DATABASE.TABLE"});
}

TEST_CASE("flags are checked like the file, and win over it") {
    const auto made =
        from_text(whole + "tool = \"pt-osc\"\nallow = [\"triggers\"]\n", {{"tool", {"native"}},
                                                                          {"allow", {"leftovers"}},
                                                                          {"chunk_rows", {"250"}},
                                                                          {"dry_run_tool", {}}});
    CHECK(made.complaints == lines{});
    CHECK(made.spec.wanted == osc::tool::native);
    CHECK(made.spec.allow == lines{"leftovers"});
    CHECK(made.spec.chunk_rows == 250);
    CHECK(made.spec.attempt == osc::trial::dry_run);
    CHECK(from_text(whole, {{"max_lag", {"fast"}}}).complaints ==
          lines{"--max-lag: expected a duration such as \"250ms\", \"2s\" or \"10m\", got "
                "\"fast\""});
    CHECK(from_text(whole, {{"chunk_rows", {"many"}}}).complaints ==
          lines{"--chunk-rows: expected a whole number from 10 to 100000, got \"many\""});
    CHECK(from_text(whole, {{"allow", {"x\ny"}}}).complaints.size() == 1);
}

TEST_CASE("what must be said is asked for") {
    CHECK(read_job_request(two_topologies(), {}).complaints ==
          lines{"--topology: say which topology: shop, crm",
                "--table: say which table: DATABASE.TABLE",
                "--alter: say what to change, as in \"ADD COLUMN note TEXT\""});
    config one = two_topologies();
    one.topologies.pop_back();
    CHECK(read_job_request(one, {{"table", {"a.b"}}, {"alter", {"FORCE"}}}).spec.topology ==
          "shop");
    CHECK(read_job_request(one, {{"topology", {"shpo"}}, {"table", {"a.b"}}, {"alter", {"FORCE"}}})
              .complaints ==
          lines{"--topology: there is no topology \"shpo\"; did you mean \"shop\"?"});
    CHECK(load_job_request(one, {}, "/nonexistent/job.toml").complaints ==
          lines{"/nonexistent/job.toml: cannot be read: No such file or directory"});
}

TEST_CASE("windows and limits") {
    CHECK(parse_window("02:00-04:00") == osc::daily_window{2h, 4h});
    CHECK(parse_window("00:00-00:00") == osc::daily_window{0min, 0min});
    for (const char* text : {"", "02:00", "02:00-", "24:00-01:00", "02:60-03:00", "2:00-4:00",
                             "02:00-04:00 ", "+2:00-04:00", "02:00–04:00"})
        CHECK_FALSE(parse_window(text).has_value());
    CHECK(parse_load_limit("Threads_running=25") == osc::load_limit{"Threads_running", 25});
    for (const char* text : {"", "=1", "a", "a=", "a=-1", "a b=1", "a=1x", "a=1;DROP"})
        CHECK_FALSE(parse_load_limit(text).has_value());
}

TEST_CASE("the writer is the one that a sure judgement names") {
    auto who = [](const char* text) { return writer_in(boost::json::parse(text).as_object()); };
    auto healthy = who(R"({"state":"healthy","reason":"r","writers":["db1"],"maintenance":null,
        "split_brain":{"suspected":false,"confirmed":false}})");
    CHECK(healthy.writer == "db1");
    CHECK(healthy.unknown_because.empty());
    CHECK_FALSE(healthy.split_brain);
    CHECK_FALSE(healthy.maintenance);
    auto split = who(R"({"state":"healthy","reason":"two write","writers":["db1","db2"],
        "maintenance":{"until":"x"},"split_brain":{"suspected":true,"confirmed":false}})");
    CHECK(split.writer.empty());
    CHECK(split.split_brain);
    CHECK(split.maintenance);
    CHECK(split.unknown_because == "two write");
    // One is seen, and a second one is suspected behind a server that cannot be.
    CHECK(
        who(R"({"state":"unknown","reason":"db3 is hidden","writers":["db1"]})").unknown_because ==
        "db3 is hidden");
    CHECK(who(R"({"state":"split_brain","reason":"r","writers":["db1"],
        "split_brain":{"suspected":false,"confirmed":true}})")
              .writer.empty());
    CHECK(who(R"({"state":"no_writer","reason":"nobody","writers":[]})").unknown_because ==
          "nobody");
    CHECK(who(R"({"state":"healthy","reason":"as configured","writers":["db1","db2"]})")
              .unknown_because == "several servers write (db1 and db2); a job needs one");
    CHECK_FALSE(who("{}").unknown_because.empty());
}
