// How a program is started and what comes back from one that ends by itself.
#include "agent/rt/process.hpp"

#include "agent/rt/descriptor.hpp"
#include "tests/support/forked_process.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/rt/process_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <memory>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace primacy::rt;
using namespace primacy::tests;
using namespace std::chrono_literals;

namespace {

bool mentions(const error& failure, std::string_view text) {
    return failure.message.find(text) != std::string::npos;
}

int exit_code(const result<exit_report>& report) {
    REQUIRE(report.has_value());
    const auto* ended = std::get_if<exited>(&report->ending);
    REQUIRE(ended);
    return ended->code;
}

}  // namespace

TEST_CASE("a program that ends by itself is reported with its code and all it wrote") {
    asio::io_context context;
    const auto report = run(context, shell("echo out; echo err >&2; exit 3"));
    CHECK(exit_code(report) == 3);
    CHECK(report->output.text == "out\n");
    CHECK(report->errors.text == "err\n");
    CHECK(report->output.complete);
    CHECK(report->errors.complete);
    CHECK(report->output.dropped_bytes == 0);
    CHECK(report->took > 0ns);
    CHECK_FALSE(succeeded(*report));
    CHECK(describe(*report) == "exited with code 3");
    CHECK(succeeded(*run(context, shell("exit 0"))));
}

TEST_CASE("a program ended by a signal is reported with the signal") {
    asio::io_context context;
    const auto report = run(context, shell("kill -SEGV $$"));
    REQUIRE(report.has_value());
    REQUIRE(std::holds_alternative<signalled>(report->ending));
    CHECK(std::get<signalled>(report->ending).number == SIGSEGV);
    CHECK_FALSE(succeeded(*report));
    CHECK(describe(*report) == "was killed by signal 11 (Segmentation fault)");
}

TEST_CASE("arguments arrive as they are: no shell looks at them") {
    asio::io_context context;
    command what;
    what.argv = {"/usr/bin/printf", "%s|", "$HOME", "a b", "; touch x", "`id`", "*", "", "\n'\""};
    const auto report = run(context, what);
    CHECK(exit_code(report) == 0);
    CHECK(report->output.text == "$HOME|a b|; touch x|`id`|*||\n'\"|");
}

TEST_CASE("input larger than a pipe is written while output is read") {
    asio::io_context context;
    command what;
    what.argv = {"cat"};
    for (int line = 0; what.standard_input.size() < 1'000'000; ++line)
        what.standard_input += std::to_string(line) + "\n";
    auto limits = long_enough();
    limits.keep_output = 2'000'000;
    const auto report = run(context, what, limits);
    CHECK(exit_code(report) == 0);
    CHECK(report->output.text == what.standard_input);
}

TEST_CASE("a program that does not read its input neither ends us nor holds us up") {
    asio::io_context context;
    auto what = shell("exec <&-; echo done");
    what.standard_input = std::string(1'000'000, 'x');
    const auto report = run(context, what);
    CHECK(exit_code(report) == 0);
    CHECK(report->output.text == "done\n");
}

TEST_CASE("output is kept up to its limit; the rest is read and counted") {
    asio::io_context context;
    auto limits = long_enough();
    limits.keep_output = 1000;
    limits.keep_errors = 0;
    const auto report =
        run(context, shell("head -c 300000 /dev/zero | tr '\\0' o; printf eee >&2"), limits);
    CHECK(exit_code(report) == 0);
    CHECK(report->output.text == std::string(1000, 'o'));
    CHECK(report->output.dropped_bytes == 299'000);
    CHECK(report->errors.text.empty());
    CHECK(report->errors.dropped_bytes == 3);
    CHECK(report->errors.complete);
}

TEST_CASE("lines are told as they come, also those that are not kept") {
    asio::io_context context;
    line_collector heard;
    auto limits = long_enough();
    limits.keep_output = 4;
    const auto report = run(context, shell("echo one; echo two; echo warning >&2; printf 'no end'"),
                            limits, &heard);
    CHECK(exit_code(report) == 0);
    CHECK(report->output.text == "one\n");
    std::erase(heard.lines, "! warning");  // its place among the others is not certain
    CHECK(heard.lines == std::vector<std::string>{"one", "two", "no end"});
}

TEST_CASE("a program gets the environment it is given and nothing else") {
    asio::io_context context;
    ::setenv("PRIMACY_TEST_SECRET", "hidden", 1);
    ::setenv("PRIMACY_TEST_SHARED", "ours", 1);
    ::setenv("PRIMACY_TEST_BOTH", "ours", 1);
    command what;
    what.argv = {"/usr/bin/env"};
    what.environment = {{"PRIMACY_TEST_GIVEN", "a=b c"}, {"PRIMACY_TEST_BOTH", "given"}};
    what.inherited = {"PRIMACY_TEST_SHARED", "PRIMACY_TEST_BOTH", "PRIMACY_TEST_UNSET"};
    CHECK(run(context, what)->output.text ==
          "PRIMACY_TEST_BOTH=given\nPRIMACY_TEST_GIVEN=a=b c\nPRIMACY_TEST_SHARED=ours\n");
    command bare;
    bare.argv = {"/usr/bin/env"};
    CHECK(run(context, bare)->output.text.empty());
}

TEST_CASE("a program inherits none of our descriptors, not even careless ones") {
    asio::io_context context;
    const int careless = ::open("/dev/null", O_RDONLY);  // not close-on-exec
    const int far_away = ::fcntl(careless, F_DUPFD, 200);
    REQUIRE(far_away >= 200);
    command what;
    what.argv = {"/bin/ls", "-1", "/proc/self/fd"};
    // The fourth is the directory that ls reads.
    CHECK(run(context, what)->output.text == "0\n1\n2\n3\n");
    ::close(careless);
    ::close(far_away);
}

TEST_CASE("a program has a session and a group of its own and signals as if fresh") {
    asio::io_context context;
    sigset_t blocked;
    sigset_t former;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &blocked, &former);
    auto former_handler = std::signal(SIGUSR2, SIG_IGN);
    command what;
    what.argv = {"/bin/cat", "/proc/self/stat", "/proc/self/status"};
    const auto report = run(context, what);
    std::signal(SIGUSR2, former_handler);
    ::sigprocmask(SIG_SETMASK, &former, nullptr);

    int id = 0;
    int group = 0;
    int session = 0;
    const std::string& text = report->output.text;
    REQUIRE(std::sscanf(text.c_str(), "%d (cat) %*c %*d %d %d", &id, &group, &session) == 3);
    CHECK(id != ::getpid());
    CHECK(group == id);
    CHECK(session == id);
    const auto signals = [&](std::string_view name) {
        const auto at = text.find(name);
        REQUIRE(at != std::string::npos);
        return std::strtoull(text.c_str() + at + name.size(), nullptr, 16);
    };
    CHECK(signals("SigBlk:") == 0);
    // 32 and 33 belong to the C library.
    CHECK((signals("SigIgn:") & ~0x180000000ULL) == 0);
}

TEST_CASE("what cannot be started is an error that names it and says what to do") {
    asio::io_context context;
    const temporary_directory here;
    const auto attempt = [&](const std::string& program) {
        command what;
        what.argv = {program};
        what.inherited = {"PATH"};
        const auto report = run(context, what);
        REQUIRE(report.has_error());
        CHECK(report.error().code == errc::io);
        CHECK(mentions(report.error(), "cannot start " + program + ": "));
        return report.error();
    };
    const auto put = [&](const char* name, const char* content, mode_t mode) {
        std::ofstream(here / name) << content;
        REQUIRE(::chmod((here / name).c_str(), mode) == 0);
        return (here / name).string();
    };
    CHECK(mentions(attempt("no-such-program-at-all"), "no such program in PATH"));
    CHECK(mentions(attempt((here / "missing").string()), "No such file or directory"));
    CHECK(mentions(attempt(here.path().string()), "it is not executable"));
    CHECK(mentions(attempt(put("plain", "#!/bin/sh\n", 0644)), "it is not executable"));
    CHECK(mentions(attempt(put("orphan", "#!/no/such/interpreter\n", 0755)), "interpreter"));
    // A libc that hands such a file to a shell would start it.
    CHECK(mentions(attempt(put("text", "echo no shell, please\n", 0755)), "begins with #!"));
}

TEST_CASE("a command that cannot be passed on unchanged is refused") {
    asio::io_context context;
    const auto refusal = [&](command what) {
        const auto report = run(context, std::move(what));
        REQUIRE(report.has_error());
        return report.error().code;
    };
    const std::string with_nul("a\0b", 3);
    CHECK(refusal({{}, {}, {}, ""}) == errc::usage);
    CHECK(refusal({{""}, {}, {}, ""}) == errc::usage);
    CHECK(refusal({{"echo", with_nul}, {}, {}, ""}) == errc::usage);
    CHECK(refusal({{"env"}, {{"A=B", "c"}}, {}, ""}) == errc::usage);
    CHECK(refusal({{"env"}, {{"", "c"}}, {}, ""}) == errc::usage);
    CHECK(refusal({{"env"}, {{"A", with_nul}}, {}, ""}) == errc::usage);
}

TEST_CASE("nothing is started when no time is left") {
    asio::io_context context;
    const temporary_directory here;
    const auto report = run(context, shell("touch " + (here / "started").string()), within(-1ms));
    REQUIRE(report.has_error());
    CHECK(report.error().code == errc::timeout);
    CHECK(mentions(report.error(), "/bin/sh was not started"));
    CHECK_FALSE(std::filesystem::exists(here / "started"));
}

TEST_CASE("without a descriptor left, a start fails as a value and leaks none") {
    asio::io_context context;
    run(context, shell("exit 0"));  // whatever the loop opens for itself
    const auto before = open_descriptors();
    rlimit former{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &former) == 0);
    for (rlim_t spare = 0; spare < 6; ++spare) {
        const descriptor probe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        rlimit tight{static_cast<rlim_t>(probe.get()) + spare, former.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
        const auto report = run(context, shell("exit 0"));
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &former) == 0);
        REQUIRE(report.has_error());
        CHECK(report.error().native == EMFILE);
    }
    CHECK(open_descriptors() == before);
}

namespace {

asio::awaitable<void> run_and_count(int code, int& right) {
    system_process_runner runner;
    const auto report =
        co_await runner.run(shell("exit " + std::to_string(code)), long_enough(), nullptr);
    const auto* ended = report ? std::get_if<exited>(&report->ending) : nullptr;
    if (ended && ended->code == code) ++right;
}

}  // namespace

TEST_CASE("many programs at once each have their own ending, and leave no descriptor or zombie") {
    asio::io_context context;
    run(context, shell("exit 0"));
    const auto before = open_descriptors();
    int right = 0;
    for (int code = 0; code < 60; ++code)
        asio::co_spawn(context, run_and_count(code, right), asio::detached);
    poll_until(context, [&] { return right == 60; });
    CHECK(open_descriptors() == before);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
}

TEST_CASE("an exit code that somebody else has taken is an error, not a success") {
    asio::io_context context;
    auto former = std::signal(SIGCHLD, SIG_IGN);
    const auto report = run(context, shell("exit 0"));
    std::signal(SIGCHLD, former);
    REQUIRE(report.has_error());
    CHECK(report.error().code == errc::internal);
    CHECK(mentions(report.error(), "somebody else has taken its exit code"));
}

namespace {

// Runs a check in a process of its own, which may be spoilt for anything else.
bool holds_in_a_fork(bool (*check)()) {
    const int status = forked_process([check] { return check() ? 0 : 1; }).wait();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool runs_without_standard_descriptors() {
    ::close(0);
    ::close(1);
    ::close(2);
    asio::io_context context;
    auto what = shell("cat; echo err >&2");
    what.standard_input = "in";
    const auto report = run(context, what);
    return report && succeeded(*report) && report->output.text == "in" &&
           report->errors.text == "err\n";
}

bool runs_without_pidfd() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{4, program};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        return false;
    if (::syscall(SYS_pidfd_open, ::getpid(), 0) != -1) return false;
    asio::io_context context;
    const auto report = run(context, shell("echo x; exit 5"));
    const auto* ended = report ? std::get_if<exited>(&report->ending) : nullptr;
    const auto late = run(context, shell("exec sleep 1000"), within(10ms));
    return ended && ended->code == 5 && report->output.text == "x\n" && late &&
           std::holds_alternative<timed_out>(late->ending);
}

}  // namespace

TEST_CASE("a program's pipes work when our own standard descriptors are closed") {
    CHECK(holds_in_a_fork(runs_without_standard_descriptors));
}

TEST_CASE("a program is seen to its end also when the system has no pidfd for us") {
    CHECK(holds_in_a_fork(runs_without_pidfd));
}
