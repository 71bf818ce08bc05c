#include "agent/fence_host/answer.hpp"
#include "agent/fence_host/settings.hpp"
#include "agent/fence_host/stoppable.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace primacy::fence_host;

namespace {

struct host_fixture {
    primacy::tests::temporary_directory folder;

    std::string write(const char* name, const std::string& text) {
        const auto path = folder / name;
        std::ofstream(path) << text;
        return path;
    }
    std::string complaint_about(const std::string& text) {
        const auto read = load_settings(write("fence-host.toml", text));
        return read ? std::string() : read.error().message;
    }
    // A systemctl that records what it is asked and plays a unit.
    std::unique_ptr<stoppable> unit_played_by(const std::string& script) {
        const std::string path = write("systemctl", "#!/bin/sh\ncd " + folder.path().string() +
                                                        "\necho \"$*\" >>asked\n" + script);
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        settings told;
        told.server = "db1";
        told.unit = "mariadb.service";
        told.stop_time = std::chrono::seconds(1);
        return make_systemd_server(told, path);
    }
    std::string asked() {
        std::ifstream file(folder / "asked");
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

constexpr const char* loaded = "echo LoadState=loaded; echo SubState=x; echo TasksCurrent=0; ";

}  // namespace

TEST_CASE("fence-host: a request is a known verb, a blank and a nonce, and nothing else is") {
    REQUIRE(parse_request("stop n-1"));
    CHECK(parse_request("stop n-1")->what == verb::stop);
    CHECK(parse_request("kill n-1")->what == verb::kill);
    CHECK(parse_request("status n-1")->what == verb::status);
    CHECK(parse_request("status n-1")->nonce == "n-1");
    for (const char* text : {"", "stop", "stop ", "stop  n", "stop a b", "stop N", "stop a;id",
                             "stop a\n", " stop a", "STOP a", "start a", "/bin/sh -c id"})
        CHECK_MESSAGE(!parse_request(text), text);
    CHECK(!parse_request("stop " + std::string(65, 'a')));
}

TEST_CASE("fence-host: the words of the answers, as the ssh driver reads them") {
    const request stop{verb::stop, "n-1"};
    const request status{verb::status, "n-1"};
    CHECK(answer_for(stop, "db1", condition::stopped).line == "FENCED n-1 db1");
    CHECK(answer_for(status, "db1", condition::stopped).line == "STOPPED n-1 db1");
    CHECK(answer_for(stop, "db1", condition::stopped).exit_code == 0);
    CHECK(answer_for(stop, "db1", condition::running).line == "RUNNING n-1 db1");
    CHECK(answer_for(stop, "db1", condition::running).exit_code == 1);
    CHECK(answer_for(stop, "db1", condition::refused).line == "REFUSED n-1");
    CHECK(answer_for(stop, "db1", condition::refused).exit_code == 2);
    CHECK(answer_for(stop, "db1", condition::unknown).line == "UNKNOWN n-1 db1");
    CHECK(answer_for(stop, "db1", condition::unknown).exit_code == 3);
}

TEST_CASE_FIXTURE(host_fixture, "fence-host: its configuration") {
    const auto read = load_settings(write("fence-host.toml",
                                          "server = \"db1\"\nunit = \"mariadb@a.service\"\n"
                                          "stop_seconds = 9\n"));
    REQUIRE(read.has_value());
    CHECK(read->server == "db1");
    CHECK(read->unit == "mariadb@a.service");
    CHECK(read->stop_time == std::chrono::seconds(9));
    CHECK(complaint_about("server = \"db1\"\npid_file = \"/run/db1.pid\"\n") == "");

    const std::string rest = "server = \"db1\"\nunit = \"m\"\n";
    CHECK(complaint_about("sever = \"db1\"\n").find("no key \"sever\"") != std::string::npos);
    CHECK(complaint_about("server = \"db1\"\n").find("either") != std::string::npos);
    CHECK(complaint_about(rest + "pid_file = \"/x\"\n").find("either") != std::string::npos);
    CHECK(complaint_about("unit = \"m\"\n").find("server") != std::string::npos);
    CHECK(complaint_about("server = 3\nunit = \"m\"\n").find("text") != std::string::npos);
    CHECK(complaint_about("server = \"a b\"\nunit = \"m\"\n").find("server") != std::string::npos);
    CHECK(complaint_about("server = \"a\"\nunit = \"-H x\"\n").find("unit") != std::string::npos);
    CHECK(complaint_about("server = \"a\"\npid_file = \"x\"\n").find("abs") != std::string::npos);
    CHECK(complaint_about(rest + "stop_seconds = 0\n").find("1 to 300") != std::string::npos);
    CHECK(complaint_about("server = \n").find("line 1") != std::string::npos);
    CHECK(load_settings(folder / "missing").has_error());
}

TEST_CASE_FIXTURE(host_fixture, "fence-host: a pid that has come to mean another program is safe") {
    settings told;
    told.server = "db1";
    told.stop_time = std::chrono::seconds(1);
    told.pid_file = write("db1.pid", std::to_string(::getpid()) + "\n");
    // We are no database server; were we signalled, this test would not go on.
    CHECK(make_pid_file_server(told)->stop().seen != condition::running);
    CHECK(make_pid_file_server(told)->kill().seen != condition::running);
}

TEST_CASE_FIXTURE(host_fixture, "fence-host: a unit is stopped when systemd says so") {
    SUBCASE("politely") {
        const auto server =
            unit_played_by(std::string("case $1 in stop) touch stopped;; show) ") + loaded +
                           "[ -e stopped ] && echo ActiveState=inactive || echo "
                           "ActiveState=active;; esac\n");
        CHECK(server->status().seen == condition::running);
        CHECK(server->stop().seen == condition::stopped);
        CHECK(asked().find("stop -- mariadb.service\n") != std::string::npos);
        CHECK(asked().find("kill") == std::string::npos);
    }
    SUBCASE("by force, when it does not end in time") {
        const auto server = unit_played_by(
            std::string(
                "case $1 in stop) [ -e killed ] || sleep 60;; kill) touch killed;; show) ") +
            loaded +
            "[ -e killed ] && echo ActiveState=failed || echo ActiveState=deactivating;; esac\n");
        CHECK(server->stop().seen == condition::stopped);
        CHECK(asked().find("kill --signal=SIGKILL -- mariadb.service\nstop") != std::string::npos);
    }
}

TEST_CASE_FIXTURE(host_fixture, "fence-host: what else a unit can be is not stopped") {
    SUBCASE("no such unit is refused, and nothing is asked of systemd") {
        const auto server = unit_played_by("echo LoadState=not-found; echo ActiveState=inactive\n");
        CHECK(server->stop().seen == condition::refused);
        CHECK(server->kill().seen == condition::refused);
        CHECK(asked().find("stop") == std::string::npos);
    }
    SUBCASE("waiting to be started again") {
        const auto server = unit_played_by(std::string(loaded) + "echo ActiveState=activating\n");
        CHECK(server->status().seen == condition::running);
    }
    SUBCASE("failed, with processes left") {
        const auto server =
            unit_played_by("echo LoadState=loaded; echo ActiveState=failed; echo TasksCurrent=3\n");
        CHECK(server->status().seen == condition::running);
    }
    SUBCASE("systemd does not answer") {
        const auto server = unit_played_by("exit 1\n");
        CHECK(server->status().seen == condition::unknown);
    }
    SUBCASE("systemd answers rubbish") {
        const auto server = unit_played_by("echo LoadState=loaded\n");
        CHECK(server->status().seen == condition::unknown);
    }
}
