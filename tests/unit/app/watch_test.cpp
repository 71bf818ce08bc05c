#include "agent/app/daemon/change_log.hpp"
#include "agent/app/watch/schedule.hpp"
#include "agent/app/watch/topology_monitor.hpp"
#include "agent/app/watch/watch_store.hpp"
#include "tests/support/poll_until.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace primacy;
using namespace primacy::app;
using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("ticks stay on their grid, and missed ones are not made up for") {
    rt::time_point first{};
    fixed_schedule schedule{first, 1s};
    CHECK(schedule.after(first - 5s) == first);
    CHECK(schedule.after(first) == first + 1s);
    CHECK(schedule.after(first + 999ms) == first + 1s);
    CHECK(schedule.after(first + 1s) == first + 2s);
    CHECK(schedule.after(first + 7300ms) == first + 8s);
}

namespace {

// Servers whose answers the test decides.
struct script {
    std::map<std::string, probe_report> answers;
    std::map<std::string, int> reads;
    std::string hanging;  // a server whose probes take until their deadline
};

class scripted_prober final : public prober {
public:
    scripted_prober(asio::any_io_executor executor, script& play, std::string name)
        : executor_(std::move(executor)), play_(play), name_(std::move(name)) {}

    asio::awaitable<probe_report> read(rt::deadline until) override {
        ++play_.reads[name_];
        if (play_.hanging == name_) {
            asio::steady_timer timer(executor_, until.at);
            co_await timer.async_wait(asio::use_awaitable);
            co_return probe_report{checks::probe_failure::timeout, "no answer", nullptr};
        }
        co_return play_.answers[name_];
    }
    asio::awaitable<void> read_details(rt::deadline) override { co_return; }

private:
    asio::any_io_executor executor_;
    script& play_;
    std::string name_;
};

probe_report answering(bool writable, std::uint32_t id, const std::string& source = "") {
    checks::server_facts facts;
    facts.server_id = id;
    facts.read_only = checks::parse_read_only(writable ? "0" : "1");
    if (!source.empty()) {
        checks::channel link;
        link.source_host = source;
        link.source_port = 3306;
        link.io = checks::io_thread::running;
        link.sql = checks::sql_thread::running;
        link.lag_seconds = 0;
        facts.channels.push_back(link);
    }
    return {checks::probe_failure::none, "", std::make_shared<const checks::server_facts>(facts)};
}

struct stage {
    asio::io_context loop{1};
    script play;
    std::shared_ptr<const topology_snapshot> latest;
    std::vector<std::shared_ptr<const topology_snapshot>> all;
    rt::task_group tasks{loop.get_executor()};
    std::unique_ptr<topology_monitor> monitor;

    void start() {
        topology_config config;
        config.name = "shop";
        config.poll_interval = 100ms;
        config.probe_timeout = 400ms;
        config.confirm_polls = 3;
        config.confirm_for = 200ms;
        for (const char* name : {"db1", "db2", "db3"}) {
            server_config server;
            server.name = server.host = name;
            config.servers.push_back(server);
        }
        topology_monitor::services with;
        with.executor = loop.get_executor();
        with.probe = [this](const topology_config&, const server_config& server) {
            return std::make_unique<scripted_prober>(loop.get_executor(), play, server.name);
        };
        with.publish = [this](std::shared_ptr<const topology_snapshot> judged) {
            all.push_back(judged);
            latest = std::move(judged);
        };
        with.random_unit = [] { return 0.5; };
        monitor = std::make_unique<topology_monitor>(
            std::make_shared<const topology_config>(config), checks::watch_state{},
            rt::steady_clock::now(), std::move(with));
        tasks.spawn("watch", monitor->run());
    }
    void stop() {
        tasks.cancel();
        bool joined = false;
        asio::co_spawn(loop, tasks.join(rt::deadline::after(5s)),
                       [&](std::exception_ptr, rt::result<void> ended) {
                           joined = true;
                           CHECK(ended.has_value());
                       });
        tests::poll_until(loop, [&] { return joined; });
    }
    void until_state(checks::topology_state state) {
        tests::poll_until(loop, [&] { return latest && latest->verdict.state == state; });
    }
};

}  // namespace

TEST_CASE("a second writer is suspected at its first poll and confirmed on time") {
    stage here;
    here.play.answers = {{"db1", answering(true, 1)},
                         {"db2", answering(false, 2, "db1")},
                         {"db3", answering(false, 3, "db1")}};
    here.start();
    here.until_state(checks::topology_state::healthy);
    here.play.answers["db3"] = answering(true, 3);
    auto began = rt::steady_clock::now();
    here.until_state(checks::topology_state::split_brain);
    auto took = rt::steady_clock::now() - began;
    CHECK(took >= 200ms);  // never before confirm_for
    CHECK(here.latest->verdict.next.split.polls >= 3);
    bool was_suspected = false;
    for (const auto& judged : here.all)
        was_suspected = was_suspected || (judged->verdict.next.split.suspected &&
                                          !judged->verdict.next.split.confirmed);
    CHECK(was_suspected);
    here.stop();
}

TEST_CASE("a server that hangs delays no other server and no judgement") {
    stage here;
    here.play.answers = {{"db1", answering(true, 1)}, {"db2", answering(false, 2, "db1")}};
    here.play.hanging = "db3";
    here.start();
    tests::poll_until(here.loop, [&] { return here.play.reads["db1"] >= 12; });
    // Twelve ticks are 1.1 s; db3's probes take four ticks each, one at a time.
    CHECK(here.play.reads["db3"] <= 4);
    CHECK(here.play.reads["db2"] >= 11);
    CHECK(here.all.size() >= 12);
    CHECK(here.latest->verdict.writers == std::vector<std::string>{"db1"});
    CHECK(here.latest->verdict.state == checks::topology_state::degraded);
    here.stop();
}

TEST_CASE("before anything was read, everything is unknown and every server is named") {
    stage here;
    here.play.hanging = "db1";
    here.start();
    tests::poll_until(here.loop, [&] { return !here.all.empty(); });
    const auto& first = *here.all.front();
    CHECK(first.verdict.state == checks::topology_state::unknown);
    CHECK_FALSE(first.first_round_done);
    CHECK(first.seen.servers.size() == 3);
    here.stop();
}

TEST_CASE("the log tells each change once, and its end") {
    stage here;
    here.play.answers = {{"db1", answering(true, 1)},
                         {"db2", answering(false, 2, "db1")},
                         {"db3", answering(true, 3, "db1")}};
    here.start();
    here.until_state(checks::topology_state::degraded);
    auto with_finding = here.latest;
    auto first = changes(nullptr, *with_finding);
    bool told = false;
    for (const auto& line : first)
        told = told || line.message.find("writable_replica [db3]") == 0;
    CHECK(told);
    here.play.answers["db3"] = answering(false, 3, "db1");
    here.until_state(checks::topology_state::healthy);
    bool over = false;
    for (const auto& line : changes(with_finding.get(), *here.latest))
        over = over || line.message == "over: writable_replica [db3]";
    CHECK(over);
    auto settled = here.latest;
    tests::poll_until(here.loop, [&] { return here.latest != settled; });
    CHECK(changes(settled.get(), *here.latest).empty());
    here.stop();
}

namespace {

stored_watch some_memory() {
    stored_watch stored;
    auto& memory = stored.topologies["shop"];
    memory.who = checks::incumbent{"db1", true, ""};
    memory.watched_until = checks::moment(123456789ns);
    memory.formers.push_back({"db9", "db1"});
    return stored;
}

}  // namespace

TEST_CASE("what is remembered comes back, and a proof counts within one boot only") {
    auto stored = some_memory();
    auto same = parse_stored(incumbents_text(stored), proof_text(stored, "boot-1"), "boot-1");
    REQUIRE(same.has_value());
    CHECK(same->topologies["shop"] == stored.topologies["shop"]);

    auto rebooted = parse_stored(incumbents_text(stored), proof_text(stored, "boot-1"), "boot-2");
    REQUIRE(rebooted.has_value());
    CHECK_FALSE(rebooted->topologies["shop"].same_boot);
    auto state = checks::recall(rebooted->topologies["shop"]);
    CHECK(state.who->server == "db1");
    CHECK_FALSE(state.who->watched);
    CHECK(state.formers.size() == 1);

    for (const char* rubbish : {"", "{", "[]", "{\"boot_id\":7}", "\xff\xfe"}) {
        auto unproved = parse_stored(incumbents_text(stored), rubbish, "boot-1");
        REQUIRE(unproved.has_value());
        CHECK_FALSE(checks::recall(unproved->topologies["shop"]).who->watched);
    }
}

TEST_CASE("a memory that is damaged or from the future is an error that says what to do") {
    for (const char* text : {"", "{", "[]", "{}", R"({"version":"1"})",
                             R"({"version":2,"topologies":{}})", R"({"version":1})"}) {
        auto parsed = parse_stored(text, "", "boot-1");
        REQUIRE(parsed.has_error());
        CHECK(parsed.error().code == rt::errc::config);
        CHECK(parsed.error().message.find("move it away") != std::string::npos);
    }
}

TEST_CASE("a name is on disk before saved() returns, and a full disk is reported, not fatal") {
    auto directory =
        std::filesystem::temp_directory_path() / ("primacy-store-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory);
    asio::io_context loop{1};
    asio::thread_pool disk(1);
    std::string trouble = "none";
    watch_store store(loop.get_executor(), disk, directory,
                      [&](const std::string& text) { trouble = text; });
    REQUIRE(store.load().has_value());
    rt::task_group tasks(loop.get_executor());
    tasks.spawn("memory", store.run());
    CHECK(store.note("shop", some_memory().topologies["shop"]));
    CHECK_FALSE(store.note("shop", some_memory().topologies["shop"]));
    bool saved = false;
    asio::co_spawn(loop, store.saved(rt::deadline::after(10s)),
                   [&](std::exception_ptr) { saved = true; });
    tests::poll_until(loop, [&] { return saved; });
    std::ifstream file(directory / "incumbents.json");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    CHECK(text.find("\"db1\"") != std::string::npos);

    std::filesystem::remove_all(directory);
    auto other = some_memory().topologies["shop"];
    other.who->server = "db2";
    store.note("shop", other);
    tests::poll_until(loop, [&] { return trouble != "none" && !trouble.empty(); });
    std::filesystem::create_directories(directory);
    tests::poll_until(loop, [&] { return trouble.empty(); });

    tasks.cancel();
    bool joined = false;
    asio::co_spawn(loop, tasks.join(rt::deadline::after(5s)),
                   [&](std::exception_ptr, rt::result<void>) { joined = true; });
    tests::poll_until(loop, [&] { return joined; });
    disk.join();
    std::filesystem::remove_all(directory);
}
