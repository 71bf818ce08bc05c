#include "agent/rt/log.hpp"

#include "agent/rt/descriptor.hpp"
#include "agent/rt/log_sink.hpp"
#include "agent/rt/log_text.hpp"
#include "tests/support/datagram_receiver.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spdlog/details/log_msg.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <regex>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace primacy::rt;
using primacy::tests::datagram_receiver;
using primacy::tests::log_capture;
using primacy::tests::temporary_directory;

namespace {

using lines = std::vector<std::string>;

std::string read_all(int from) {
    std::string text;
    char buffer[65536];
    for (;;) {
        const auto size = ::read(from, buffer, sizeof buffer);
        if (size <= 0) return text;
        text.append(buffer, static_cast<std::size_t>(size));
    }
}

// A pipe or socket of which this test is the reader.
struct stream_pair {
    descriptor reader;
    descriptor writer;

    static stream_pair pipe() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        return make(ends[0], ends[1]);
    }
    static stream_pair socket() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        return make(ends[0], ends[1]);
    }
    static stream_pair make(int reader, int writer) {
        REQUIRE(::fcntl(reader, F_SETFL, O_NONBLOCK) == 0);
        return {descriptor(reader), descriptor(writer)};
    }
};

// Sends the log back to standard error whatever happens in between.
struct log_restorer {
    ~log_restorer() { start_log("info", "text"); }
};

}  // namespace

TEST_CASE("a line of text begins with the time, the level and who says it") {
    log_capture log;
    primacy::rt::log(log_level::warning, "watch", "lag of db2 is 40 s", {{"server", "db2"}});
    const std::regex shape(
        R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning watch: lag of db2 is 40 s server=db2\n)");
    const auto written = log.all();
    CAPTURE(written);
    CHECK(std::regex_match(written, shape));
}

TEST_CASE("entries below the level are not written, and the level can change") {
    log_capture log("warning");
    CHECK_FALSE(is_logged(log_level::info));
    CHECK(is_logged(log_level::error));
    primacy::rt::log(log_level::debug, "x", "1");
    primacy::rt::log(log_level::info, "x", "2");
    primacy::rt::log(log_level::warning, "x", "3");
    primacy::rt::log(log_level::error, "x", "4");
    CHECK(log.lines() == lines{"warning x: 3", "error x: 4"});
    CHECK(set_log_level("debug").has_value());
    primacy::rt::log(log_level::debug, "x", "5");
    CHECK(log.lines() == lines{"debug x: 5"});
    CHECK(set_log_level("loud\n").error().message ==
          "log level \"loud\\n\" is none of debug, info, warning, error");
    CHECK(is_logged(log_level::debug));
}

TEST_CASE("words for levels and formats") {
    CHECK(log_level_from("warn") == log_level::warning);
    CHECK(log_level_from("warning") == log_level::warning);
    CHECK_FALSE(log_level_from("WARN"));
    CHECK(log_format_from("json") == log_format::json);
    CHECK_FALSE(log_format_from("yaml"));
    const auto refused = start_log("info", "yaml");
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::config);
}

TEST_CASE("a line of JSON is an object with the fields beside the message") {
    log_capture log("info", "json");
    primacy::rt::log(log_level::error, "sql", "said \"no\"\n{",
                     {{"topology", "shop"}, {"server", "db1"}});
    const auto written = log.lines();
    REQUIRE(written.size() == 1);
    const auto entry = boost::json::parse(written[0]).as_object();
    CHECK(entry.at("level").as_string() == "error");
    CHECK(entry.at("logger").as_string() == "sql");
    CHECK(entry.at("message").as_string() == "said \"no\"\n{");
    CHECK(entry.at("topology").as_string() == "shop");
    CHECK(entry.at("server").as_string() == "db1");
    CHECK(std::regex_match(std::string(entry.at("time").as_string()),
                           std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
    CHECK(entry.size() == 6);
}

TEST_CASE("nobody can write a line of our log for us") {
    log_capture log;
    primacy::rt::log(log_level::info, "http",
                     "GET /\r\n2026-01-01T00:00:00Z error fence: fenced db1",
                     {{"peer", "x\n2026 error y"}});
    CHECK(log.lines().size() == 1);
}

TEST_CASE("lines that lead into the journal carry a priority instead of the time") {
    const log_restorer restore;
    auto stream = stream_pair::socket();
    struct stat facts {};
    REQUIRE(::fstat(stream.writer.get(), &facts) == 0);
    ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", facts.st_dev, facts.st_ino).c_str(), 1);
    CHECK(leads_to_journal(stream.writer.get()));
    CHECK_FALSE(leads_to_journal(stream.reader.get()));
    REQUIRE(start_log("info", "text", stream.writer.get()).has_value());
    ::unsetenv("JOURNAL_STREAM");
    primacy::rt::log(log_level::error, "agent", "one");
    primacy::rt::log(log_level::info, "agent", "two");
    CHECK(read_all(stream.reader.get()) == "<3>agent: one\n<6>agent: two\n");
    CHECK_FALSE(leads_to_journal(stream.writer.get()));
}

TEST_CASE("the journal gets its fields") {
    const temporary_directory here;
    datagram_receiver journal((here / "journal").string());
    const auto sink = make_journal_sink((here / "journal").string());
    const auto entry = journal_entry(log_level::info, "watch", "up", {{"topology", "shop"}});
    sink->log(spdlog::details::log_msg("watch", spdlog::level::info, entry));
    CHECK(journal.receive() == entry);
}

TEST_CASE("without a journal the log says so and goes on as text") {
    if (::access("/run/systemd/journal/socket", F_OK) == 0) {
        MESSAGE("skipped: this machine has a journal");
        return;
    }
    const log_restorer restore;
    auto stream = stream_pair::pipe();
    const auto refused = start_log("info", "journal", stream.writer.get());
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::io);
    primacy::rt::log(log_level::info, "agent", "here");
    CHECK(read_all(stream.reader.get()).find("info agent: here\n") != std::string::npos);
}

TEST_CASE("a log that nobody reads is lost and counted, and stops nothing") {
    const log_restorer restore;
    for (auto* make : {&stream_pair::pipe, &stream_pair::socket}) {
        auto stream = make();
        REQUIRE(start_log("info", "text", stream.writer.get()).has_value());
        // Many more than any buffer holds; it would never end if one of them blocked.
        const std::string line(3000, 'x');
        for (int count = 0; count < 300; ++count)
            primacy::rt::log(log_level::info, "x", line);
        read_all(stream.reader.get());
        primacy::rt::log(log_level::info, "x", "heard again");
        const auto written = read_all(stream.reader.get());
        CAPTURE(written);
        CHECK(std::regex_search(
            written, std::regex(R"(warning log: \d+ log entries were lost, nobody took them\n)")));
        CHECK(written.find("info x: heard again\n") != std::string::npos);
    }
}

TEST_CASE("a long line that got stuck half-way does not run into the next one") {
    const log_restorer restore;
    auto stream = stream_pair::pipe();
    REQUIRE(::fcntl(stream.writer.get(), F_SETPIPE_SZ, 4096 * 2) > 0);
    REQUIRE(start_log("info", "text", stream.writer.get()).has_value());
    primacy::rt::log(log_level::info, "x", std::string(16000, 'x'));
    auto written = read_all(stream.reader.get());
    CHECK(written.back() == 'x');
    primacy::rt::log(log_level::info, "x", "next");
    written = read_all(stream.reader.get());
    CHECK(written.starts_with("\n"));
    CHECK(written.find("1 log entries were lost") != std::string::npos);
    CHECK(written.find("info x: next\n") != std::string::npos);
}

TEST_CASE("a log whose reader is gone, or that is closed, does not end us") {
    const log_restorer restore;
    const auto former = std::signal(SIGPIPE, SIG_DFL);
    auto stream = stream_pair::pipe();
    REQUIRE(start_log("info", "text", stream.writer.get()).has_value());
    stream.reader.reset();
    primacy::rt::log(log_level::info, "x", "into the void");
    stream.writer.reset();
    primacy::rt::log(log_level::info, "x", "into nothing");
    std::signal(SIGPIPE, former);
    CHECK(true);
}

TEST_CASE("what goes wrong again and again is told once, when it changes, and when it is over") {
    log_capture log;
    log_once(log_level::error, "state", "disk", "disk is full");
    log_once(log_level::error, "state", "disk", "disk is full");
    CHECK(log.lines() == lines{"error state: disk is full"});
    log_once(log_level::error, "state", "disk", "disk is gone", {{"path", "/var"}});
    log_once(log_level::error, "state", "disk", "disk is gone", {{"path", "/var"}});
    CHECK(log.lines() == lines{"error state: disk is gone path=/var"});
    log_once(log_level::error, "other", "disk", "disk is gone");
    log_once(log_level::error, "state", "cable", "disk is gone");
    CHECK(log.lines() == lines{"error other: disk is gone", "error state: disk is gone"});

    log_cleared("state", "disk");
    log_cleared("state", "disk");
    CHECK(log.lines() == lines{"info state: fine again: disk is gone"});
    log_cleared("other", "disk", "the disk is back");
    CHECK(log.lines() == lines{"info other: the disk is back"});
    log_once(log_level::error, "state", "disk", "disk is gone");
    CHECK(log.lines() == lines{"error state: disk is gone"});
    log_cleared("state", "disk");
    log_cleared("state", "cable");
}

TEST_CASE("lines of several threads do not mix") {
    log_capture log;
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([number] {
            for (int count = 0; count < 500; ++count)
                primacy::rt::log(log_level::info, "x",
                                 std::string(200, static_cast<char>('a' + number)));
        });
    }
    for (auto& each : threads)
        each.join();
    const auto written = log.lines();
    CHECK(written.size() == 2000);
    for (const auto& line : written)
        REQUIRE(line == "info x: " + std::string(200, line.back()));
}
