// Programs that outlive us, with their watchers; real processes.
#include "agent/rt/detached.hpp"

#include "agent/rt/file.hpp"
#include "tests/support/poll_until.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace primacy::rt;
using namespace primacy::tests;
using fate = detached_state::fate;

namespace {

struct place {
    temporary_directory folder;
    detached_files files = detached_files_in(folder.path().string(), folder.path().string());

    // Watchers are meant to be nobody's children; here they are ours.
    ~place() {
        while (::waitpid(-1, nullptr, 0) > 0) {
        }
    }
    result<void> start(std::string script) const {
        return watch_detached(files, {"sh", "-c", std::move(script)});
    }
    template <class Condition>
    detached_state wait_for(Condition condition) const {
        poll_until([&] { return condition(look_at_detached(files)); });
        return look_at_detached(files);
    }
    std::string text(const std::string& path) const {
        auto read = read_file(path, 65536);
        return read ? *read : std::string();
    }
    pid_t watcher() const { return std::stoi(text(files.watcher)); }
};

bool has_ended(const detached_state& state) {
    return state.what == fate::ended || state.what == fate::gone;
}

}  // namespace

TEST_CASE("nothing was started") {
    const place here;
    CHECK(look_at_detached(here.files).what == fate::none);
}

TEST_CASE("what has ended can be forgotten, and another one started in its place") {
    const place here;
    REQUIRE(here.start("echo first; exit 3").has_value());
    here.wait_for(has_ended);
    REQUIRE(forget_detached(here.files).has_value());
    CHECK(look_at_detached(here.files).what == fate::none);
    CHECK(forget_detached(here.files).has_value());
    REQUIRE(here.start("echo second; exit 4").has_value());
    auto state = here.wait_for(has_ended);
    CHECK(state.exit_code == 4);
    CHECK(here.text(here.files.output) == "first\nsecond\n");
}

TEST_CASE("how it ended and what it said is found later") {
    const place here;
    REQUIRE(here.start("echo out; echo err >&2; exit 3").has_value());
    auto state = here.wait_for(has_ended);
    CHECK(state.what == fate::ended);
    CHECK(state.exit_code == 3);
    CHECK_FALSE(state.signal);
    CHECK(here.text(here.files.output) == "out\n");
    CHECK(here.text(here.files.errors) == "err\n");
}

TEST_CASE("it is seen at work, is signalled as a group, and its signal is known") {
    const place here;
    REQUIRE(here.start("sleep 1000 & echo $!; wait").has_value());
    auto state = here.wait_for(
        [&](const auto& now) { return now.program && !here.text(here.files.output).empty(); });
    CHECK(state.what == fate::alive);
    const pid_t grandchild = std::stoi(here.text(here.files.output));
    CHECK(identify(grandchild).has_value());
    CHECK(signal_detached(*state.program, SIGKILL));
    state = here.wait_for(has_ended);
    CHECK(state.what == fate::ended);
    CHECK(state.signal == SIGKILL);
    here.wait_for([&](const auto&) { return !identify(grandchild); });
    CHECK_FALSE(signal_detached(*state.program, SIGKILL));
}

TEST_CASE("signals that end us do not end the watcher") {
    const place here;
    REQUIRE(here.start("sleep 0.3; exit 5").has_value());
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE})
        CHECK(::kill(here.watcher(), number) == 0);
    CHECK(here.wait_for(has_ended).exit_code == 5);
}

TEST_CASE("without its watcher the program is alive until it ends, and then nobody knows how") {
    const place here;
    REQUIRE(here.start("while ! test -e \"$0.go\"; do sleep 0.01; done").has_value());
    const pid_t watcher = here.watcher();
    auto state = here.wait_for([](const auto& now) { return now.program.has_value(); });
    CHECK(::kill(watcher, SIGKILL) == 0);
    here.wait_for([&](const auto&) { return !identify(watcher); });
    CHECK(look_at_detached(here.files).what == fate::alive);
    CHECK(signal_detached(*state.program, SIGKILL));
    state = here.wait_for(has_ended);
    CHECK(state.what == fate::gone);
    CHECK_FALSE(state.exit_code);
    CHECK_FALSE(state.signal);
}

TEST_CASE("another process that got its number later is not taken for it") {
    const place here;
    auto noted =
        replace_file(here.files.program, std::to_string(::getpid()) + " 1\n", durability::cached);
    REQUIRE(noted.has_value());
    auto state = look_at_detached(here.files);
    CHECK(state.what == fate::gone);
    CHECK_FALSE(signal_detached(*state.program, 0));
}

TEST_CASE("what cannot be started is an error that says why") {
    const place here;
    auto started = watch_detached(here.files, {"no-such-program-anywhere"});
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().message ==
          "cannot start no-such-program-anywhere: No such file or directory");
    detached_files lost = here.files;
    lost.output = "/no/such/folder/output.log";
    auto unwritable = watch_detached(lost, {"true"});
    CHECK_FALSE(unwritable.has_value());
    auto empty = watch_detached(here.files, std::vector<std::string>());
    CHECK_FALSE(empty.has_value());
}
