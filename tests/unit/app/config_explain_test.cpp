#include "agent/app/config/explain.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/config_support.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/stat.h>

using namespace primacy::app;
using namespace primacy::tests;
using namespace std::chrono_literals;

namespace {

// The example of the contract, with the options that its methods need.
constexpr const char* contract = R"(
[agent]
name          = "db1"                          # default: host name
listen        = "127.0.0.1:9963"               # /metrics /healthz /readyz /api/v1/status /check
control       = "/run/primacy/control.sock"    # 0660, group primacy
state_dir     = "/var/lib/primacy"
log_level     = "info"
log_format    = "text"                         # text | json | journal

[topology.shop]
mode          = "observe"                      # observe | enforce
poll_interval = "1s"
probe_timeout = "2s"
confirm_polls = 3
confirm_for   = "2s"
expected_writers = 1
user          = "primacy"
password_file = "shop.password"
tls           = { mode = "preferred" }         # disabled | preferred | required | verify
lag_warn      = "30s"

[[topology.shop.server]]
name  = "db1"
host  = "10.0.0.1"                             # or socket = "/run/mysqld/mysqld.sock"
port  = 3306
fence = ["sql", "db1-ssh", "db1-bmc"]          # default ["sql"]

[topology.shop.fencing]
keep         = ["pin", "incumbent", "replicas", "gtid"]
pin          = ""
on_ambiguous = "alert"                         # alert | fence-all
unseen_former = "alert"                        # alert | fence
max_fences   = 2
per          = "10m"
cooldown     = "60s"
deadline     = "90s"

[topology.shop.lease]
backend = "servers"                            # none | servers
ttl     = "8s"
witnesses = []                                 # ["10.0.0.9:3306"]

[method.db1-ssh]
type = "ssh"                                   # host, port, user, key, known_hosts, timeout
host = "10.0.0.1"
key  = "fence_key"
[method.db1-bmc]
type = "ipmi"                                  # address, port, user, password_file, …
address = "10.1.0.1"
user = "fence"
password_file = "shop.password"
[method.pdu]
type = "fence-agent"                           # agent, options = { … }, password_file, timeout
agent = "fence_apc"
options = { ip = "10.1.0.9", plug = 7 }
[method.page-network-team]
type = "exec"                                  # command = ["/usr/local/bin/…"], timeout
command = ["/usr/local/bin/page"]

[osc]
log_dir = "/var/log/primacy/osc"
gh_ost  = "gh-ost"
pt_osc  = "pt-online-schema-change"
max_running = 1                                # copying jobs per topology
)";

topology_config topology(std::vector<std::string> servers) {
    topology_config made;
    made.name = "shop";
    for (const std::string& name : servers) {
        server_config server;
        server.name = name;
        server.host = "10.0.0." + std::to_string(made.servers.size() + 1);
        server.fence = {"sql", "power"};
        made.servers.push_back(server);
    }
    return made;
}

}  // namespace

TEST_CASE("the example of the contract is good") {
    primacy::tests::temporary_directory here;
    std::ofstream(here / "shop.password") << "secret\n";
    ::chmod((here / "shop.password").c_str(), 0600);
    const auto outcome = parse(contract, (here / "primacy.toml").string());
    for (const auto& problem : outcome.problems)
        FAIL_CHECK(to_text("contract", problem));
    const config& read = outcome.value;
    REQUIRE(read.topologies.size() == 1);
    CHECK(read.topologies[0].password == "secret");
    CHECK(read.topologies[0].servers.at(0).fence ==
          std::vector<std::string>{"sql", "db1-ssh", "db1-bmc"});
    CHECK(read.topologies[0].lease.backend == lease_backend::servers);
    REQUIRE(read.methods.size() == 4);
    CHECK(read.methods[0].name == "db1-ssh");
    CHECK(read.methods[3].name == "page-network-team");
}

TEST_CASE("the example that the package ships is good, and so is what it leaves to be chosen") {
    std::ifstream file(PRIMACY_SOURCE_DIRECTORY "/docs/primacy.example.toml");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    REQUIRE_FALSE(text.empty());
    const config read = good_config(text);
    REQUIRE(read.topologies.size() == 1);
    CHECK(read.topologies[0].servers.size() == 3);
    // Each key that stands there as a comment can be had by taking the mark away.
    std::string all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const bool key = line.starts_with("# ") && line.find(" = ") != line.npos;
        all += (key ? line.substr(2) : line.starts_with("# [") ? line.substr(2) : line) + "\n";
    }
    const std::size_t hash = all.find("$2y$10$...");
    REQUIRE(hash != std::string::npos);
    all.replace(hash, 10, "$2y$10$" + std::string(53, 'a'));
    CHECK(good_config(all).methods.size() == 7);
    CHECK(warnings(all).empty());
}

TEST_CASE("the longest confirmation is the poll that has yet to come and both conditions") {
    topology_config shop = topology({"db1"});
    CHECK(longest_confirmation(shop) == 3s);
    shop.confirm_for = 5s;
    CHECK(longest_confirmation(shop) == 6s);
    shop.confirm_polls = 10;
    CHECK(longest_confirmation(shop) == 10s);
    shop.confirm_polls = 1;
    shop.confirm_for = 0s;
    CHECK(longest_confirmation(shop) == 1s);
}

TEST_CASE("a good configuration is described in aligned lines") {
    config value;
    value.agent.name = "watch1";
    value.topologies.push_back(topology({"db1", "database2", "db3"}));
    value.topologies[0].password_file = "/etc/primacy/shop.password";
    value.topologies[0].password = "hunter2";
    value.topologies[0].servers[2].host = "fd00::3";
    CHECK(describe(value) ==
          "agent watch1\n"
          "  http          127.0.0.1:9963\n"
          "  control       /run/primacy/control.sock\n"
          "  state         /var/lib/primacy\n"
          "  log           info, text\n"
          "\n"
          "topology shop\n"
          "  mode          observe: watches, never acts\n"
          "  servers       db1        10.0.0.1:3306   fenced by sql, power\n"
          "                database2  10.0.0.2:3306   fenced by sql, power\n"
          "                db3        [fd00::3]:3306  fenced by sql, power\n"
          "  login         primacy, password from /etc/primacy/shop.password, TLS where a server "
          "offers it\n"
          "  polls         every 1s, each given up after 2s; settings and accounts every 10s\n"
          "  split brain   from 2 writers on; confirmed after 3 polls and 2s, at most 3s after it "
          "began\n"
          "  warns         at a lag of 30s, a clock 2s off\n");
}

TEST_CASE("who acts is also told how") {
    config value;
    value.topologies.push_back(topology({"db1", "db2", "db3"}));
    topology_config& shop = value.topologies[0];
    shop.mode = topology_mode::enforce;
    shop.fencing.pin = "db2";
    shop.fencing.max_fences = 1;
    shop.lease.backend = lease_backend::servers;
    shop.lease.witnesses = {"10.0.0.9:3306"};
    const std::string text = describe(value);
    CHECK(text.find("  mode          enforce: fences\n") != std::string::npos);
    CHECK(text.find(
              "  keeps         by pin (db2), incumbent, replicas, gtid; else a person decides\n") !=
          std::string::npos);
    CHECK(text.find("  unseen former a person is told\n") != std::string::npos);
    CHECK(text.find("  budget        1 fence in 10m, the same server again after 1m, 90s for all "
                    "rungs of one\n") != std::string::npos);
    CHECK(text.find("  lease         locks on a majority of the servers for 8s, witnesses "
                    "10.0.0.9:3306\n") != std::string::npos);
}

TEST_CASE("what may surprise is noted") {
    const std::vector<method_config> power = {
        method_config{"power", 1s, exec_method{{"/bin/off"}, exec_style::json, false}}};
    CHECK(notes_on(topology({"db1", "db2", "db3"}), power).empty());
    CHECK(notes_on(topology({"db1", "db2"}), power) ==
          std::vector<std::string>{"with two servers no majority is left when one is gone; then it "
                                   "is uncertain who wrote last, and no lease can be held"});
    topology_config witnessed = topology({"db1", "db2"});
    witnessed.lease.witnesses = {"10.0.0.9:3306"};
    CHECK(notes_on(witnessed, power).empty());

    topology_config slow = topology({"db1", "db2", "db3"});
    slow.probe_timeout = 5s;
    CHECK(notes_on(slow, power).empty());
    slow.probe_timeout = 6s;
    CHECK(notes_on(slow, power) ==
          std::vector<std::string>{"a server that hangs is noticed after 6s (probe_timeout), when "
                                   "6 polls were due"});

    topology_config soft = topology({"db1", "db2", "db3"});
    soft.servers[1].fence = {"sql"};
    CHECK(notes_on(soft, power).empty());
    soft.mode = topology_mode::enforce;
    CHECK(
        notes_on(soft, power) ==
        std::vector<std::string>{"server db2 has no rung that works without SQL, so nothing stops "
                                 "it when its network is gone"});
    soft.servers[1].fence = {"sql", "detach", "proxy"};
    CHECK(notes_on(soft, {power[0], {"proxy", 1s, haproxy_method{}}}).size() == 1);
}

TEST_CASE("each method is told in one line, without secrets") {
    const config read = good_config(one_server(
        "fence = [\"a\", \"bmc\", \"pdu\", \"x\", \"h\", \"p\", \"detach\"]\n"
        "[method.a]\ntype = \"ssh\"\nhost = \"::1\"\nkey = \"k\"\n"
        "[method.bmc]\ntype = \"ipmi\"\naddress = \"b\"\nuser = \"f\"\npassword_file = \"p\"\n"
        "[method.pdu]\ntype = \"fence-agent\"\nagent = \"fence_apc\"\n"
        "[method.x]\ntype = \"exec\"\ncommand = [\"/x\", \"hunter2\"]\nstyle = \"mha\"\nverify = "
        "true\n"
        "[method.h]\ntype = \"haproxy\"\nsocket = \"/s\"\nbackend = \"b\"\nserver = \"s\"\n"
        "[method.p]\ntype = \"proxysql\"\nhost = \"q\"\nuser = \"u\"\npassword_file = \"p\"\n"
        "writer_hostgroup = 7\n"));
    const std::string text = describe(read);
    const std::size_t methods = text.find("\nmethods\n");
    REQUIRE(methods != std::string::npos);
    CHECK(text.substr(methods) ==
          "\nmethods\n"
          "  a    ssh          primacy@[::1]:22, at most 10s\n"
          "  bmc  ipmi         f@b:623, at most 20s\n"
          "  pdu  fence-agent  fence_apc, at most 1m\n"
          "  x    exec         /x, with MHA's options, which also verifies, at most 30s\n"
          "  h    haproxy      b/s at /s, at most 5s\n"
          "  p    proxysql     hostgroup 7 at u@q:6032, at most 10s\n");
}
