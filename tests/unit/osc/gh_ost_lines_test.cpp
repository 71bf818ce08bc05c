#include "osc/gh_ost_output.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/osc/transcript.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace primacy::osc;
using namespace primacy::tests;

namespace {

using kind = gh_ost_line_kind;
using hint = gh_ost_hint;

std::map<kind, int> kinds_of(const std::string& name) {
    std::map<kind, int> counted;
    for (const auto& line : transcript(name)) {
        const auto found = parse_gh_ost_line(line);
        CHECK_MESSAGE(found.kind != kind::unknown, line);
        CHECK((found.kind == kind::status) == found.status.has_value());
        CHECK((found.kind == kind::hint) == (found.hint != hint::none));
        ++counted[found.kind];
    }
    return counted;
}

// Kinds whose lines end in any text: a part of one may look like a shorter one.
bool ends_freely(kind which) {
    static const std::set<kind> free{
        kind::hint,          kind::note,  kind::fatal,           kind::error,
        kind::warning,       kind::info,  kind::library,         kind::blank,
        kind::library_error, kind::crash, kind::table_definition};
    return free.contains(which);
}

}  // namespace

TEST_CASE("every line of the transcripts is known") {
    for (const auto& name : gh_ost_transcripts)
        kinds_of(name);
    CHECK(kinds_of("gh-ost-1.1.6.stdout") ==
          std::map<kind, int>{
              {kind::status, 56}, {kind::hint, 89}, {kind::library, 6}, {kind::done, 1}});
    CHECK(kinds_of("gh-ost-1.1.6.stderr") ==
          std::map<kind, int>{
              {kind::info, 138}, {kind::error, 1}, {kind::copy_complete, 1}, {kind::finished, 1}});
    CHECK(kinds_of("gh-ost-1.1.9-mariadb-11.8.stdout") ==
          std::map<kind, int>{{kind::status, 6}, {kind::hint, 12}, {kind::done, 1}});
    CHECK(kinds_of("gh-ost-head-mariadb-10.11.out") ==
          std::map<kind, int>{
              {kind::status, 6}, {kind::hint, 14}, {kind::library, 7}, {kind::done, 1}});
    CHECK(kinds_of("gh-ost-head-throttled-control-replica.out") ==
          std::map<kind, int>{{kind::status, 23}, {kind::hint, 7}});
    CHECK(kinds_of("gh-ost-head-noop.stdout")[kind::table_definition] == 10);
    CHECK(kinds_of("gh-ost-head-cut-over-exhausted.stderr")[kind::warning] == 1);
}

TEST_CASE("the block of settings") {
    const auto is = [](const std::string& line, hint what, const std::string& text,
                       bool is_set = false) {
        const auto found = parse_gh_ost_line(line);
        CHECK_MESSAGE(found.kind == kind::hint, line);
        CHECK_MESSAGE(found.hint == what, line);
        CHECK(found.text == text);
        CHECK(found.is_set == is_set);
    };
    is("# Migrating `shop`.`orders`; Ghost table is `shop`.`_orders_gho`", hint::tables,
       "`shop`.`orders`; Ghost table is `shop`.`_orders_gho`");
    is("# Migrating vm:33990; inspecting vm:33991; executing on host", hint::hosts,
       "vm:33990; inspecting vm:33991; executing on host");
    is("# Migration started at Sat Nov 21 21:05:46 +0000 2026", hint::started,
       "Sat Nov 21 21:05:46 +0000 2026");
    is("# chunk-size: 1000; max-lag-millis: 1500ms; dml-batch-size: 10; max-load: ; "
       "critical-load: ; nice-ratio: 0.000000",
       hint::settings,
       "1000; max-lag-millis: 1500ms; dml-batch-size: 10; max-load: ; critical-load: ; "
       "nice-ratio: 0.000000");
    is("# throttle-query: select 1", hint::throttle_query, "select 1");
    is("# throttle-control-replicas count: 2", hint::control_replicas, "2");
    is("# panic-flag-file: /run/x", hint::panic_file, "/run/x");
    is("# Serving on unix socket: /tmp/gh-ost.shop.orders.sock", hint::socket,
       "/tmp/gh-ost.shop.orders.sock");
    is("# Serving on TCP port: 1234", hint::tcp_port, "1234");
}

TEST_CASE("settings that were cut are remarks") {
    for (const char* line :
         {"# Migrating `shop`.`orders`; Ghost table is `shop`.`_orders_gh",
          "# Migrating `shop`.`orders`", "# Migrating vm:33990; inspecting vm:33991; exec",
          "# Migrating vm:33990", "# chunk-size: 1000", "# Serving on unix socket: ",
          "# chunk-size: 1000; max-lag-millis: 1500ms; dml-batch-size: 10; max-load: "})
        CHECK_MESSAGE(parse_gh_ost_line(line).kind == kind::note, line);
}

TEST_CASE("a flag file's path ends before the blank, which is always there") {
    const auto found = parse_gh_ost_line("# postpone-cut-over-flag-file: /tmp/osc/pp [set]");
    CHECK(found.hint == hint::postpone_file);
    CHECK(found.text == "/tmp/osc/pp");
    CHECK(found.is_set);
    const auto unset = parse_gh_ost_line("# throttle-flag-file: /tmp/osc/tf ");
    CHECK(unset.hint == hint::throttle_file);
    CHECK(unset.text == "/tmp/osc/tf");
    CHECK(!unset.is_set);
    CHECK(parse_gh_ost_line("# throttle-additional-flag-file: a [set] ").text == "a [set]");
    CHECK(!parse_gh_ost_line("# throttle-additional-flag-file: a [set] ").is_set);
    // Cut within: neither set nor not set.
    for (const char* line :
         {"# postpone-cut-over-flag-file: /tmp/osc/pp",
          "# postpone-cut-over-flag-file: /tmp/osc/pp [se", "# postpone-cut-over-flag-file: "})
        CHECK_MESSAGE(parse_gh_ost_line(line).kind != kind::hint, line);
}

TEST_CASE("lines of the log have a level and a reason") {
    const auto is = [](const std::string& line, kind what, const std::string& text) {
        const auto found = parse_gh_ost_line(line);
        CHECK_MESSAGE(found.kind == what, line);
        CHECK(found.text == text);
    };
    is("2026-11-21 21:06:25 FATAL critical-load met: Threads_connected=6, >=1", kind::fatal,
       "critical-load met: Threads_connected=6, >=1");
    is("2026-11-21 21:06:25 CRITICAL x", kind::error, "x");
    is("2026-11-21 21:06:25 ERROR Error 1146: Table 'shop._orders_ghc' doesn't exist", kind::error,
       "Error 1146: Table 'shop._orders_ghc' doesn't exist");
    is("2026-11-21 21:06:25 WARNING beware", kind::warning, "beware");
    is("2026-11-21 21:06:25 NOTICE x", kind::info, "x");
    is("2026-11-21 21:06:25 DEBUG x", kind::info, "x");
    is("2026-11-21 21:06:25 INFO Row copy complete", kind::copy_complete, "Row copy complete");
    is("2026-11-21 21:06:25 INFO Done migrating `a`.`b`", kind::finished, "Done migrating `a`.`b`");
    is("2026-11-21 21:06:25 INFO Done reverting `a`.`b`", kind::finished, "Done reverting `a`.`b`");
    is("2026-11-21 21:06:25 INFO Success! table `a`.`b` migrated instantly", kind::finished,
       "Success! table `a`.`b` migrated instantly");
    // gh-ost does not double a backquote within a name; and a name that was cut is none.
    is("2026-11-21 21:06:25 INFO Done migrating `a`.`b`c`", kind::finished,
       "Done migrating `a`.`b`c`");
    is("2026-11-21 21:06:25 INFO Done migrating `a`.`", kind::info, "Done migrating `a`.`");
    is("2026-11-21 21:06:25 INFO Done migrating `a`.``", kind::info, "Done migrating `a`.``");
    // An error that quotes it is none of it.
    is("2026-11-21 21:06:25 ERROR Done migrating `a`.`b`", kind::error, "Done migrating `a`.`b`");
    // An error that was logged before it was returned has a stamp of its own within.
    is("2026-11-25 09:30:49 FATAL 2026-11-25 09:30:49 ERROR cannot find table `shop`.`nothere`!",
       kind::fatal, "cannot find table `shop`.`nothere`!");
    is("2026-11-21 21:06:25 TRACE x", kind::unknown, "2026-11-21 21:06:25 TRACE x");
    is("2026-11-21 FATAL x", kind::unknown, "2026-11-21 FATAL x");
}

TEST_CASE("the library's two ways to write a log") {
    const auto kind_of = [](const std::string& line) { return parse_gh_ost_line(line).kind; };
    CHECK(kind_of("[2026/11/21 21:06:25] [info] binlogsyncer.go:180 syncer is closing...") ==
          kind::library);
    CHECK(kind_of("[2026/11/21 21:06:25] [error] binlogsyncer.go:631 retry sync err") ==
          kind::library_error);
    CHECK(kind_of("2026/11/21 21:13:22 INFO rotate to next binlog file=binlog.000001") ==
          kind::library);
    CHECK(kind_of("2026/11/21 21:13:22 ERROR retry sync err: EOF") == kind::library_error);
    CHECK(kind_of("[2026-11-21 21:06:25] [info] x") == kind::unknown);
}

TEST_CASE("remarks, crashes, the table of a noop run, and what nobody knows") {
    const auto kind_of = [](const std::string& line) { return parse_gh_ost_line(line).kind; };
    CHECK(kind_of("# Done") == kind::done);
    CHECK(kind_of("# Done.") == kind::note);
    CHECK(kind_of(" # Done") == kind::unknown);
    CHECK(kind_of("# Note: you may only throttle for as long as your binary logs are not purged") ==
          kind::note);
    CHECK(kind_of("") == kind::blank);
    CHECK(kind_of("panic: runtime error: invalid memory address or nil pointer dereference") ==
          kind::crash);
    CHECK(kind_of("goroutine 1 [running]:") == kind::crash);
    CHECK(kind_of("fatal error: all goroutines are asleep - deadlock!") == kind::crash);
    for (const char* line :
         {"CREATE TABLE `_t_gho` (", "  `id` int(11) NOT NULL,", "  PRIMARY KEY (`id`),",
          "  UNIQUE KEY `u` (`a`),", "  KEY `k` (`a`)", ") ENGINE=InnoDB DEFAULT CHARSET=latin1"})
        CHECK_MESSAGE(kind_of(line) == kind::table_definition, line);
    CHECK(kind_of("flag provided but not defined: -bogus") == kind::error);
    CHECK(kind_of("flag needs an argument: -alter") == kind::error);
    CHECK(kind_of("invalid value \"x\" for flag -chunk-size: parse error") == kind::error);
    CHECK(kind_of("Usage of gh-ost:") == kind::note);
    CHECK(kind_of("  -chunk-size int") == kind::note);
    CHECK(kind_of("    \tamount of rows to handle in each iteration") == kind::note);
    for (const char* line : {"Password:", "Copy: 1/2", "invalid value", "\x01\xFF", "Done"})
        CHECK_MESSAGE(kind_of(line) == kind::unknown, line);
}

TEST_CASE("a line that was cut, anywhere, is unknown or of its own kind") {
    for (const auto& name : gh_ost_transcripts) {
        for (const auto& line : transcript(name)) {
            const auto whole = parse_gh_ost_line(line).kind;
            for (std::size_t length = 0; length < line.size(); ++length) {
                const auto part = parse_gh_ost_line(line.substr(0, length)).kind;
                REQUIRE_MESSAGE((part == kind::unknown || ends_freely(part)),
                                line.substr(0, length));
                // A remark that was cut stays a remark; a line of the log, one of the same level.
                const bool is_log = whole == kind::copy_complete || whole == kind::finished;
                REQUIRE_MESSAGE((part == kind::unknown || part == kind::blank || part == whole ||
                                 part == kind::note || (is_log && part == kind::info)),
                                line.substr(0, length));
            }
        }
    }
}

TEST_CASE("bytes changed at random never make a line of consequence out of another") {
    auto random = seeded_random();
    const auto lines = transcript("gh-ost-1.1.6.stderr");
    for (int round = 0; round < 20'000; ++round) {
        std::string line = lines[random() % lines.size()];
        const auto before = parse_gh_ost_line(line).kind;
        for (auto changes = 1 + random() % 3; changes > 0; --changes)
            line[random() % line.size()] = static_cast<char>(random());
        const auto after = parse_gh_ost_line(line).kind;
        const bool consequence = after == kind::done || after == kind::fatal ||
                                 after == kind::status || after == kind::finished ||
                                 after == kind::copy_complete;
        REQUIRE_MESSAGE((!consequence || after == before), line);
    }
}
