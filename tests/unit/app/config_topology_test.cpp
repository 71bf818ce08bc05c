#include "tests/unit/app/config_support.hpp"

#include <doctest/doctest.h>

using namespace primacy::app;
using namespace primacy::tests;

namespace {

// A second server; its name is in line 7, its host in line 8.
std::string two_servers(std::string_view name, std::string_view host, std::string_view more = "") {
    return one_server("[[topology.shop.server]]\nname = \"" + std::string(name) + "\"\nhost = \"" +
                      std::string(host) + "\"\n" + std::string(more));
}

}  // namespace

TEST_CASE("a name belongs to one server of a topology") {
    CHECK(complaint(two_servers("db1", "10.0.0.2")) ==
          "7:8: topology.shop.server.db1: the name \"db1\" is taken by the server of line 4");
    CHECK(complaint(two_servers("DB1", "10.0.0.2")).empty());
}

TEST_CASE("an address belongs to one server of a topology, however it is written") {
    CHECK(complaint(two_servers("db2", "10.0.0.1")) ==
          "8:8: topology.shop.server.db2: 10.0.0.1:3306 is also the address of the server of line "
          "5");
    CHECK(complaint(two_servers("db2", "::ffff:10.0.0.1")) ==
          "8:8: topology.shop.server.db2: [::ffff:10.0.0.1]:3306 is also the address of the server "
          "of line 5");
    CHECK(complaint(two_servers("db2", "10.0.0.1", "port = 3307")).empty());
    CHECK(complaint("[topology.t]\nserver = [\n"
                    "{ name = \"a\", socket = \"/run/x.sock\" },\n"
                    "{ name = \"b\", socket = \"/run/../run/x.sock\" }]") ==
          "4:24: topology.t.server.b: /run/x.sock is also the address of the server of line 3");
}

TEST_CASE("a server is in one topology only") {
    const std::string other = "[[topology.other.server]]\nname = \"x\"\nhost = ";
    CHECK(complaint(one_server(other + "\"10.0.0.1\"")) ==
          "8:8: topology.other.server.x: 10.0.0.1:3306 belongs to topology shop already (line 5); "
          "a server can be in one topology only");
    CHECK(complaint(one_server(other + "\"10.0.0.2\"")).empty());
    CHECK(complaint(one_server("[[topology.other.server]]\nname = \"db1\"\nhost = \"h\"")).empty());
}

TEST_CASE("a server has a host or a socket") {
    CHECK(complaint("[[topology.t.server]]\nname = \"d\"\n") ==
          "1:1: topology.t.server.d: has neither a host nor a socket; write host = \"…\"");
    CHECK(complaint(one_server("socket = \"/run/x\"")) ==
          "6:10: topology.shop.server.db1: has both a host and a socket; write one of them");
    CHECK(complaint("[[topology.t.server]]\nname = \"d\"\nsocket = \"/run/x\"\nport = 3306\n") ==
          "4:8: topology.t.server.d.port: a socket has no port; remove it");
}

TEST_CASE("no more writers can be expected than there are servers") {
    CHECK(complaint(topology_with("expected_writers = 2")) ==
          "2:20: topology.shop.expected_writers: 2 writers cannot be expected of 1 server");
    CHECK(complaint(topology_with("expected_writers = 0")) ==
          "2:20: topology.shop.expected_writers: expected a whole number from 1 to 1000, got the "
          "integer 0");
}

TEST_CASE("TLS needs certificate and key together, and a name to verify") {
    CHECK(complaint(topology_with("tls = { cert = \"/c\" }")) ==
          "2:16: topology.shop.tls: cert and key belong together; write both or none");
    CHECK(complaint(topology_with("tls = { key = \"/k\" }")) ==
          "2:15: topology.shop.tls: cert and key belong together; write both or none");
    CHECK(complaint("[topology.t]\ntls = { mode = \"verify\" }\n[[topology.t.server]]\n"
                    "name = \"d\"\nsocket = \"/run/x\"\n") ==
          "2:7: topology.t.tls: mode = \"verify\" cannot be had over the socket of server d; give "
          "it a host, or choose another mode");
    CHECK(complaint("[topology.t]\ntls = { mode = \"required\" }\n[[topology.t.server]]\n"
                    "name = \"d\"\nsocket = \"/run/x\"\n")
              .empty());
}

TEST_CASE("rungs are sql or methods that are defined") {
    const std::string method = "[method.db1-ssh]\ntype = \"exec\"\ncommand = [\"/bin/true\"]\n";
    CHECK(complaint(one_server("fence = [\"sql\", \"db1-ssh\"]\n" + method)).empty());
    CHECK(complaint(one_server("fence = [\"sql\", \"db1-shh\"]\n" + method)) ==
          "6:17: topology.shop.server.db1.fence: no method is named \"db1-shh\"; did you mean "
          "\"db1-ssh\"?");
    CHECK(complaint(one_server("fence = [\"power\"]")) ==
          "6:10: topology.shop.server.db1.fence: no method is named \"power\"; add a table "
          "[method.power]");
    CHECK(complaint(one_server("fence = [\"sql\", \"detach\"]")).empty());
    CHECK(complaint(one_server("fence = [\"detatch\"]")) ==
          "6:10: topology.shop.server.db1.fence: no method is named \"detatch\"; did you mean "
          "\"detach\"?");
    CHECK(complaint(one_server("fence = [\"sql\", \"sql\"]")) ==
          "6:17: topology.shop.server.db1.fence: expected each item once, got \"sql\"");
    CHECK(complaint(one_server("fence = []")) ==
          "6:9: topology.shop.server.db1.fence: expected a list of names such as [\"sql\"] with at "
          "least one item, got an empty list");
}

TEST_CASE("a rung whose method is wrong itself is not reported twice") {
    CHECK(complaint(one_server("fence = [\"m\"]\n[method.m]\ntype = \"exec\"\n")) ==
          "7:9: method.m: key \"command\" is missing: program and arguments; no shell reads them");
}

TEST_CASE("the pin names a server of its topology") {
    CHECK(complaint(section_with("topology.shop.fencing", "pin = \"db1\"")).empty());
    CHECK(complaint(section_with("topology.shop.fencing", "pin = \"\"")).empty());
    CHECK(complaint(section_with("topology.shop.fencing", "pin = \"db2\"")) ==
          "7:7: topology.shop.fencing.pin: no server of this topology is named \"db2\"; did you "
          "mean \"db1\"?");
}

TEST_CASE("who acts must say how it is alone in acting") {
    const std::string enforce = topology_with("mode = \"enforce\"");
    CHECK(complaint(enforce) ==
          "2:8: topology.shop.mode: \"enforce\" needs a lease, so that two agents never act at "
          "once; write backend = \"servers\" into [topology.shop.lease], or \"none\" when this is "
          "the only agent");
    CHECK(complaint(enforce + "[topology.shop.lease]\nttl = \"8s\"\n").starts_with("2:8: "));
    CHECK(complaint(enforce + "[topology.shop.lease]\nbackend = \"none\"\n").empty());
    CHECK(complaint(enforce + "[topology.shop.lease]\nbackend = \"servers\"\n").empty());
}

TEST_CASE("a lease lasts some whole seconds") {
    auto ttl = [](std::string_view text) {
        return complaint(
            section_with("topology.shop.lease", "ttl = \"" + std::string(text) + "\""));
    };
    CHECK(ttl("3s").empty());
    CHECK(ttl("60s").empty());
    CHECK(ttl("4000ms").empty());
    CHECK(ttl("3500ms") == "7:7: topology.shop.lease.ttl: expected whole seconds, got \"3500ms\"");
    CHECK(ttl("2s") ==
          "7:7: topology.shop.lease.ttl: expected a duration from 3s to 1m, got \"2s\"");
    CHECK(ttl("61s") ==
          "7:7: topology.shop.lease.ttl: expected a duration from 3s to 1m, got \"61s\"");
}

TEST_CASE("fewer than three voices are a warning that says what to add") {
    const std::string lease = "[topology.shop.lease]\nbackend = \"servers\"\n";
    const std::string witness = "witnesses = [\"w:3306\"]\n";
    CHECK(
        warnings(one_server(lease)) ==
        std::vector<std::string>{
            "/etc/primacy/primacy.toml:7:11: topology.shop.lease.backend: has 1 voice, so no lease "
            "can be held when one server is gone; add two witnesses, such as witnesses = "
            "[\"10.0.0.8:3306\", \"10.0.0.9:3306\"]"});
    const std::vector<std::string> two = {
        "/etc/primacy/primacy.toml:10:11: topology.shop.lease.backend: has 2 voices, so no lease "
        "can "
        "be held when one server is gone; add a witness, such as witnesses = [\"10.0.0.9:3306\"]"};
    CHECK(warnings(two_servers("db2", "10.0.0.2", lease)) == two);
    CHECK(warnings(two_servers("db2", "10.0.0.2", lease + witness)).empty());
    CHECK(warnings(two_servers("db2", "10.0.0.2", "[topology.shop.lease]\nbackend = \"none\"\n"))
              .empty());
    CHECK(warnings(two_servers("db2", "10.0.0.2")).empty());
}

TEST_CASE("whoever cannot be seen is fenced by a rung that needs no SQL") {
    const std::string fence = "[topology.shop.fencing]\nunseen_former = \"fence\"\n";
    const std::string none =
        ": topology.shop.fencing.unseen_former: \"fence\" needs a rung that works without SQL, and "
        "server db1 has none; add a method of type ssh, ipmi, fence-agent or exec to its \"fence\"";
    CHECK(complaint(one_server(fence)) == "7:17" + none);
    CHECK(complaint(one_server("fence = [\"sql\", \"detach\"]\n" + fence)) == "8:17" + none);
    CHECK(complaint(one_server("fence = [\"sql\", \"p\"]\n" + fence +
                               "[method.p]\ntype = \"haproxy\"\nsocket = \"/s\"\nbackend = \"b\"\n"
                               "server = \"s\"\n")) == "8:17" + none);
    const std::string power = "[method.power]\ntype = \"exec\"\ncommand = [\"/bin/off\"]\n";
    CHECK(complaint(one_server("fence = [\"sql\", \"power\"]\n" + fence + power)).empty());
    const std::string second =
        "fence = [\"power\"]\n[[topology.shop.server]]\nname = \"db2\"\nhost = "
        "\"10.0.0.2\"\n";
    CHECK(
        complaint(one_server(second + fence + power)) ==
        "11:17: topology.shop.fencing.unseen_former: \"fence\" needs a rung that works without "
        "SQL, and server db2 has none; add a method of type ssh, ipmi, fence-agent or exec to its "
        "\"fence\"");
    // The rung whose type is not clear is reported itself, and might be the one.
    CHECK(complaint(one_server("fence = [\"m\"]\n" + fence + "[method.m]\ntype = \"sssh\"\n"))
              .starts_with("10:8: method.m.type: "));
}

TEST_CASE("each witness has one voice") {
    auto lease = [](std::string_view witnesses) {
        return complaint(section_with(
            "topology.shop.lease", "backend = \"servers\"\nwitnesses = " + std::string(witnesses)));
    };
    CHECK(lease("[]").empty());
    CHECK(lease("[\"10.0.0.8:3306\", \"10.0.0.9:3306\"]").empty());
    CHECK(lease("[\"10.0.0.1:3306\"]") ==
          "8:14: topology.shop.lease.witnesses: \"10.0.0.1:3306\" has a voice already, as server "
          "db1");
    CHECK(lease("[\"W:3306\", \"w:3306\"]") ==
          "8:24: topology.shop.lease.witnesses: \"w:3306\" has a voice already, as witness W:3306");
}

TEST_CASE("what is allowed and probably not meant is a warning") {
    CHECK(warnings(one_server()).empty());
    CHECK(warnings(topology_with("")) ==
          std::vector<std::string>{"/etc/primacy/primacy.toml:1:11: topology.shop: logs in without "
                                   "a password; name a file with it in password_file"});
    CHECK(warnings(section_with("topology.shop.lease", "witnesses = [\"w:3306\"]")) ==
          std::vector<std::string>{"/etc/primacy/primacy.toml:7:13: topology.shop.lease.witnesses: "
                                   "are only used with backend = \"servers\""});
    CHECK(warnings(section_with("topology.shop.tls", "ca = \"/ca\"")) ==
          std::vector<std::string>{"/etc/primacy/primacy.toml:7:6: topology.shop.tls.ca: is only "
                                   "used with mode = \"verify\""});
    CHECK(warnings(section_with("method.m", "type = \"exec\"\ncommand = [\"/bin/true\"]")) ==
          std::vector<std::string>{
              "/etc/primacy/primacy.toml:6:9: method.m: no server's \"fence\" names it"});
    CHECK(warnings("[[topology.t.server]]\nname = \"d\"\nsocket = \"/run/x\"\n").empty());
}
