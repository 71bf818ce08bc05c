#include "agent/app/guard/fence_entry.hpp"

#include "agent/app/guard/person_order.hpp"
#include "fencing/drivers/program.hpp"

#include <doctest/doctest.h>

using namespace primacy;
using namespace primacy::app;
using namespace std::chrono_literals;
using fencing::fence_stage;
using fencing::rung_outcome;

namespace {

const checks::wall_time noon{1795348800s};
const checks::moment boot{5000s};

fence_entry entry(record_kind kind, const std::string& server, checks::duration before = 0s) {
    fence_entry made;
    made.kind = kind;
    made.at = noon - before;
    made.topology = "shop";
    made.server = server;
    return made;
}

fence_entry ended(const std::string& server, const std::string& result, checks::duration before) {
    fence_entry made = entry(record_kind::ended, server, before);
    made.result = result;
    made.rung = "sql";
    made.reason = "so it was";
    return made;
}

}  // namespace

TEST_CASE("an entry is the same after it was written and read") {
    fence_entry full = entry(record_kind::outcome, "db1");
    full.agent = "host1";
    full.incident = "shop-db1-1-1";
    full.by = "uid 0";
    full.reason = "a \"sentence\" with \\ and \n a line";
    full.rung = "db1-ssh";
    full.nonce = "00ff";
    full.result = "unknown";
    full.failure = "timeout";
    full.verification = true;
    full.interrupted = true;
    full.unseen = true;
    full.survivors = {"db2", "db3"};
    full.facts = {{"gtid_before", "0-1-5"}, {"killed_sessions", "12"}};
    full.until = noon + 90s;
    std::string line = to_json(full);
    CHECK(line.find('\n') == std::string::npos);
    auto read = parse_record(line);
    REQUIRE(read.has_value());
    CHECK((*read == full));
}

TEST_CASE("the name of an incident may be handed to any program, and is given once") {
    using fencing::is_token;
    CHECK(incident_name("shop", "db1", noon, 1) == "shop-db1-1795348800000000-1");
    CHECK(incident_name("Shop_EU.1", "DB_1", noon, 12) == "shop-eu-1-db-1-1795348800000000-12");
    const std::string longest(64, 'x');
    CHECK(is_token(incident_name(longest, longest, noon, 4711)));
    CHECK(is_token(incident_name("Shop_EU.1", "DB_1", noon, 12)));
    // Killed and back within a millisecond; its count begins anew.
    CHECK(incident_name("shop", "db1", noon, 1) != incident_name("shop", "db1", noon + 1ms, 1));
}

TEST_CASE("what is not understood is refused, not skipped") {
    CHECK(parse_record("rubbish").has_error());
    CHECK(parse_record("[1]").has_error());
    CHECK(parse_record(R"({"kind":"intent"})").has_error());
    CHECK(parse_record(R"({"kind":"from_the_future","at_ns":1})").has_error());
    CHECK(parse_record(R"({"kind":"intent","at_ns":"1"})").has_error());
}

TEST_CASE("a replay knows the newest fence, and its time on our own clock") {
    auto past = replay({entry(record_kind::begun, "db1", 20s), ended("db1", "confirmed", 18s)},
                       "shop", noon, boot);
    CHECK(past.unfinished.empty());
    REQUIRE(past.state.servers.contains("db1"));
    const auto& record = past.state.servers.at("db1");
    CHECK(record.stage == fence_stage::confirmed);
    CHECK(record.ended_at == boot - 18s);
    CHECK(past.state.started == std::vector<checks::moment>{boot - 20s});
    CHECK(past.state.quarantined("db1"));
}

TEST_CASE("a replay knows whether a fence was cut short") {
    auto cut_short = ended("db1", "failed", 18s);
    cut_short.interrupted = true;
    auto past = replay({entry(record_kind::begun, "db1", 20s), cut_short,
                        entry(record_kind::begun, "db2", 20s), ended("db2", "failed", 18s)},
                       "shop", noon, boot);
    CHECK(past.state.servers.at("db1").interrupted);
    CHECK_FALSE(past.state.servers.at("db2").interrupted);
    CHECK(past.state.started.size() == 2);
}

TEST_CASE("a fence that was cut short before its first rung does not count in the budget") {
    auto cut_short = ended("db1", "failed", 18s);
    cut_short.interrupted = true;
    cut_short.rung.clear();
    auto past = replay(
        {entry(record_kind::begun, "db1", 20s), cut_short, entry(record_kind::begun, "db1", 10s)},
        "shop", noon, boot);
    CHECK(past.state.started == std::vector<checks::moment>{boot - 10s});
}

TEST_CASE("a replay knows that nothing was tried that needs SQL") {
    auto begun = entry(record_kind::begun, "db1", 20s);
    CHECK(!replay({begun, ended("db1", "failed", 18s)}, "shop", noon, boot)
               .state.servers.at("db1")
               .unseen);
    begun.unseen = true;
    CHECK(replay({begun, ended("db1", "failed", 18s)}, "shop", noon, boot)
              .state.servers.at("db1")
              .unseen);
}

TEST_CASE("other topologies do not count") {
    auto past = replay({entry(record_kind::begun, "db1", 20s)}, "other", noon, boot);
    CHECK(past.state.servers.empty());
    CHECK(past.unfinished.empty());
}

TEST_CASE("a fence without an end is unfinished, with what was intended last") {
    auto intent = entry(record_kind::intent, "db1", 4s);
    intent.rung = "sql";
    intent.nonce = "aa";
    auto outcome = entry(record_kind::outcome, "db1", 3s);
    outcome.rung = "sql";
    outcome.result = "unknown";
    auto second = entry(record_kind::intent, "db1", 2s);
    second.rung = "db1-bmc";
    second.nonce = "bb";
    auto past =
        replay({entry(record_kind::begun, "db1", 5s), intent, outcome, second}, "shop", noon, boot);
    REQUIRE(past.unfinished.size() == 1);
    CHECK(past.unfinished.front().server == "db1");
    const auto& tried = past.unfinished.front().tried;
    REQUIRE(tried.size() == 2);
    CHECK(tried[0].name == "sql");
    CHECK(tried[0].outcome == rung_outcome::unknown);
    CHECK(tried[1].name == "db1-bmc");
    CHECK_FALSE(tried[1].outcome);
    CHECK(past.state.in_progress("db1"));
}

TEST_CASE("a look that found the server running settles nothing, one that found it stopped does") {
    auto intent = entry(record_kind::intent, "db1", 4s);
    intent.rung = "sql";
    auto outcome = entry(record_kind::outcome, "db1", 3s);
    outcome.rung = "sql";
    outcome.result = "unknown";
    auto look = outcome;
    look.verification = true;
    for (std::string found : {"failed", "confirmed"}) {
        look.result = found;
        auto past = replay({entry(record_kind::begun, "db1", 5s), intent, outcome, look}, "shop",
                           noon, boot);
        REQUIRE(past.unfinished.size() == 1);
        CHECK(past.unfinished.front().tried.front().outcome ==
              (found == "failed" ? rung_outcome::unknown : rung_outcome::confirmed));
    }
}

TEST_CASE("the end of one fence is not that of another") {
    auto first = entry(record_kind::begun, "db1", 5s);
    first.incident = "one";
    auto second = entry(record_kind::begun, "db1", 4s);
    second.incident = "two";
    auto end = ended("db1", "confirmed", 3s);
    end.incident = "one";
    auto past = replay({first, second, end}, "shop", noon, boot);
    REQUIRE(past.unfinished.size() == 1);
    CHECK(past.unfinished.front().incident == "two");
    CHECK(past.state.in_progress("db1"));
    end.incident = "two";
    CHECK(replay({first, second, end}, "shop", noon, boot).unfinished.empty());
}

TEST_CASE("a fence that was begun and not acted on is unfinished too, and says so") {
    auto past = replay({entry(record_kind::begun, "db1", 5s)}, "shop", noon, boot);
    REQUIRE(past.unfinished.size() == 1);
    CHECK(past.unfinished.front().tried.empty());
}

TEST_CASE("what a person said outlives a restart") {
    auto pin = entry(record_kind::pinned, "db2", 60s);
    auto pause = entry(record_kind::maintenance, "", 30s);
    pause.until = noon + 90s;
    pause.reason = "a disk";
    auto past = replay({pin, pause, entry(record_kind::confirmed_by_person, "db1", 10s)}, "shop",
                       noon, boot);
    CHECK(past.state.pin == "db2");
    REQUIRE(past.state.maintenance);
    CHECK(past.state.maintenance->until == boot + 90s);
    CHECK(past.state.maintenance->reason == "a disk");
    CHECK(past.state.servers.at("db1").stage == fence_stage::manual);

    SUBCASE("until it is taken back") {
        auto later = replay(
            {pin, pause, entry(record_kind::pinned, ""), entry(record_kind::maintenance, "")},
            "shop", noon, boot);
        CHECK(later.state.pin.empty());
        CHECK_FALSE(later.state.maintenance);
    }
    SUBCASE("or it has expired") {
        auto later = replay({pause}, "shop", noon + 100s, boot);
        CHECK_FALSE(later.state.maintenance);
    }
}

TEST_CASE("a server that was given back has no fence any more") {
    auto past = replay({entry(record_kind::begun, "db1", 20s), ended("db1", "confirmed", 18s),
                        entry(record_kind::released, "db1", 3s)},
                       "shop", noon, boot);
    CHECK_FALSE(past.state.servers.contains("db1"));
}

TEST_CASE("an opening is not taken for done before its end is noted") {
    const std::vector<fence_entry> fenced = {entry(record_kind::begun, "db1", 20s),
                                             ended("db1", "confirmed", 18s)};
    auto with = [&](fence_entry last) {
        auto records = fenced;
        records.push_back(entry(record_kind::opened, "db1", 5s));
        if (last.kind != record_kind::opened) records.push_back(last);
        return replay(records, "shop", noon, boot);
    };
    auto interrupted = with(entry(record_kind::opened, "db1"));
    REQUIRE(interrupted.openings.size() == 1);
    CHECK(interrupted.openings.front().server == "db1");
    CHECK(interrupted.state.quarantined("db1"));

    auto done = with(entry(record_kind::released, "db1", 4s));
    CHECK(done.openings.empty());
    CHECK_FALSE(done.state.quarantined("db1"));

    auto failed = with(entry(record_kind::outcome, "db1", 4s));
    CHECK(failed.openings.empty());
    CHECK(failed.state.quarantined("db1"));
}

TEST_CASE("what a resolve came to says nothing of an opening that was cut short, nor of a fence") {
    const auto past =
        replay({entry(record_kind::begun, "db3", 20s), ended("db3", "confirmed", 18s),
                entry(record_kind::opened, "db1", 5s), entry(record_kind::resolving, "db1", 4s),
                entry(record_kind::resolved, "db1", 3s), entry(record_kind::resolved, "db3", 2s)},
               "shop", noon, boot);
    REQUIRE(past.openings.size() == 1);
    CHECK(past.openings.front().server == "db1");
    CHECK(past.state.quarantined("db3"));
}

TEST_CASE("a rung that did not hold is remembered through the next fence") {
    auto contested = entry(record_kind::contested, "db1", 10s);
    contested.rung = "sql";
    auto past = replay({entry(record_kind::begun, "db1", 20s), ended("db1", "confirmed", 18s),
                        contested, entry(record_kind::begun, "db1", 5s)},
                       "shop", noon, boot);
    CHECK(past.state.servers.at("db1").did_not_hold == std::set<std::string>{"sql"});
}

TEST_CASE("a wall clock that was set back lengthens nothing") {
    auto past = replay({entry(record_kind::begun, "db1", -3600s), ended("db1", "failed", -3600s)},
                       "shop", noon, boot);
    CHECK(past.state.servers.at("db1").ended_at == boot);
    CHECK(past.state.started.front() == boot);
}

TEST_CASE("an order names what it needs, or is refused with a sentence") {
    person_order order;
    order.verb = person_verb::maintenance_on;
    order.topology = "shop";
    order.reason = "a disk";
    order.length = 1800s;
    auto read = parse_order(to_json(order));
    REQUIRE(read.has_value());
    CHECK(read->verb == person_verb::maintenance_on);
    CHECK(read->length == 1800s);
    CHECK(read->by.empty());  // whoever receives it knows better than the sender says

    order.length = 0s;
    CHECK(parse_order(to_json(order)).error().message.find("--for") != std::string::npos);
    order.length = 8 * 24h;
    CHECK(parse_order(to_json(order)).has_error());
    order.verb = person_verb::fence;
    CHECK(parse_order(to_json(order)).error().message.find("server") != std::string::npos);
    order.server = "db1";
    CHECK(parse_order(to_json(order)).has_value());
    order.reason.clear();
    CHECK(parse_order(to_json(order)).error().message.find("--reason") != std::string::npos);
    CHECK(parse_order("{}").has_error());
    CHECK(parse_order("nonsense").has_error());
    CHECK(parse_order(R"({"verb":"open","topology":"shop","reason":"x"})").has_error());
}

TEST_CASE("what a person agreed to travels with the order") {
    person_order order;
    order.verb = person_verb::resolve;
    order.topology = "shop";
    order.server = "db1";
    order.reason = "it has the money";
    order.agreed = "stop db3, leave db1";
    order.dry_run = true;
    const auto read = parse_order(to_json(order));
    REQUIRE(read.has_value());
    CHECK(read->agreed == order.agreed);
    CHECK(read->dry_run);
}

TEST_CASE("an answer is the same after it was written and read, and nothing else is one") {
    auto said = answer_done("db1 is the only writer\n  db3 holds \"nothing\"");
    said.details["keep"] = "db1";
    const auto done = parse_answer(to_json(said));
    REQUIRE(done.has_value());
    CHECK(done->how == order_answer::outcome::done);
    CHECK(done->sentence == said.sentence);
    CHECK(done->details == said.details);

    const auto refused = parse_answer(to_json(answer_refused("no")));
    REQUIRE(refused.has_value());
    CHECK(refused->how == order_answer::outcome::refused);
    const auto failed = parse_answer(to_json(answer_failed("half of it")));
    REQUIRE(failed.has_value());
    CHECK(failed->how == order_answer::outcome::failed);

    // Nothing but an answer says that all is done; what is cut off or strange says the least.
    CHECK(parse_answer("").has_error());
    CHECK(parse_answer("[]").has_error());
    CHECK(parse_answer(R"({"done":true})").has_error());
    const auto strange = parse_answer(R"({"done":"true","sentence":"x"})");
    REQUIRE(strange.has_value());
    CHECK(strange->how == order_answer::outcome::failed);
}
