#include "agent/rt/notify.hpp"

#include "tests/support/datagram_receiver.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <unistd.h>

using namespace primacy::rt;
using namespace std::chrono_literals;
using primacy::tests::datagram_receiver;
using primacy::tests::temporary_directory;

namespace {

// What the service manager puts into our environment, for one test.
struct service_environment {
    explicit service_environment(const std::map<std::string, std::string>& variables) {
        clear();
        for (const auto& [name, value] : variables)
            ::setenv(name.c_str(), value.c_str(), 1);
    }
    ~service_environment() { clear(); }
    static void clear() {
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
            ::unsetenv(name);
    }
};

std::optional<std::chrono::microseconds> interval_with(
    const std::map<std::string, std::string>& variables) {
    const service_environment set(variables);
    return notifier().watchdog_interval();
}

}  // namespace

TEST_CASE("without a service manager nothing is told and nothing fails") {
    const service_environment none({});
    notifier nobody;
    CHECK_FALSE(nobody.active());
    CHECK(nobody.ready().has_value());
    CHECK(nobody.status("x").has_value());
    CHECK_FALSE(nobody.watchdog_interval());
}

TEST_CASE("each state is told in the words of the protocol") {
    const temporary_directory here;
    for (const auto& address :
         {(here / "notify").string(), "@primacy-test-" + std::to_string(::getpid())}) {
        CAPTURE(address);
        datagram_receiver manager(address);
        const service_environment set({{"NOTIFY_SOCKET", address}});
        notifier service;
        CHECK(service.active());
        CHECK(service.ready().has_value());
        CHECK(manager.receive() == "READY=1");
        CHECK(service.watchdog().has_value());
        CHECK(manager.receive() == "WATCHDOG=1");
        CHECK(service.stopping().has_value());
        CHECK(manager.receive() == "STOPPING=1");
        CHECK(service.status("3 servers, all fine").has_value());
        CHECK(manager.receive() == "STATUS=3 servers, all fine");
    }
}

TEST_CASE("reloading tells the monotonic time, by which systemd orders it") {
    const temporary_directory here;
    datagram_receiver manager((here / "notify").string());
    const service_environment set({{"NOTIFY_SOCKET", (here / "notify").string()}});
    notifier service;
    const auto clock = [] {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
    };
    const auto before = clock();
    CHECK(service.reloading().has_value());
    const auto after = clock();
    const auto told = manager.receive().value();
    const std::string opening = "RELOADING=1\nMONOTONIC_USEC=";
    REQUIRE(told.starts_with(opening));
    const auto moment = std::stoll(told.substr(opening.size()));
    CHECK(moment >= before);
    CHECK(moment <= after);
}

TEST_CASE("a status cannot smuggle in another statement") {
    const temporary_directory here;
    datagram_receiver manager((here / "notify").string());
    const service_environment set({{"NOTIFY_SOCKET", (here / "notify").string()}});
    CHECK(notifier().status("fine\nSTOPPING=1\r\nMAINPID=1").has_value());
    CHECK(manager.receive() == "STATUS=fine STOPPING=1  MAINPID=1");
}

TEST_CASE("a service manager that does not read costs an error, not the event loop") {
    const temporary_directory here;
    datagram_receiver manager((here / "notify").string());
    const service_environment set({{"NOTIFY_SOCKET", (here / "notify").string()}});
    notifier service;
    result<void> told;
    int sent = 0;
    while (told && sent < 100'000) {
        told = service.watchdog();
        ++sent;
    }
    REQUIRE(told.has_error());
    CHECK(told.error().code == errc::limit);
    const auto time_of = [](auto call) {
        const auto begun = std::chrono::steady_clock::now();
        CHECK(call().has_error());
        return std::chrono::steady_clock::now() - begun;
    };
    const auto without_patience = [&] { return time_of([&] { return service.watchdog(); }); };
    // The quickest of three, since this machine may be busy.
    CHECK(std::min({without_patience(), without_patience(), without_patience()}) < 200ms);
    const auto with_patience = time_of([&] { return service.ready(); });
    CHECK(with_patience >= 400ms);
    CHECK(with_patience < 5s);
    // Once it reads again, it hears us again.
    while (manager.receive()) {
    }
    CHECK(service.ready().has_value());
    CHECK(manager.receive() == "READY=1");
}

TEST_CASE("an address where nobody listens, or none at all, is an error that names it") {
    const temporary_directory here;
    const auto told_at = [](const std::string& address) {
        const service_environment set({{"NOTIFY_SOCKET", address}});
        return notifier().ready();
    };
    const auto missing = told_at((here / "missing").string());
    REQUIRE(missing.has_error());
    CHECK(missing.error().native == ENOENT);
    CHECK(missing.error().message.find((here / "missing").string()) != std::string::npos);
    CHECK(told_at("vsock:2:1234").error().native == EINVAL);
    CHECK(told_at("/" + std::string(200, 'x')).error().native == ENAMETOOLONG);
}

TEST_CASE("the watchdog's interval is ours only when it was meant for us") {
    CHECK(interval_with({{"WATCHDOG_USEC", "30000000"}}) == 30s);
    CHECK(interval_with({{"WATCHDOG_USEC", "5"}, {"WATCHDOG_PID", std::to_string(::getpid())}}) ==
          5us);
    CHECK_FALSE(interval_with({{"WATCHDOG_USEC", "5"}, {"WATCHDOG_PID", "1"}}));
    CHECK_FALSE(interval_with({{"WATCHDOG_USEC", "5"}, {"WATCHDOG_PID", "x"}}));
    CHECK_FALSE(interval_with({{"WATCHDOG_USEC", "0"}}));
    CHECK_FALSE(interval_with({{"WATCHDOG_USEC", "-1"}}));
    CHECK_FALSE(interval_with({{"WATCHDOG_USEC", "12h"}}));
    CHECK_FALSE(interval_with({{"WATCHDOG_USEC", "99999999999999999999"}}));
}
