#include "osc/pt_osc_ending.hpp"

#include "tests/unit/osc/transcript.hpp"

#include <doctest/doctest.h>

using namespace primacy::osc;
using namespace primacy::tests;

namespace {

constexpr process_status exited(int code) {
    return {.exit_code = code, .signal = std::nullopt};
}

constexpr process_status killed_by_9{.exit_code = std::nullopt, .signal = 9};
constexpr process_status not_known{};

pt_osc_words heard(const std::vector<std::string>& lines) {
    pt_osc_words words;
    for (const auto& line : lines)
        words.hear(parse_pt_osc_line(line));
    return words;
}

pt_osc_words heard_of(const std::string& run) {
    auto lines = transcript("ptosc-3.2.1-" + run + ".stdout");
    if (run != "dryrun") {
        for (auto& line : transcript("ptosc-3.2.1-" + run + ".stderr"))
            lines.push_back(line);
    }
    return heard(lines);
}

// The first lines of a run's stdout, up to and with the one that has these words.
pt_osc_words heard_until(const std::string& end) {
    std::vector<std::string> lines;
    for (const auto& line : transcript("ptosc-3.2.1-lag.stdout")) {
        lines.push_back(line);
        if (line.find(end) != std::string::npos) return heard(lines);
    }
    FAIL("no such line: " << end);
    return {};
}

void check(const tool_ending& ending, tool_verdict verdict, leftovers left,
           const std::string& sentence) {
    CHECK(ending.verdict == verdict);
    CHECK(ending.left == left);
    CHECK(ending.sentence == sentence);
}

}  // namespace

TEST_CASE("success needs the words and the exit code") {
    const auto words = heard_of("execute");
    CHECK(words.old_table_dropped);
    check(judge_pt_osc(exited(0), words, false), tool_verdict::succeeded, leftovers::none,
          "pt-online-schema-change ended with exit code 0 and said \"Successfully altered\"");
    CHECK(judge_pt_osc(exited(0), heard_of("lag"), false).verdict == tool_verdict::succeeded);
    check(judge_pt_osc(not_known, words, false), tool_verdict::said_so, leftovers::none,
          "pt-online-schema-change ended with an unknown exit status and said \"Successfully "
          "altered\"");
    CHECK(judge_pt_osc(exited(1), words, false).verdict == tool_verdict::unclear);
    CHECK(judge_pt_osc(killed_by_9, words, false).verdict == tool_verdict::unclear);
}

TEST_CASE("a dry run that was wanted, and one that was not") {
    check(judge_pt_osc(exited(0), heard_of("dryrun"), true), tool_verdict::succeeded,
          leftovers::none,
          "pt-online-schema-change ended with exit code 0 and said \"Dry run complete\"");
    CHECK(judge_pt_osc(exited(0), heard_of("dryrun"), false).verdict == tool_verdict::unclear);
    CHECK(judge_pt_osc(exited(0), heard_of("execute"), true).verdict == tool_verdict::unclear);
}

TEST_CASE("interrupted: it leaves everything, and says how to drop it in the only safe order") {
    const auto words = heard_of("sigterm");
    CHECK(words.interrupted_by == "SIGTERM");
    CHECK(words.drop_statements ==
          std::vector<std::string>{"DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_del`",
                                   "DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_upd`",
                                   "DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_ins`",
                                   "DROP TABLE IF EXISTS `shop`.`_orders_new`"});
    check(judge_pt_osc(exited(1), words, false), tool_verdict::failed, leftovers::certain,
          "pt-online-schema-change ended with exit code 1 and said \"was not altered\"; it was "
          "interrupted by SIGTERM");
}

TEST_CASE("3.7.0 exits 0 and says \"was not altered\"") {
    auto words =
        heard({"Altering `a`.`b`...", "Error creating new table: no", "`a`.`b` was not altered."});
    check(judge_pt_osc(exited(0), words, false), tool_verdict::failed, leftovers::none,
          "pt-online-schema-change ended with exit code 0 and said \"was not altered\"; it "
          "complained: Error creating new table: no");
}

TEST_CASE("exit codes that are errno have no meaning of their own") {
    check(judge_pt_osc(exited(25),
                       heard({"Altering `a`.`b`...", "a word of Perl", "`a`.`b` was not altered."}),
                       false),
          tool_verdict::failed, leftovers::none,
          "pt-online-schema-change ended with exit code 25 and said \"was not altered\"; it "
          "complained: a word of Perl");
    for (const int code : {25, 255})
        CHECK(explain_pt_osc_exit(code) == "no meaning of its own: the reason is what it wrote");
    CHECK(explain_pt_osc_exit(4) == "the table has no primary key and no unique key without NULL");
    CHECK(explain_pt_osc_exit(77) == "no meaning that is known; the reason is what it wrote");
}

TEST_CASE("killed in each phase") {
    const auto killed = [](const std::string& phase) {
        return judge_pt_osc(killed_by_9, heard_until(phase), false);
    };
    check(killed("Operation, tries"), tool_verdict::failed, leftovers::none,
          "pt-online-schema-change ended with signal 9 (SIGKILL) and said nothing of its end");
    CHECK(killed("Altering `shop`").left == leftovers::possible);
    CHECK(killed("Creating new table").left == leftovers::possible);
    for (const char* phase : {"Created new table", "Altered `shop`", "Creating triggers",
                              "Copying approximately", "Copied rows", "Analyzing"}) {
        CHECK_MESSAGE(killed(phase).left == leftovers::certain, phase);
        CHECK_MESSAGE(killed(phase).verdict == tool_verdict::failed, phase);
    }
    // From the swap on, the table may be altered already.
    for (const char* phase :
         {"Swapping", "Swapped", "Dropping old", "Dropped old", "Dropping triggers"}) {
        CHECK_MESSAGE(killed(phase).left == leftovers::certain, phase);
        CHECK_MESSAGE(killed(phase).verdict == tool_verdict::unclear, phase);
    }
    CHECK(killed("Dropped triggers").left == leftovers::possible);
    CHECK(killed("Successfully").left == leftovers::none);
}

TEST_CASE("gone without a word or an exit status") {
    CHECK(judge_pt_osc(not_known, heard_until("Copying approx"), false).verdict ==
          tool_verdict::unclear);
    CHECK(judge_pt_osc(exited(0), {}, false).verdict == tool_verdict::unclear);
    CHECK(judge_pt_osc(exited(1), {}, false).verdict == tool_verdict::failed);
}

TEST_CASE("a table or trigger that could not be dropped is told, whatever it says after it") {
    auto words = heard_of("execute");
    words.hear(parse_pt_osc_line("2026-11-21T20:50:25 Error dropping trigger: locked"));
    const auto ending = judge_pt_osc(exited(1), words, false);
    CHECK(ending.verdict == tool_verdict::unclear);
    CHECK(ending.left == leftovers::certain);
    // "Dropped new table OK." is printed also after it failed.
    const auto table =
        heard({"Altering `a`.`b`...", "Created new table a._b_new OK.", "Dropping new table...",
               "Error dropping new table `a`.`_b_new`: locked", "Dropped new table OK.",
               "`a`.`b` was not altered."});
    CHECK(judge_pt_osc(exited(1), table, false).left == leftovers::certain);
}

TEST_CASE("--no-swap-tables: \"Successfully altered\", and nothing is altered") {
    check(judge_pt_osc(exited(0), heard(transcript("ptosc-3.2.1-no-swap.stdout")), false),
          tool_verdict::unclear, leftovers::certain,
          "pt-online-schema-change ended with exit code 0 and said \"Successfully altered\", but "
          "not that it swapped the tables");
}

TEST_CASE("failures of real runs, with their reasons") {
    const auto failed = [](int code, const std::vector<std::string>& names) {
        pt_osc_words words;
        for (const auto& name : names) {
            for (const auto& line : transcript(name))
                words.hear(parse_pt_osc_line(line));
        }
        return judge_pt_osc(exited(code), words, false);
    };
    // A replica that cannot be reached is told last, and is not the reason.
    check(failed(4, {"ptosc-3.2.1-no-key.stdout", "ptosc-3.2.1-no-key.stderr"}),
          tool_verdict::failed, leftovers::none,
          "pt-online-schema-change ended with exit code 4 and said \"was not altered\"; it "
          "complained: The new table `shop`.`_nopk_new` does not have a PRIMARY KEY or a unique "
          "index which is required for the DELETE trigger.");
    check(failed(1, {"ptosc-3.2.1-usage.stdout", "ptosc-3.2.1-usage.stderr"}), tool_verdict::failed,
          leftovers::none,
          "pt-online-schema-change ended with exit code 1 and said nothing of its end; it "
          "complained: Unknown option: bogus");
    check(failed(1, {"ptosc-3.2.1-drop-swap-refused.stdout"}), tool_verdict::failed,
          leftovers::certain,
          "pt-online-schema-change ended with exit code 1 and said \"was not altered\"; it "
          "complained: --alter-foreign-keys-method=drop_swap doesn't work with MySQL 8.0+");
    CHECK(failed(11, {"ptosc-3.2.1-critical-load.stderr"}).sentence ==
          "pt-online-schema-change ended with exit code 11 and said nothing of its end; it "
          "complained: Error copying rows from `shop`.`orders` to `shop`.`_orders_new`: "
          "Threads_connected=3 exceeds its critical threshold 1");
    CHECK(failed(0, {"ptosc-3.2.1-foreign-keys.stdout"}).verdict == tool_verdict::succeeded);
    CHECK(failed(0, {"ptosc-3.5.7-execute.stdout", "ptosc-3.5.7-execute.stderr"}).verdict ==
          tool_verdict::succeeded);
}

TEST_CASE("swapped with errors after it") {
    check(judge_pt_osc(
              exited(0),
              heard({"Altering `a`.`b`...", "Created new table a._b_new OK.",
                     "Creating triggers...", "Swapping tables...",
                     "Swapped original and new tables OK.", "Dropping triggers...",
                     "Dropped triggers OK.", "Altered `a`.`b` but there were errors or warnings."}),
              false),
          tool_verdict::unclear, leftovers::none,
          "pt-online-schema-change ended with exit code 0 and said \"Altered … but there were "
          "errors or warnings\"; that code means: it reports no error, which says little");
}

TEST_CASE("statements that are told without end are not kept without end") {
    pt_osc_words words;
    for (int i = 0; i < 1000; ++i)
        words.hear(parse_pt_osc_line("DROP TABLE IF EXISTS `a`.`b`;"));
    CHECK(words.drop_statements.size() == 100);
}
