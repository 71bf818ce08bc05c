#include "tests/unit/app/config_support.hpp"

#include <doctest/doctest.h>

using namespace primacy::app;
using namespace primacy::tests;
using namespace std::chrono_literals;

namespace {

// A method m: its heading is line 6, its keys begin at line 7.
std::string method(std::string_view keys) {
    return section_with("method.m", keys);
}

template <class How>
How read_as(std::string_view keys) {
    const config read = good_config(method(keys));
    REQUIRE(read.methods.size() == 1);
    REQUIRE(std::holds_alternative<How>(read.methods[0].how));
    return std::get<How>(read.methods[0].how);
}

}  // namespace

TEST_CASE("each type of method has its own keys and defaults") {
    const auto ssh = read_as<ssh_method>("type = \"ssh\"\nhost = \"10.0.0.1\"\nkey = \"id\"");
    CHECK(ssh.host == "10.0.0.1");
    CHECK(ssh.port == 22);
    CHECK(ssh.user == "primacy");
    CHECK(ssh.key == "/etc/primacy/id");
    CHECK(ssh.known_hosts == "/etc/primacy/known_hosts");

    const auto ipmi = read_as<ipmi_method>(
        "type = \"ipmi\"\naddress = \"10.1.0.1\"\nuser = \"fence\"\npassword_file = \"bmc\"");
    CHECK(ipmi.address == "10.1.0.1");
    CHECK(ipmi.port == 623);
    CHECK(ipmi.user == "fence");
    CHECK(ipmi.password_file == "/etc/primacy/bmc");
    CHECK(ipmi.interface == "lanplus");
    CHECK_FALSE(ipmi.cipher);

    const auto old_bmc = read_as<ipmi_method>(
        "type = \"ipmi\"\naddress = \"b\"\nuser = \"f\"\npassword_file = \"p\"\n"
        "interface = \"lan\"\ncipher = 3\nport = 9623");
    CHECK(old_bmc.interface == "lan");
    CHECK(old_bmc.cipher == 3);
    CHECK(old_bmc.port == 9623);

    const auto agent = read_as<fence_agent_method>(
        "type = \"fence-agent\"\nagent = \"fence_apc\"\n"
        "options = { plug = 7, ssh = true, ip = \"10.1.1.1\", verbose = false }");
    CHECK(agent.agent == "fence_apc");
    CHECK(agent.options == std::map<std::string, std::string>{
                               {"ip", "10.1.1.1"}, {"plug", "7"}, {"ssh", "1"}, {"verbose", "0"}});
    CHECK(agent.password_file.empty());

    const auto exec = read_as<exec_method>(
        "type = \"exec\"\ncommand = [\"/usr/local/bin/page\", \"-x\", \"-x\"]");
    CHECK(exec.command == std::vector<std::string>{"/usr/local/bin/page", "-x", "-x"});
    CHECK(exec.style == exec_style::json);
    CHECK_FALSE(exec.verify);
    const auto mha =
        read_as<exec_method>("type = \"exec\"\ncommand = [\"/x\"]\nstyle = \"mha\"\nverify = true");
    CHECK(mha.style == exec_style::mha);
    CHECK(mha.verify);
}

TEST_CASE("proxies and replicas have their own keys and defaults") {
    const std::string web = "type = \"haproxy\"\nbackend = \"my:write\"\nserver = \"db_1\"\n";
    const auto local = read_as<haproxy_method>(web + "socket = \"/run/haproxy/admin.sock\"");
    CHECK(local.socket == "/run/haproxy/admin.sock");
    CHECK(local.host.empty());
    CHECK(local.backend == "my:write");
    CHECK(local.server == "db_1");
    CHECK(read_as<haproxy_method>(web + "socket = \"./admin.sock\"").socket ==
          "/etc/primacy/admin.sock");
    const auto remote = read_as<haproxy_method>(web + "socket = \"[fd00::1]:9999\"");
    CHECK(remote.socket.empty());
    CHECK(remote.host == "fd00::1");
    CHECK(remote.port == 9999);

    const std::string sql =
        "type = \"proxysql\"\nhost = \"p\"\nuser = \"radmin\"\npassword_file = \"pw\"\n";
    const auto plain = read_as<proxysql_method>(sql);
    CHECK(plain.admin.host == "p");
    CHECK(plain.admin.port == 6032);
    CHECK(plain.admin.user == "radmin");
    CHECK(plain.password_file == "/etc/primacy/pw");
    CHECK(plain.admin.tls.mode == primacy::rt::sql::tls_mode::preferred);
    CHECK(plain.server_host.empty());
    CHECK_FALSE(plain.writer_hostgroup);
    const auto full = read_as<proxysql_method>(
        sql +
        "port = 16032\nserver = \"db1.internal:3307\"\nwriter_hostgroup = 0\n"
        "tls = { mode = \"verify\", ca = \"ca.pem\" }");
    CHECK(full.admin.port == 16032);
    CHECK(full.server_host == "db1.internal");
    CHECK(full.server_port == 3307);
    CHECK(full.writer_hostgroup == 0);
    CHECK(full.admin.tls.mode == primacy::rt::sql::tls_mode::verify);
    CHECK(full.admin.tls.ca == "/etc/primacy/ca.pem");

    read_as<detach_method>("type = \"detach\"");
}

TEST_CASE("what stops a server without logging in to it is told from what only isolates it") {
    auto stops = [](std::string_view keys) {
        return stops_without_sql(good_config(method(keys)).methods.at(0));
    };
    CHECK(stops("type = \"ssh\"\nhost = \"h\"\nkey = \"id\""));
    CHECK(stops("type = \"ipmi\"\naddress = \"b\"\nuser = \"f\"\npassword_file = \"p\""));
    CHECK(stops("type = \"fence-agent\"\nagent = \"fence_apc\""));
    CHECK(stops("type = \"exec\"\ncommand = [\"/x\"]"));
    CHECK_FALSE(stops("type = \"haproxy\"\nsocket = \"/s\"\nbackend = \"b\"\nserver = \"s\""));
    CHECK_FALSE(stops("type = \"proxysql\"\nhost = \"p\"\nuser = \"a\"\npassword_file = \"p\""));
    CHECK_FALSE(stops("type = \"detach\""));
}

TEST_CASE("what a proxy is told cannot hold a second command") {
    auto haproxy = [](std::string_view keys) {
        return complaint(method("type = \"haproxy\"\n" + std::string(keys)));
    };
    CHECK(haproxy("socket = \"/s\"\nbackend = \"a;disable\"\nserver = \"s\"") ==
          "9:11: method.m.backend: expected a name of letters, digits, \"-\", \"_\", \".\" or "
          "\":\", got \"a;disable\"");
    CHECK(haproxy("socket = \"/s\"\nbackend = \"b\"\nserver = \"s state ready\"")
              .starts_with("10:10: method.m.server: expected a name of letters"));
    CHECK(haproxy("socket = \"/s\"\nbackend = \"b/c\"\nserver = \"s\"").starts_with("9:11: "));
    CHECK(haproxy("socket = \"admin\"\nbackend = \"b\"\nserver = \"s\"") ==
          "8:10: method.m.socket: expected the path of a unix socket, or an address such as "
          "\"127.0.0.1:9999\", got \"admin\"");
    CHECK(haproxy("socket = \"/" + std::string(107, 's') + "\"\nbackend = \"b\"\nserver = \"s\"")
              .starts_with("8:10: method.m.socket: expected a path of at most 107 bytes"));
    CHECK(haproxy("socket = \"/s\"\nbackend = \"b\"") ==
          "6:9: method.m: key \"server\" is missing: the server's name in that backend");
}

TEST_CASE("the keys of proxysql, detach and exec are checked") {
    const std::string sql =
        "type = \"proxysql\"\nhost = \"p\"\nuser = \"a\"\npassword_file = \"pw\"\n";
    CHECK(complaint(method(sql + "writer_hostgroup = -1")) ==
          "11:20: method.m.writer_hostgroup: expected a whole number from 0 to 2147483647, got the "
          "integer -1");
    CHECK(complaint(method(sql + "tls = { key = \"/k\" }")) ==
          "11:15: method.m.tls: cert and key belong together; write both or none");
    CHECK(complaint(method(sql + "tls = { mod = \"x\" }")) ==
          "11:9: method.m.tls: unknown key \"mod\"; did you mean \"mode\"?");
    CHECK(complaint(method(sql + "server = \"db1\"")).starts_with("11:10: method.m.server: "));
    CHECK(
        complaint(method("type = \"proxysql\"\nhost = \"p\"\nuser = \"a\"")).starts_with("6:9: "));
    CHECK(complaint(method("type = \"detach\"\nserver = \"x\""))
              .starts_with("8:1: method.m: unknown key \"server\""));
    CHECK(complaint(method("type = \"detach\"\ntimeout = \"0s\"")) ==
          "8:11: method.m.timeout: expected a duration from 1s to 10m, got \"0s\"");
    CHECK(complaint(method("type = \"exec\"\ncommand = [\"/x\"]\nstyle = \"jsn\"")) ==
          "9:9: method.m.style: expected one of \"json\", \"mha\", got \"jsn\"; did you mean "
          "\"json\"?");
    CHECK(complaint(method("type = \"exec\"\ncommand = [\"/x\"]\nverify = \"yes\"")) ==
          "9:10: method.m.verify: expected true or false, got \"yes\"");
    CHECK(complaint(method("type = \"exec\"\ncommand = [\"/x\"]\nverify = 1")) ==
          "9:10: method.m.verify: expected true or false, got the integer 1");
}

TEST_CASE("each type of method has its own time") {
    auto timeout = [](std::string_view keys) {
        return good_config(method(keys)).methods[0].timeout;
    };
    CHECK(timeout("type = \"ssh\"\nhost = \"h\"\nkey = \"id\"") == 10s);
    CHECK(timeout("type = \"ipmi\"\naddress = \"b\"\nuser = \"f\"\npassword_file = \"p\"") == 20s);
    CHECK(timeout("type = \"fence-agent\"\nagent = \"fence_apc\"") == 60s);
    CHECK(timeout("type = \"exec\"\ncommand = [\"/x\"]") == 30s);
    CHECK(timeout("type = \"haproxy\"\nsocket = \"/s\"\nbackend = \"b\"\nserver = \"s\"") == 5s);
    CHECK(timeout("type = \"proxysql\"\nhost = \"p\"\nuser = \"a\"\npassword_file = \"p\"") == 10s);
    CHECK(timeout("type = \"detach\"") == 10s);
    CHECK(timeout("type = \"exec\"\ncommand = [\"/x\"]\ntimeout = \"1m\"") == 1min);
}

TEST_CASE("the type decides which keys there are") {
    CHECK(complaint(method("host = \"h\"")) ==
          "6:9: method.m: key \"type\" is missing: what kind of device or program it is; expected "
          "one of \"ssh\", \"ipmi\", \"fence-agent\", \"exec\", \"haproxy\", \"proxysql\", "
          "\"detach\"");
    CHECK(complaint(method("type = \"shs\"\nhost = \"h\"")) ==
          "7:8: method.m.type: expected one of \"ssh\", \"ipmi\", \"fence-agent\", \"exec\", "
          "\"haproxy\", \"proxysql\", \"detach\", got \"shs\"; did you mean \"ssh\"?");
    CHECK(complaint(method("type = \"ssh\"\nhost = \"h\"\nkey = \"k\"\ncipher = 3")) ==
          "10:1: method.m: unknown key \"cipher\"; it is a key of [method.NAME] of type ipmi");
    CHECK(
        complaint(method("type = \"ipmi\"\nadress = \"b\"\nuser = \"f\"\npassword_file = \"p\"")) ==
        "6:9: method.m: key \"address\" is missing: the BMC\n"
        "8:1: method.m: unknown key \"adress\"; did you mean \"address\"?");
    CHECK(complaint(method("type = \"ipmi\"\naddress = \"b\"\nuser = \"f\"\npassword_file = \"p\"\n"
                           "cipher = 18")) ==
          "11:10: method.m.cipher: expected a whole number from 0 to 17, got the integer 18");
}

TEST_CASE("programs are found by absolute path or name, never by a shell") {
    CHECK(complaint(method("type = \"exec\"\ncommand = [\"page\"]")) ==
          "8:12: method.m.command: expected the absolute path of a program, got \"page\"");
    CHECK(complaint(method("type = \"exec\"\ncommand = \"/bin/page now\"")) ==
          "8:11: method.m.command: expected a list such as [\"/usr/local/bin/page\", \"now\"], got "
          "\"/bin/page now\"");
    CHECK(complaint(method("type = \"exec\"\ncommand = []")).starts_with("8:11: "));
    CHECK(complaint(method("type = \"exec\"\ncommand = [\"/x\", \"a\\nb\"]")) ==
          "8:18: method.m.command: expected a text without control characters, got \"a?b\"");
    CHECK(complaint(method("type = \"fence-agent\"\nagent = \"./fence_apc\"")) ==
          "8:9: method.m.agent: expected the name of a program, or its absolute path, got "
          "\"./fence_apc\"");
    CHECK(complaint(method("type = \"fence-agent\"\nagent = \"-x\"")).starts_with("8:9: "));
    CHECK(complaint(method("type = \"fence-agent\"\nagent = \"/opt/fence_x\"")).empty());
}

TEST_CASE("it is known where a fence agent and its options stand") {
    const auto read = good_config(
        one_server("fence = [\"pdu\"]\n[method.pdu]\ntype = \"fence-agent\"\n"
                   "agent = \"fence_apc\"\noptions = { ip = \"10.1.0.1\", plug = 7 }\n"));
    const auto& places = read.fence_agents.at("pdu");
    CHECK(places.agent == file_position{9, 9});
    CHECK(places.options.at("ip") == file_position{10, 13});
    CHECK(places.options.at("plug") == file_position{10, 30});
    CHECK(read.fence_agents.size() == 1);
}

TEST_CASE("a topology concerns only what changed in the methods of its own ladders") {
    const auto with = [](std::string_view fence, std::string_view timeout) {
        return good_config(one_server("fence = [" + std::string(fence) +
                                      "]\n[method.a]\ntype = \"exec\"\ncommand = [\"/bin/a\"]\n"
                                      "timeout = \"" +
                                      std::string(timeout) +
                                      "\"\n[method.b]\ntype = \"exec\"\ncommand = [\"/bin/b\"]\n"));
    };
    const auto same = [](const config& one, const config& other) {
        return same_methods(one, other, other.topologies.at(0));
    };
    CHECK(same(with("\"a\"", "5s"), with("\"a\"", "5s")));
    CHECK(!same(with("\"a\"", "5s"), with("\"a\"", "6s")));
    CHECK(same(with("\"sql\", \"b\"", "5s"), with("\"sql\", \"b\"", "6s")));
    auto fewer = with("\"a\"", "5s");
    fewer.methods.clear();
    CHECK(!same(fewer, with("\"a\"", "5s")));
}

TEST_CASE("options of a fence agent cannot hold its password or its action") {
    auto option = [](std::string_view text) {
        return complaint(method("type = \"fence-agent\"\nagent = \"fence_apc\"\noptions = { " +
                                std::string(text) + " }"));
    };
    CHECK(option("passwd = \"hunter2\"") ==
          "9:13: method.m.options: \"passwd\" would be readable here; put it alone into a file and "
          "write password_file");
    CHECK(
        option("password = \"hunter2\"").starts_with("9:13: method.m.options: \"password\" would"));
    CHECK(option("action = \"reboot\"") ==
          "9:13: method.m.options: \"action\" is chosen by primacy; remove it");
    CHECK(option("plug = [7]") ==
          "9:13: method.m.options: expected a text, an integer or a boolean for \"plug\"");
    CHECK(option("plug = \"7\\naction=on\"") ==
          "9:13: method.m.options: expected a text without control characters for \"plug\"");
    CHECK(option("\"x=1\\nplug\" = 7") ==
          "9:13: method.m.options: \"x=1?plug\" cannot be the name of an option");
}

TEST_CASE("the name detach belongs to methods of that type") {
    CHECK(complaint(section_with("method.detach", "type = \"detach\"\ntimeout = \"3s\"")).empty());
    CHECK(
        complaint(section_with("method.detach", "type = \"exec\"\ncommand = [\"/x\"]")) ==
        "6:9: method.\"detach\": \"detach\" is the rung that stops replicas; only a method of type "
        "detach can have that name");
}

TEST_CASE("a method's own name has a form, and sql is taken") {
    CHECK(complaint(section_with("method.sql", "type = \"exec\"")) ==
          "6:9: method.\"sql\": \"sql\" is the rung that every server has; choose another name");
    CHECK(complaint(section_with("method.\"a b\"", "type = \"exec\"")).starts_with("6:9: "));
    CHECK(complaint("method = { m = 5 }\n" + one_server()) ==
          "1:12: method.\"m\": expected a table such as [method.NAME], got the integer 5");
}
