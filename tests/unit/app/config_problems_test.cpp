#include "tests/unit/app/config_support.hpp"

#include <doctest/doctest.h>

using namespace primacy::app;
using namespace primacy::tests;

TEST_CASE("a problem is shown with file, line and column") {
    CHECK(complaints("[topology.shop]\npol_interval = \"1s\"\n"
                     "[[topology.shop.server]]\nname = \"db1\"\nhost = \"10.0.0.1\"\n") ==
          std::vector<std::string>{"/etc/primacy/primacy.toml:2:1: topology.shop: unknown key "
                                   "\"pol_interval\"; did you mean \"poll_interval\"?"});
}

TEST_CASE("an unknown key names the nearest one, its own section, or all that there are") {
    CHECK(complaint("[agnt]\n" + one_server()) ==
          "1:2: unknown key \"agnt\"; did you mean \"agent\"?");
    CHECK(complaint("lag_warn = \"1s\"\n" + one_server()) ==
          "1:1: unknown key \"lag_warn\"; it is a key of [topology.NAME]");
    CHECK(complaint(section_with("osc", "colour = 1")) ==
          "7:1: osc: unknown key \"colour\"; known here: log_dir, gh_ost, pt_osc, max_running, "
          "keep_old");
    CHECK(complaint(one_server("nmae = \"db2\"")) ==
          "6:1: topology.shop.server.db1: unknown key \"nmae\"; did you mean \"name\"?");
    CHECK(complaint(topology_with("tls = { mod = \"verify\" }")) ==
          "2:9: topology.shop.tls: unknown key \"mod\"; did you mean \"mode\"?");
    CHECK(complaint(section_with("topology.shop.fencing", "cool_down = \"1s\"")) ==
          "7:1: topology.shop.fencing: unknown key \"cool_down\"; did you mean \"cooldown\"?");
    CHECK(complaint(section_with("topology.shop.lease", "witness = []")) ==
          "7:1: topology.shop.lease: unknown key \"witness\"; did you mean \"witnesses\"?");
    CHECK(complaint(section_with("agent.web", "cert = \"x\"")) ==
          "7:1: agent.web: unknown key \"cert\"; did you mean \"cert_file\"?");
    CHECK(complaint("\"a\\u001Bb\" = 1\n" + one_server()).starts_with("1:1: unknown key \"a?b\";"));
}

TEST_CASE("an unknown key's value is never shown, for it may be a secret") {
    CHECK(complaint(topology_with("password = \"hunter2\"")) ==
          "2:1: topology.shop: unknown key \"password\"; did you mean \"password_file\"?");
}

TEST_CASE("a wrong type says what was expected and what was found") {
    CHECK(complaint(topology_with("poll_interval = 5")) ==
          "2:17: topology.shop.poll_interval: expected a duration such as \"250ms\", \"2s\" or "
          "\"10m\", got the integer 5");
    CHECK(complaint(topology_with("confirm_polls = \"3\"")) ==
          "2:17: topology.shop.confirm_polls: expected a whole number from 1 to 100, got \"3\"");
    CHECK(complaint(topology_with("tls = \"required\"")) ==
          "2:7: topology.shop.tls: expected a table of settings, tls = { … }, got \"required\"");
    CHECK(complaint(topology_with("password_file = 1")) ==
          "2:17: topology.shop.password_file: expected a path in quotes, got the integer 1");
    CHECK(complaint(one_server("fence = \"sql\"")) ==
          "6:9: topology.shop.server.db1.fence: expected a list of names such as [\"sql\"], got "
          "\"sql\"");
    CHECK(complaint(one_server("fence = [\"sql\", 7]")) ==
          "6:17: topology.shop.server.db1.fence: expected a list of texts, got the integer 7");
    CHECK(complaint("topology = 5") ==
          "1:12: topology: expected tables such as [topology.NAME], got the integer 5");
    CHECK(complaint("[topology]\nmode = \"observe\"") ==
          "2:1: topology.\"mode\": expected a table such as [topology.NAME], got \"observe\"");
    CHECK(complaint("[topology.shop.server]\nname = \"db1\"\nhost = \"h\"") ==
          "1:1: topology.shop.server: expected tables with two brackets, [[….server]], got a "
          "table");
    CHECK(complaint("[topology.shop]\nserver = [ \"db1\" ]") ==
          "2:12: topology.shop.server.#1: expected a table [[topology.shop.server]], got \"db1\"");
    CHECK(complaint("agent = []\n" + one_server()) ==
          "1:9: agent: expected a table of settings, agent = { … }, got an empty list");
}

TEST_CASE("a wrong word names the nearest one") {
    CHECK(complaint(topology_with("mode = \"enforced\"")) ==
          "2:8: topology.shop.mode: expected one of \"observe\", \"enforce\", got \"enforced\"; "
          "did you mean \"enforce\"?");
    CHECK(complaint(section_with("agent", "log_level = \"warn\"")) ==
          "7:13: agent.log_level: expected one of \"debug\", \"info\", \"warning\", \"error\", got "
          "\"warn\"; did you mean \"warning\"?");
    CHECK(complaint(section_with("agent", "log_format = \"xml\"")) ==
          "7:14: agent.log_format: expected one of \"text\", \"json\", \"journal\", got \"xml\"");
    CHECK(complaint(section_with("topology.shop.fencing", "keep = [\"pin\", \"incumbnet\"]")) ==
          "7:16: topology.shop.fencing.keep: expected one of \"pin\", \"incumbent\", \"replicas\", "
          "\"gtid\", got \"incumbnet\"; did you mean \"incumbent\"?");
    CHECK(complaint(section_with("topology.shop.fencing", "keep = [\"pin\", \"pin\"]")) ==
          "7:16: topology.shop.fencing.keep: expected each item once, got \"pin\"");
    CHECK(complaint(section_with("topology.shop.fencing", "keep = []")) ==
          "7:8: topology.shop.fencing.keep: expected a list of \"pin\", \"incumbent\", "
          "\"replicas\", \"gtid\" with at least one item, got an empty list");
    CHECK(complaint(section_with("topology.shop.fencing", "on_ambiguous = \"fence_all\"")) ==
          "7:16: topology.shop.fencing.on_ambiguous: expected one of \"alert\", \"fence-all\", got "
          "\"fence_all\"; did you mean \"fence-all\"?");
    CHECK(complaint(section_with("topology.shop.lease", "backend = \"etcd\"")) ==
          "7:11: topology.shop.lease.backend: expected one of \"none\", \"servers\", got \"etcd\"");
}

TEST_CASE("durations and numbers have bounds") {
    const std::string poll = "2:17: topology.shop.poll_interval: expected a duration ";
    const std::string form = "such as \"250ms\", \"2s\" or \"10m\", got ";
    CHECK(complaint(topology_with("poll_interval = \"5 s\"")) == poll + form + "\"5 s\"");
    CHECK(complaint(topology_with("poll_interval = \"-1s\"")) == poll + form + "\"-1s\"");
    CHECK(complaint(topology_with("poll_interval = \"\"")) == poll + form + "\"\"");
    CHECK(complaint(topology_with("poll_interval = \"99ms\"")) ==
          poll + "from 100ms to 10m, got \"99ms\"");
    CHECK(complaint(topology_with("poll_interval = \"11m\"")) ==
          poll + "from 100ms to 10m, got \"11m\"");
    CHECK(complaint(topology_with("poll_interval = \"100ms\"")).empty());
    CHECK(complaint(topology_with("poll_interval = \"10m\"")).empty());
    CHECK(complaint(topology_with("probe_timeout = \"61s\"")) ==
          "2:17: topology.shop.probe_timeout: expected a duration from 50ms to 1m, got \"61s\"");
    CHECK(complaint(topology_with("confirm_polls = 0")) ==
          "2:17: topology.shop.confirm_polls: expected a whole number from 1 to 100, got the "
          "integer 0");
    CHECK(complaint(topology_with("confirm_polls = 101")).ends_with("got the integer 101"));
    CHECK(complaint(one_server("port = 0")) ==
          "6:8: topology.shop.server.db1.port: expected a whole number from 1 to 65535, got the "
          "integer 0");
    CHECK(complaint(one_server("port = 65536")).ends_with("got the integer 65536"));
    CHECK(complaint(one_server("port = -3306")).ends_with("got the integer -3306"));
    CHECK(complaint(one_server("port = 65535")).empty());
}

TEST_CASE("names have a form, since they are labels, file names and arguments") {
    const std::string form =
        "expected a name of at most 64 letters, digits, \"_\", \".\" or \"-\" that begins with a "
        "letter, a digit or \"_\", got ";
    CHECK(complaint("[topology.\"e f\"]") == "1:11: topology.\"e f\": " + form + "\"e f\"");
    CHECK(complaint("[topology.\"\"]") == "1:11: topology.\"\": " + form + "\"\"");
    CHECK(complaint(section_with("agent", "name = \"-x\"")) ==
          "7:8: agent.name: " + form + "\"-x\"");
    CHECK(complaint("[[topology.shop.server]]\nname = \"../x\"\nhost = \"h\"") ==
          "2:8: topology.shop.server.#1.name: " + form + "\"../x\"");
    CHECK(
        complaint("[[topology.shop.server]]\nname = \"" + std::string(65, 'n') + "\"\nhost = \"h\"")
            .starts_with("2:8: topology.shop.server.#1.name: " + form));
    CHECK(
        complaint("[[topology.shop.server]]\nname = \"" + std::string(64, 'n') + "\"\nhost = \"h\"")
            .empty());
    CHECK(complaint("[[topology.Shop_1.x-y.server]]\nname = \"d\"\nhost = \"h\"") != "");
    CHECK(complaint("[[topology.\"Shop_1.x-y\".server]]\nname = \"9.d\"\nhost = \"h\"").empty());
}

TEST_CASE("addresses have a form") {
    CHECK(complaint(section_with("agent", "listen = \"9963\"")) ==
          "7:10: agent.listen: expected \"host:port\", got \"9963\"");
    CHECK(complaint(section_with("agent", "listen = \"db1:9963\"")) ==
          "7:10: agent.listen: expected an IP address of this machine, not a name, before the "
          "port, got \"db1:9963\"");
    CHECK(complaint(section_with("agent", "listen = \":70000\"")) ==
          "7:10: agent.listen: expected a port from 1 to 65535 after the last colon, got "
          "\":70000\"");
    CHECK(complaint(section_with("agent", "listen = \"[::1]:9963\"")).empty());
    CHECK(complaint("[[topology.t.server]]\nname = \"d\"\nhost = \"10.0.0.1:3306\"") ==
          "3:8: topology.t.server.d.host: expected a host without a port; a port has a key of its "
          "own, got \"10.0.0.1:3306\"");
    CHECK(complaint(section_with("topology.shop.lease",
                                 "backend = \"servers\"\n"
                                 "witnesses = [\"10.0.0.9\"]")) ==
          "8:14: topology.shop.lease.witnesses: expected \"host:port\", got \"10.0.0.9\"");
    CHECK(complaint("[[topology.t.server]]\nname = \"d\"\nsocket = \"/" + std::string(107, 's') +
                    "\"")
              .starts_with("3:10: topology.t.server.d.socket: expected a path of at most 107 "
                           "bytes, which is what a unix socket can have, got \"/sss"));
    CHECK(complaint(topology_with("user = \"a\\u0000b\"")) ==
          "2:8: topology.shop.user: expected a text without control characters, got \"a?b\"");
}

TEST_CASE("there must be a topology, and a server in each") {
    CHECK(complaint("") == "1:1: no topology is configured; add a table [topology.NAME]");
    CHECK(complaint("[agent]\n[topology]\n") ==
          "1:1: no topology is configured; add a table [topology.NAME]");
    CHECK(complaint("[topology.shop]\nmode = \"observe\"\n") ==
          "1:11: topology.shop: no server; add a table [[topology.shop.server]]");
    CHECK(complaint("[topology.shop]\nserver = []\n") ==
          "1:11: topology.shop: no server; add a table [[topology.shop.server]]");
    CHECK(complaint("[[topology.shop.server]]\nhost = \"h\"\n") ==
          "1:1: topology.shop.server.#1: key \"name\" is missing: the server in metrics, commands "
          "and reasons");
}

TEST_CASE("all problems of a file are told at once, in its order") {
    CHECK(complaints("[topology.shop]\n"
                     "mode = \"watch\"\n"
                     "poll_interval = 5\n"
                     "[[topology.shop.server]]\n"
                     "name = \"db1\"\n"
                     "port = 0\n"
                     "[agent]\n"
                     "listen = 9963\n"
                     "[method.m]\n"
                     "[oc]\n")
              .size() == 7);
    CHECK(complaint("[topology.shop]\n"
                    "mode = \"watch\"\n"
                    "[[topology.shop.server]]\n"
                    "name = \"db1\"\n"
                    "port = 0\n"
                    "[oc]\n") ==
          "2:8: topology.shop.mode: expected one of \"observe\", \"enforce\", got \"watch\"\n"
          "3:1: topology.shop.server.db1: has neither a host nor a socket; write host = \"…\"\n"
          "5:8: topology.shop.server.db1.port: expected a whole number from 1 to 65535, got the "
          "integer 0\n"
          "6:2: unknown key \"oc\"; did you mean \"osc\"?");
}
