#include "osc/gh_ost_reply.hpp"

#include "tests/unit/osc/transcript.hpp"

#include <doctest/doctest.h>

using namespace primacy::osc;
using namespace primacy::tests;

namespace {

using kind = gh_ost_reply_kind;

kind kind_of(std::string_view reply) {
    return parse_gh_ost_reply(reply).kind;
}

}  // namespace

TEST_CASE("replies of a real gh-ost") {
    const auto status =
        parse_gh_ost_reply(transcript_text("gh-ost-1.1.6.socket-status-postponing.txt"));
    CHECK(status.kind == kind::status);
    REQUIRE(status.status);
    CHECK(status.status->state == gh_ost_state::postponing);
    CHECK(status.status->rows_copied == 600'002);
    CHECK(status.postpone_file_set == true);
    CHECK(status.text == "");

    const auto throttle = parse_gh_ost_reply(transcript_text("gh-ost-1.1.6.socket-throttle.txt"));
    CHECK(throttle.kind == kind::throttling);
    REQUIRE(throttle.status);
    CHECK(throttle.status->throttle->cause == gh_ost_throttle_cause::flag_file);

    const auto go = parse_gh_ost_reply(transcript_text("gh-ost-1.1.6.socket-unpostpone.txt"));
    CHECK(go.kind == kind::unpostponed);
    CHECK(go.text == "Unpostponed");
    REQUIRE(go.status);
    CHECK(go.status->state == gh_ost_state::postponing);

    const auto help = parse_gh_ost_reply(transcript_text("gh-ost-1.1.6.socket-help.txt"));
    CHECK(help.kind == kind::text);
    CHECK(!help.status);
}

TEST_CASE("upper or lower case, with or without a dot") {
    for (const char* reply :
         {"You may only invoke this when gh-ost is actively postponing migration. At this time it "
          "is not.\n",
          "You may only invoke this when gh-ost is actively postponing migration. At this time it "
          "is not\n",
          "you may only invoke this when gh-ost is actively postponing migration. at this time it "
          "is not\r\n"})
        CHECK_MESSAGE(kind_of(reply) == kind::not_postponing, reply);
    CHECK(kind_of("Unknown command: bogus\n") == kind::unknown_command);
    CHECK(kind_of("unknown command: bogus\n") == kind::unknown_command);
    CHECK(kind_of("unpostponed.") == kind::unpostponed);
    CHECK(kind_of("Postponed\n") == kind::postponed);
}

TEST_CASE("a panic that was refused is not taken for one that was accepted") {
    const std::string accepted =
        "ser commanded 'panic'. The migration will be aborted without cleanup. Please drop the "
        "gh-ost tables before trying again\n";
    CHECK(kind_of("U" + accepted) == kind::panicking);
    CHECK(kind_of("u" + accepted) == kind::panicking);
    CHECK(kind_of("User commanded 'panic' on other, but migrated table is orders; ignoring "
                  "request.\n") == kind::refused);
    CHECK(kind_of("user commanded 'panic' without specifying table name, but --force-named-panic "
                  "is set\n") == kind::refused);
    CHECK(kind_of("user commanded 'unpostpone' on x, but migrated table is y; ignoring request") ==
          kind::refused);
    CHECK(kind_of("user commanded 'unpostpone' without specifying table name, but "
                  "--force-named-cut-over is set") == kind::refused);
}

TEST_CASE("a value, an error's text and silence") {
    CHECK(kind_of("") == kind::nothing);
    CHECK(kind_of("\n") == kind::nothing);
    const auto value = parse_gh_ost_reply("mb.000001:317953282\n");
    CHECK(value.kind == kind::text);
    CHECK(value.text == "mb.000001:317953282");
    const auto error = parse_gh_ost_reply("strconv.Atoi: parsing \"abc\": invalid syntax\n");
    CHECK(error.kind == kind::text);
    CHECK(error.text == "strconv.Atoi: parsing \"abc\": invalid syntax");
    CHECK(!error.postpone_file_set);
}

TEST_CASE("a list of control replicas before the status is no error") {
    const auto reply = parse_gh_ost_reply(
        "db2:3306,db3:3306\n# throttle-control-replicas count: 2\nCopy: 1/2 50.0%; Applied: 0; "
        "Backlog: 0/1000; Time: 0s(total), 0s(copy); streamer: m:1; Lag: 0.01s, HeartbeatLag: "
        "0.01s, State: migrating; ETA: due\n");
    CHECK(reply.kind == kind::status);
    CHECK(reply.text == "");
    CHECK(reply.status);
}

TEST_CASE("a reply that was cut never says more than it did") {
    for (const char* name :
         {"gh-ost-1.1.6.socket-throttle.txt", "gh-ost-1.1.6.socket-help.txt",
          "gh-ost-1.1.6.socket-unpostpone.txt", "gh-ost-1.1.6.socket-status-postponing.txt"}) {
        const auto text = transcript_text(name);
        const auto whole = parse_gh_ost_reply(text);
        for (std::size_t length = 0; length < text.size(); ++length) {
            const auto part = parse_gh_ost_reply(std::string_view(text).substr(0, length));
            // All but the line's end: then it is whole.
            CHECK((!part.status || length + 1 == text.size()));
            CHECK_MESSAGE(
                (part.kind == whole.kind || part.kind == kind::nothing || part.kind == kind::text),
                length);
        }
    }
    for (const std::string whole :
         {"User commanded 'panic'. The migration will be aborted without cleanup",
          "You may only invoke this when gh-ost is actively postponing migration. At this time it "
          "is not",
          "Unpostponed",
          "User commanded 'panic' on a, but migrated table is b; ignoring request"}) {
        for (std::size_t length = 1; length < whole.size(); ++length)
            CHECK_MESSAGE(kind_of(whole.substr(0, length)) == kind::text, whole.substr(0, length));
    }
}
