#include "osc/pt_osc_output.hpp"

#include "tests/unit/osc/transcript.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace primacy::osc;
using namespace primacy::tests;
using namespace std::chrono_literals;

namespace {

using kind = pt_osc_line_kind;

std::vector<kind> kinds_of(const std::string& name) {
    std::vector<kind> kinds;
    for (const auto& line : transcript(name)) {
        kinds.push_back(parse_pt_osc_line(line).kind);
        CHECK_MESSAGE(kinds.back() != kind::unknown, line);
    }
    return kinds;
}

void is(const std::string& line, kind what, const std::string& text,
        std::optional<std::uint64_t> number = std::nullopt) {
    const auto found = parse_pt_osc_line(line);
    CHECK_MESSAGE(found.kind == what, line);
    CHECK_MESSAGE(found.text == text, line);
    CHECK_MESSAGE(found.number == number, line);
}

const std::vector<kind> operations(7, kind::note);

std::vector<kind> joined(std::initializer_list<std::vector<kind>> parts) {
    std::vector<kind> all;
    for (const auto& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

const std::vector<kind> up_to_the_copy{kind::altering,          kind::creating_new_table,
                                       kind::created_new_table, kind::altering_new_table,
                                       kind::altered_new_table, kind::creating_triggers,
                                       kind::created_triggers,  kind::copying};
const std::vector<kind> from_the_copy_on{kind::copied,
                                         kind::analyzing,
                                         kind::swapping,
                                         kind::swapped,
                                         kind::dropping_old_table,
                                         kind::dropped_old_table,
                                         kind::dropping_triggers,
                                         kind::dropped_triggers};

}  // namespace

TEST_CASE("every line of the transcripts is known") {
    for (const auto& name : pt_osc_transcripts)
        kinds_of(name);
    CHECK(kinds_of("ptosc-3.5.7-stopped.stderr") ==
          joined({std::vector<kind>(kinds_of("ptosc-3.5.7-stopped.stderr").size() - 1,
                                    kind::waits_for_stopped),
                  {kind::interrupted}}));
    CHECK(kinds_of("ptosc-3.5.7-lag.stderr") ==
          std::vector<kind>{kind::progress, kind::waits_for_lag, kind::waits_for_lag,
                            kind::interrupted});
    CHECK(kinds_of("ptosc-3.2.1-no-key.stderr") == std::vector<kind>{kind::warning});
    CHECK(kinds_of("ptosc-3.2.1-percent-name.stderr") ==
          std::vector<kind>{kind::trouble, kind::trouble});
    CHECK(kinds_of("ptosc-3.2.1-usage.stderr") == std::vector<kind>{kind::trouble});
    CHECK(kinds_of("ptosc-3.2.1-execute.stdout") ==
          joined({{kind::no_replicas, kind::lag_not_watched},
                  operations,
                  up_to_the_copy,
                  from_the_copy_on,
                  {kind::statistics, kind::statistics, kind::statistics,
                   kind::successfully_altered}}));
    CHECK(kinds_of("ptosc-3.2.1-lag.stdout") ==
          joined({{kind::replicas_found, kind::server, kind::lag_watched, kind::server},
                  operations,
                  up_to_the_copy,
                  from_the_copy_on,
                  {kind::successfully_altered}}));
    CHECK(kinds_of("ptosc-3.2.1-sigterm.stdout") ==
          joined({{kind::no_replicas, kind::lag_not_watched},
                  operations,
                  up_to_the_copy,
                  {kind::triggers_left, kind::drop_statement, kind::drop_statement,
                   kind::drop_statement, kind::new_table_left, kind::drop_statement,
                   kind::not_altered}}));
    CHECK(kinds_of("ptosc-3.2.1-dryrun.stdout") ==
          joined({operations,
                  {kind::dry_run_begun, kind::creating_new_table, kind::created_new_table,
                   kind::altering_new_table, kind::altered_new_table, kind::step_skipped,
                   kind::step_skipped, kind::step_skipped, kind::step_skipped, kind::step_skipped,
                   kind::dropping_new_table, kind::dropped_new_table, kind::dry_run_complete}}));
    CHECK(kinds_of("ptosc-3.2.1-execute.stderr") == std::vector<kind>(7, kind::progress));
    std::map<kind, int> lag;
    for (const kind one : kinds_of("ptosc-3.2.1-lag.stderr"))
        ++lag[one];
    CHECK(lag == std::map<kind, int>{
                     {kind::progress, 24}, {kind::waits_for_stopped, 4}, {kind::waits_for_lag, 4}});
    CHECK(kinds_of("ptosc-3.2.1-sigterm.stderr") ==
          joined({std::vector<kind>(4, kind::progress), {kind::interrupted}}));
}

TEST_CASE("steps") {
    is("2026-11-21T20:50:18 Copying approximately 595630 rows...", kind::copying,
       "Copying approximately 595630 rows...", 595'630);
    is("Altering `shop`.`orders`...", kind::altering, "`shop`.`orders`");
    is("Created new table shop._orders_new OK.", kind::created_new_table, "shop._orders_new");
    is("Altered `shop`.`_orders_new` OK.", kind::altered_new_table, "`shop`.`_orders_new`");
    is("2026-11-21T20:50:25 Dropped old table `shop`.`_orders_old` OK.", kind::dropped_old_table,
       "`shop`.`_orders_old`");
    is("`shop`.`orders` is empty, no rows to copy.", kind::nothing_to_copy, "`shop`.`orders`");
    is("Starting a dry run.  `a`.`b` will not be altered.  Specify --execute instead of --dry-run "
       "to alter the table.",
       kind::dry_run_begun, "`a`.`b`");
    is("2026-11-21T20:50:25 Dropped and swapped tables OK.", kind::swapped,
       "Dropped and swapped tables OK.");
    is("Not dropping old table because --no-drop-old-table was specified.", kind::step_skipped,
       "Not dropping old table because --no-drop-old-table was specified.");
}

TEST_CASE("replicas, whatever they are called") {
    is("Found 1 slaves:", kind::replicas_found, "Found 1 slaves:", 1);
    is("Found 2 replicas:", kind::replicas_found, "Found 2 replicas:", 2);
    is("vm -> 127.0.0.1:33991", kind::server, "vm -> 127.0.0.1:33991");
    is("No slaves found.  See --recursion-method if host vm has slaves.", kind::no_replicas, "vm");
    is("No replicas found.  See --recursion-method if host vm has replicas.", kind::no_replicas,
       "vm");
    is("Ignoring all slaves because --recursion-method=none was specified", kind::replicas_ignored,
       "--recursion-method=none");
    CHECK(parse_pt_osc_line("Not checking replica lag because no slaves were found and "
                            "--check-replica-lag was not specified.")
              .kind == kind::lag_not_watched);
    CHECK(parse_pt_osc_line("Will check replica lag on:").kind == kind::lag_watched);
    CHECK(parse_pt_osc_line("Slave set to watch has changed").kind == kind::watched_set_changed);
    CHECK(parse_pt_osc_line("  Was: db2 db3").kind == kind::note);
}

TEST_CASE("what it waits for") {
    is("Replica lag is 4 seconds on vm.  Waiting.", kind::waits_for_lag, "vm", 4);
    is("Replica lag is ? seconds on vm -> 127.0.0.1:33991.  Waiting.", kind::waits_for_lag,
       "vm -> 127.0.0.1:33991");
    is("(2) Replica 'vm' is stopped.  Waiting.", kind::waits_for_stopped, "vm");
    is("(1) Replica 'vm' is stopped.  Waiting.", kind::waits_for_stopped, "vm");
    is("Replica vm is stopped.  Waiting.", kind::waits_for_stopped, "vm");
    is("Pausing because Threads_running=26.", kind::waits_for_load, "Threads_running=26");
    is("Pausing because Threads_connected=unknown, Threads_running=26.", kind::waits_for_load,
       "Threads_connected=unknown, Threads_running=26");
    is("Pausing because PXC Flow Control is active", kind::waits_for_flow,
       "Pausing because PXC Flow Control is active");
    is("Sleeping 60 seconds because /run/p/pause exists now exists", kind::waits_for_file,
       "/run/p/pause exists now", 60);
}

TEST_CASE("progress") {
    const auto found = parse_pt_osc_line("Copying `shop`.`orders`:  42% 01:23 remain");
    CHECK(found.kind == kind::progress);
    CHECK(found.text == "`shop`.`orders`");
    CHECK(found.percent == 42);
    CHECK(found.remaining == 83s);
    CHECK(parse_pt_osc_line("Copying `a`.`b`:   0% 2+04:56:07 remain").remaining ==
          48h + 4h + 56min + 7s);
    CHECK(parse_pt_osc_line("Copying `a`.`b`: 100% 00:00 remain").percent == 100);
    for (const char* line :
         {"Copying `a`.`b`: 101% 00:00 remain", "Copying `a`.`b`:  42% 1:23 remain",
          "Copying `a`.`b`:  42% remain", "Copying `a`:  42% 01:23 remain",
          "Copying a.b:  42% 01:23 remain", "Copying `a`.`b`: -1% 01:23 remain",
          "Copying `a`.`b`:  42% 01:23 remains"})
        CHECK_MESSAGE(parse_pt_osc_line(line).kind == kind::unknown, line);
    const auto other = parse_pt_osc_line("Waiting for vm:  50% 00:30 remain");
    CHECK(other.kind == kind::other_progress);
    CHECK(other.text == "vm");
}

TEST_CASE("names with everything in them") {
    for (const std::string name :
         {"`a b`.`c  42% 01:23 remain`", "`a``b`.`c:``: 1%`", "`kaff\xC3\xA9`.`\xE8\xA1\xA8`",
          "`shop`.`orders was not altered`", "`x`.`y OK.`", "`x`.````"}) {
        is("Successfully altered " + name + ".", kind::successfully_altered, name);
        is("Altered " + name + " but there were errors or warnings.", kind::altered_with_errors,
           name);
        is(name + " was not altered.", kind::not_altered, name);
        is("Dry run complete.  " + name + " was not altered.", kind::dry_run_complete, name);
        const auto progress = parse_pt_osc_line("Copying " + name + ":   7% 01:23 remain");
        CHECK(progress.kind == kind::progress);
        CHECK(progress.text == name);
        CHECK(progress.percent == 7);
    }
    for (const char* line : {"Successfully altered `a`.", "Successfully altered `a`.`.",
                             "Successfully altered `a`.`b`.`c`.", "Successfully altered ``.`b`.",
                             "Successfully altered a.b.", "Successfully altered `a`.`b`",
                             "Successfully altered `a``.`b`."})
        CHECK_MESSAGE(parse_pt_osc_line(line).kind == kind::unknown, line);
}

TEST_CASE("times") {
    CHECK(parse_pt_osc_time("00:00") == 0s);
    CHECK(parse_pt_osc_time("59:59") == 59min + 59s);
    CHECK(parse_pt_osc_time("23:59:59") == 23h + 59min + 59s);
    CHECK(parse_pt_osc_time("12+00:00:01") == 288h + 1s);
    for (const char* text : {"", "1", "1:23", "00:60", "60:00", "24:00:00", "1+00:00", "+00:00:00",
                             "00:00:00:00", "00:00 ", "-1:00", "99999999999999999999+00:00:00"})
        CHECK_MESSAGE(!parse_pt_osc_time(text), text);
}

TEST_CASE("how an interrupted run ends") {
    is("# Exiting on SIGTERM.", kind::interrupted, "SIGTERM");
    is("Not dropping triggers because the tool was interrupted.  To drop the triggers, execute:",
       kind::triggers_left, "the tool was interrupted.");
    is("DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_del`", kind::drop_statement,
       "DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_del`");
    is("  DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_del`", kind::drop_statement,
       "DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_del`");
    is("DROP TABLE IF EXISTS `shop`.`_orders_new`;", kind::drop_statement,
       "DROP TABLE IF EXISTS `shop`.`_orders_new`");
    is("Not dropping the new table `shop`.`_orders_new` because the tool was interrupted.  To drop "
       "the new table, execute:",
       kind::new_table_left, "`shop`.`_orders_new`");
    is("Not dropping the new table `shop`.`_orders_new` because dropping these triggers failed:",
       kind::new_table_left, "`shop`.`_orders_new`");
}

TEST_CASE("errors and warnings of the tool, of Perl and of its driver") {
    for (const std::string text :
         {"DBD::mysql::db do failed: Lost connection to server during query [for Statement \"x\"]",
          "Error altering new table `a`.`_b_new`: DBD::mysql::db do failed: Unknown column",
          "Error copying rows from `a`.`b` to `a`.`_b_new`: Threads_running=60 exceeds its "
          "critical threshold 50",
          "The table `a`.`b` has triggers.  This tool needs to create its own triggers",
          "Cannot connect to MySQL: DBI connect('...') failed",
          "2> Cannot connect to vm:", "Threads_running=60 exceeds its critical threshold 50",
          "something at /usr/bin/pt-online-schema-change line 8646.",
          "Exiting without altering `a`.`b` because neither --dry-run nor --execute was "
          "specified."}) {
        is(text, kind::trouble, text);
        is("\t(in cleanup) " + text, kind::trouble, text);
        is("2026-11-21T20:50:25 " + text, kind::trouble, text);
    }
    is("  * The DSN must specify a database (D) and a table (t)", kind::trouble,
       "  * The DSN must specify a database (D) and a table (t)");
    is("Unknown option: bogus", kind::trouble, "Unknown option: bogus");
    CHECK(parse_pt_osc_line("something else").kind == kind::unknown);
    CHECK(parse_pt_osc_line("").kind == kind::blank);
}

TEST_CASE("it goes on after a warning, so that is no reason") {
    for (const char* line :
         {"Cannot connect to A=utf8,P=33912,h=localhost,p=...,u=osc",
          "Cannot connect to P=3306,h=db2: DBI connect failed: Access denied",
          "WARNING! Using alter-foreign-keys-method = \"none\".",
          "No foreign keys reference `a`.`b`; ignoring --alter-foreign-keys-method.",
          "2026-11-25T09:27:57 Rows are copying very slowly.  --chunk-size has been reduced"})
        CHECK_MESSAGE(parse_pt_osc_line(line).kind == kind::warning, line);
    CHECK(parse_pt_osc_line("Cannot connect to MySQL: Access denied").kind == kind::trouble);
    CHECK(parse_pt_osc_line("2> Cannot connect to vm:lost").kind == kind::trouble);
}

TEST_CASE("a line that was cut, anywhere, is unknown or says the same") {
    // Their lines end in any text.
    const std::set<kind> free{kind::server, kind::note, kind::trouble, kind::warning};
    for (const auto& name : pt_osc_transcripts) {
        for (const auto& line : transcript(name)) {
            const auto whole = parse_pt_osc_line(line).kind;
            for (std::size_t length = 0; length < line.size(); ++length) {
                const auto part = parse_pt_osc_line(line.substr(0, length)).kind;
                const bool said =
                    part != kind::unknown && part != kind::blank && part != kind::statistics;
                REQUIRE_MESSAGE((!said || (free.contains(part) && free.contains(whole) &&
                                           (part == kind::server) == (whole == kind::server))),
                                line.substr(0, length));
            }
        }
    }
}
