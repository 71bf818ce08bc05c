#include "osc/gh_ost_ending.hpp"

#include "tests/unit/osc/transcript.hpp"

#include <doctest/doctest.h>

using namespace primacy::osc;
using namespace primacy::tests;

namespace {

constexpr process_status exited(int code) {
    return {.exit_code = code, .signal = std::nullopt};
}

constexpr process_status killed_by(int signal) {
    return {.exit_code = std::nullopt, .signal = signal};
}

constexpr process_status not_known{};

gh_ost_words words_of(const std::vector<std::string>& transcripts,
                      const std::vector<std::string>& lines = {}) {
    gh_ost_words words;
    for (const auto& name : transcripts) {
        for (const auto& line : transcript(name))
            words.hear(parse_gh_ost_line(line));
    }
    for (const auto& line : lines)
        words.hear(parse_gh_ost_line(line));
    return words;
}

const std::string status_line =
    "Copy: 1/2 50.0%; Applied: 0; Backlog: 0/1000; Time: 0s(total), 0s(copy); streamer: m:1; Lag: "
    "0.01s, HeartbeatLag: 0.01s, State: migrating; ETA: due";

void check(const tool_ending& ending, tool_verdict verdict, leftovers left,
           const std::string& sentence) {
    CHECK(ending.verdict == verdict);
    CHECK(ending.left == left);
    CHECK(ending.sentence == sentence);
}

}  // namespace

TEST_CASE("a success with and without --verbose") {
    const auto words = words_of({"gh-ost-1.1.6.stdout", "gh-ost-1.1.6.stderr"});
    // The ERROR on the way, about a table that is gone by then, is none of the ending's business.
    CHECK(words.error == "Error 1146: Table 'shop._orders_ghc' doesn't exist");
    check(judge_gh_ost(exited(0), words), tool_verdict::succeeded, leftovers::none,
          "gh-ost ended with exit code 0 and \"# Done\"");
    // It exits 0 with "# Done" also when it could not drop its own tables.
    check(judge_gh_ost(exited(0), words_of({"gh-ost-1.1.9-mariadb-11.8.stdout"})),
          tool_verdict::succeeded, leftovers::possible,
          "gh-ost ended with exit code 0 and \"# Done\", but not that it dropped its own tables");
}

TEST_CASE("an adopted process has no exit status: its words count, and are told as words") {
    check(judge_gh_ost(not_known, words_of({"gh-ost-1.1.6.stdout", "gh-ost-1.1.6.stderr"})),
          tool_verdict::said_so, leftovers::none,
          "gh-ost said \"# Done\"; its exit status is not known");
    check(judge_gh_ost(not_known, words_of({"gh-ost-head-throttled-control-replica.out"})),
          tool_verdict::unclear, leftovers::certain,
          "gh-ost is gone; its exit status is not known and it said nothing of its end");
    check(judge_gh_ost(not_known, words_of({}, {"2026-11-21 21:06:25 FATAL exit status 3"})),
          tool_verdict::failed, leftovers::possible, "gh-ost gave up: exit status 3");
}

TEST_CASE("killed") {
    const auto words = words_of({"gh-ost-head-throttled-control-replica.out"});
    check(judge_gh_ost(killed_by(15), words), tool_verdict::failed, leftovers::certain,
          "gh-ost was ended by signal 15 (SIGTERM)");
    check(judge_gh_ost(killed_by(13), words), tool_verdict::failed, leftovers::certain,
          "gh-ost was ended by signal 13 (SIGPIPE): nobody read its output any more");
    check(judge_gh_ost(killed_by(9), {}), tool_verdict::failed, leftovers::possible,
          "gh-ost was ended by signal 9 (SIGKILL)");
    check(judge_gh_ost(killed_by(9), words_of({"gh-ost-1.1.6.stdout"})), tool_verdict::unclear,
          leftovers::possible,
          "gh-ost was ended by signal 9 (SIGKILL) after it had said \"# Done\"");
}

TEST_CASE("failures, with what they leave behind") {
    const auto failed = [](const std::string& reason, bool copying) {
        std::vector<std::string> lines;
        if (copying) lines.push_back(status_line);
        lines.push_back("2026-11-21 21:06:25 FATAL " + reason);
        return judge_gh_ost(exited(1), words_of({}, lines));
    };
    check(failed("user commanded 'panic'. The migration will be aborted without cleanup.", true),
          tool_verdict::failed, leftovers::certain,
          "gh-ost gave up: user commanded 'panic'. The migration will be aborted without cleanup.");
    check(
        failed("Table `_t_gho` already exists. Panicking. Use --initially-drop-ghost-table", false),
        tool_verdict::failed, leftovers::certain,
        "gh-ost gave up: Table `_t_gho` already exists. Panicking. Use "
        "--initially-drop-ghost-table");
    CHECK(failed("found 2 parent-side foreign keys", false).left == leftovers::possible);
    CHECK(failed("Error 1205: whatever", true).left == leftovers::certain);
    check(judge_gh_ost(exited(1), words_of({}, {"2026-11-21 21:06:25 ERROR something"})),
          tool_verdict::failed, leftovers::possible,
          "gh-ost ended with exit code 1 and gave no reason; its last error was: something");
    check(judge_gh_ost(exited(2), {}), tool_verdict::failed, leftovers::none,
          "gh-ost did not take its options (exit code 2)");
    check(judge_gh_ost(exited(2), words_of({}, {"flag provided but not defined: -bogus"})),
          tool_verdict::failed, leftovers::none,
          "gh-ost did not take its options (exit code 2): flag provided but not defined: -bogus");
    check(judge_gh_ost(exited(1), words_of({"gh-ost-head-missing-table.stderr"})),
          tool_verdict::failed, leftovers::possible,
          "gh-ost gave up: cannot find table `shop`.`nothere`!");
    const auto exhausted = words_of(
        {"gh-ost-head-cut-over-exhausted.stdout", "gh-ost-head-cut-over-exhausted.stderr"});
    check(judge_gh_ost(exited(1), exhausted), tool_verdict::failed, leftovers::certain,
          "gh-ost gave up: Error 1205 (HY000): Lock wait timeout exceeded; try restarting "
          "transaction");
    check(judge_gh_ost(exited(2), words_of({}, {status_line, "panic: runtime error: oh",
                                                "goroutine 1 [running]:"})),
          tool_verdict::failed, leftovers::certain, "gh-ost crashed: panic: runtime error: oh");
}

TEST_CASE("contradictions are unclear") {
    check(judge_gh_ost(exited(0), words_of({}, {status_line})), tool_verdict::unclear,
          leftovers::certain, "gh-ost ended with exit code 0, but never said \"# Done\"");
    check(judge_gh_ost(exited(1), words_of({"gh-ost-1.1.6.stdout"})), tool_verdict::unclear,
          leftovers::certain, "gh-ost said \"# Done\", and yet it ended with exit code 1");
    check(judge_gh_ost(exited(1), words_of({}, {"# Done", "2026-11-21 21:06:25 FATAL no"})),
          tool_verdict::unclear, leftovers::possible,
          "gh-ost said both \"# Done\" and a reason to give up: no");
}

TEST_CASE("reasons to give up") {
    using failure = gh_ost_failure;
    CHECK(classify_gh_ost_fatal("") == failure::none);
    CHECK(classify_gh_ost_fatal("User commanded 'panic'. The migration") ==
          failure::panic_commanded);
    CHECK(classify_gh_ost_fatal("found panic-file /run/p. Aborting without cleanup") ==
          failure::panic_file);
    CHECK(classify_gh_ost_fatal("critical-load met: Threads_connected=6, >=1") ==
          failure::critical_load);
    CHECK(classify_gh_ost_fatal("critical-load met again after 5 millis: T=6, >=1") ==
          failure::critical_load);
    CHECK(classify_gh_ost_fatal("Table `_t_del` already exists. Panicking. Use") ==
          failure::remains_in_way);
    CHECK(classify_gh_ost_fatal("listen unix /tmp/s: bind: address already in use") ==
          failure::socket_taken);
    CHECK(classify_gh_ost_fatal("exit status 3") == failure::hook_failed);
    CHECK(classify_gh_ost_fatal("Timeout while waiting for events up to lock") ==
          failure::cut_over_timeout);
    CHECK(classify_gh_ost_fatal("Error 1205 (HY000): Lock wait timeout exceeded; try") ==
          failure::cut_over_timeout);
    CHECK(classify_gh_ost_fatal("another gh-ost process is already migrating `a`.`b`: migration "
                                "lock gh-ost::a.b held by connection id 226") ==
          failure::already_running);
    CHECK(classify_gh_ost_fatal("Error 1193: Unknown system variable") == failure::other);
}
