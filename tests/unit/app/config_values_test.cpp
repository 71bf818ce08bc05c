#include "agent/app/config/keys.hpp"
#include "tests/unit/app/config_support.hpp"

#include <climits>
#include <doctest/doctest.h>

#include <set>
#include <unistd.h>

using namespace primacy;
using namespace primacy::app;
using namespace primacy::tests;
using namespace std::chrono_literals;

TEST_CASE("a file of one server means the defaults of the contract") {
    const config read = good_config(one_server());
    char host_name[HOST_NAME_MAX + 1] = {};
    ::gethostname(host_name, HOST_NAME_MAX);
    CHECK(read.path == config_path);
    CHECK(read.agent.name == host_name);
    CHECK(read.agent.listen == "127.0.0.1:9963");
    CHECK(read.agent.control == "/run/primacy/control.sock");
    CHECK(read.agent.state_dir == "/var/lib/primacy");
    CHECK(read.agent.log_level == "info");
    CHECK(read.agent.log_format == "text");
    CHECK_FALSE(read.agent.web);
    CHECK(read.methods.empty());
    CHECK(read.osc.log_dir == "/var/log/primacy/osc");
    CHECK(read.osc.gh_ost == "gh-ost");
    CHECK(read.osc.pt_osc == "pt-online-schema-change");
    CHECK(read.osc.max_running == 1);
    CHECK(read.osc.keep_old == 168h);
    REQUIRE(read.topologies.size() == 1);
    const topology_config& shop = read.topologies[0];
    CHECK(shop.name == "shop");
    CHECK(shop.mode == topology_mode::observe);
    CHECK(shop.poll_interval == 1s);
    CHECK(shop.probe_timeout == 2s);
    CHECK(shop.detail_interval == 10s);
    CHECK(shop.confirm_polls == 3);
    CHECK(shop.confirm_for == 2s);
    CHECK(shop.expected_writers == 1);
    CHECK(shop.user == "primacy");
    CHECK(shop.tls.mode == rt::sql::tls_mode::preferred);
    CHECK(shop.tls.ca.empty());
    CHECK(shop.lag_warn == 30s);
    CHECK(shop.clock_skew_warn == 2s);
    REQUIRE(shop.servers.size() == 1);
    CHECK(shop.servers[0].address() == "10.0.0.1:3306");
    CHECK(shop.servers[0].fence == std::vector<std::string>{"sql"});
    CHECK(shop.fencing.keep == std::vector<std::string>{"pin", "incumbent", "replicas", "gtid"});
    CHECK(shop.fencing.pin.empty());
    CHECK(shop.fencing.on_ambiguous == ambiguity::alert);
    CHECK(shop.fencing.unseen_former == unseen_former_action::alert);
    CHECK(shop.fencing.max_fences == 2);
    CHECK(shop.fencing.per == 10min);
    CHECK(shop.fencing.cooldown == 60s);
    CHECK(shop.fencing.deadline == 90s);
    CHECK(shop.lease.backend == lease_backend::none);
    CHECK(shop.lease.ttl == 8s);
    CHECK(shop.lease.witnesses.empty());
}

TEST_CASE("structures made by hand begin with the same defaults") {
    const topology_config read = good_config(one_server()).topologies[0];
    const topology_config made;
    CHECK(made.mode == read.mode);
    CHECK(made.poll_interval == read.poll_interval);
    CHECK(made.probe_timeout == read.probe_timeout);
    CHECK(made.detail_interval == read.detail_interval);
    CHECK(made.confirm_polls == read.confirm_polls);
    CHECK(made.confirm_for == read.confirm_for);
    CHECK(made.expected_writers == read.expected_writers);
    CHECK(made.user == read.user);
    CHECK(made.tls.mode == read.tls.mode);
    CHECK(made.lag_warn == read.lag_warn);
    CHECK(made.clock_skew_warn == read.clock_skew_warn);
    CHECK(server_config{}.port == read.servers[0].port);
    CHECK(server_config{}.fence == read.servers[0].fence);
    CHECK(made.fencing.keep == read.fencing.keep);
    CHECK(made.fencing.on_ambiguous == read.fencing.on_ambiguous);
    CHECK(made.fencing.unseen_former == read.fencing.unseen_former);
    CHECK(made.fencing.max_fences == read.fencing.max_fences);
    CHECK(made.fencing.per == read.fencing.per);
    CHECK(made.fencing.cooldown == read.fencing.cooldown);
    CHECK(made.fencing.deadline == read.fencing.deadline);
    CHECK(made.lease.backend == read.lease.backend);
    CHECK(made.lease.ttl == read.lease.ttl);
    const config whole = good_config(one_server());
    CHECK(agent_config{}.listen == whole.agent.listen);
    CHECK(agent_config{}.control == whole.agent.control);
    CHECK(agent_config{}.state_dir == whole.agent.state_dir);
    CHECK(agent_config{}.log_level == whole.agent.log_level);
    CHECK(agent_config{}.log_format == whole.agent.log_format);
    CHECK(osc_config{}.log_dir == whole.osc.log_dir);
    CHECK(osc_config{}.gh_ost == whole.osc.gh_ost);
    CHECK(osc_config{}.pt_osc == whole.osc.pt_osc);
    CHECK(osc_config{}.max_running == whole.osc.max_running);
    CHECK(osc_config{}.keep_old == whole.osc.keep_old);
}

TEST_CASE("every word of a key means its own value") {
    auto topology = [](std::string_view keys) {
        return good_config(topology_with(keys)).topologies.at(0);
    };
    auto section = [](std::string_view name, std::string_view keys) {
        return good_config(section_with(name, keys)).topologies.at(0);
    };
    CHECK(topology("mode = \"observe\"").mode == topology_mode::observe);
    CHECK(topology("mode = \"enforce\"\nlease = { backend = \"none\" }").mode ==
          topology_mode::enforce);
    CHECK(topology("tls = { mode = \"disabled\" }").tls.mode == rt::sql::tls_mode::disabled);
    CHECK(topology("tls = { mode = \"preferred\" }").tls.mode == rt::sql::tls_mode::preferred);
    CHECK(topology("tls = { mode = \"required\" }").tls.mode == rt::sql::tls_mode::required);
    CHECK(topology("tls = { mode = \"verify\" }").tls.mode == rt::sql::tls_mode::verify);
    CHECK(section("topology.shop.fencing", "on_ambiguous = \"fence-all\"").fencing.on_ambiguous ==
          ambiguity::fence_all);
    const std::string power = "[method.power]\ntype = \"exec\"\ncommand = [\"/bin/off\"]\n";
    const config unseen = good_config(one_server(
        "fence = [\"power\"]\n[topology.shop.fencing]\nunseen_former = \"fence\"\n" + power));
    CHECK(unseen.topologies.at(0).fencing.unseen_former == unseen_former_action::fence);
    CHECK(section("topology.shop.lease", "backend = \"servers\"").lease.backend ==
          lease_backend::servers);
    CHECK(section("topology.shop.lease", "backend = \"none\"").lease.backend ==
          lease_backend::none);
}

TEST_CASE("what is written is what is read") {
    const config read = good_config(
        "[agent]\n"
        "name = \"watch-1\"\n"
        "listen = \":9963\"\n"
        "control = \"control.sock\"\n"
        "state_dir = \"../state/\"\n"
        "log_level = \"debug\"\n"
        "log_format = \"journal\"\n"
        "[topology.a]\n"
        "poll_interval = \"250ms\"\n"
        "probe_timeout = \"60s\"\n"
        "detail_interval = \"1m\"\n"
        "confirm_polls = 1\n"
        "confirm_for = \"0s\"\n"
        "expected_writers = 2\n"
        "user = \"watch\"\n"
        "lag_warn = \"1h\"\n"
        "clock_skew_warn = \"500ms\"\n"
        "tls = { mode = \"verify\", ca = \"ca.pem\", cert = \"/c.pem\", key = \"k.pem\" }\n"
        "[[topology.a.server]]\n"
        "name = \"second\"\n"
        "host = \"db2.example\"\n"
        "port = 3307\n"
        "[[topology.a.server]]\n"
        "name = \"first\"\n"
        "host = \"::1\"\n"
        "[topology.a.fencing]\n"
        "keep = [\"gtid\", \"pin\"]\n"
        "pin = \"first\"\n"
        "[topology.a.lease]\n"
        "backend = \"servers\"\n"
        "ttl = \"20s\"\n"
        "witnesses = [\"10.0.0.9:3306\", \"[fd00::9]:3307\"]\n"
        "[osc]\n"
        "gh_ost = \"/opt/gh-ost\"\n"
        "max_running = 2\n"
        "keep_old = \"48h\"\n");
    CHECK(read.agent.name == "watch-1");
    CHECK(read.agent.listen == ":9963");
    CHECK(read.agent.control == "/etc/primacy/control.sock");
    CHECK(read.agent.state_dir == "/etc/state/");
    CHECK(read.agent.log_level == "debug");
    CHECK(read.agent.log_format == "journal");
    const topology_config& a = read.topologies.at(0);
    CHECK(a.poll_interval == 250ms);
    CHECK(a.probe_timeout == 60s);
    CHECK(a.detail_interval == 60s);
    CHECK(a.confirm_polls == 1);
    CHECK(a.confirm_for == 0s);
    CHECK(a.expected_writers == 2);
    CHECK(a.user == "watch");
    CHECK(a.lag_warn == 1h);
    CHECK(a.clock_skew_warn == 500ms);
    CHECK(a.tls.ca == "/etc/primacy/ca.pem");
    CHECK(a.tls.cert == "/c.pem");
    CHECK(a.tls.key == "/etc/primacy/k.pem");
    REQUIRE(a.servers.size() == 2);
    CHECK(a.servers[0].name == "second");
    CHECK(a.servers[0].address() == "db2.example:3307");
    CHECK(a.servers[1].address() == "[::1]:3306");
    CHECK(a.fencing.keep == std::vector<std::string>{"gtid", "pin"});
    CHECK(a.fencing.pin == "first");
    CHECK(a.lease.ttl == 20s);
    CHECK(a.lease.witnesses == std::vector<std::string>{"10.0.0.9:3306", "[fd00::9]:3307"});
    CHECK(read.osc.gh_ost == "/opt/gh-ost");
    CHECK(read.osc.max_running == 2);
    CHECK(read.osc.keep_old == 48h);
}

TEST_CASE("topologies keep the order of the file, not of the alphabet") {
    const config read = good_config(
        "[[topology.b.server]]\nname = \"x\"\nhost = \"h1\"\n"
        "[[topology.a.server]]\nname = \"x\"\nhost = \"h2\"\n");
    REQUIRE(read.topologies.size() == 2);
    CHECK(read.topologies[0].name == "b");
    CHECK(read.topologies[1].name == "a");
}

TEST_CASE("an endpoint has all that a connection needs") {
    topology_config topology;
    topology.user = "watch";
    topology.password = "secret";
    topology.tls.mode = rt::sql::tls_mode::required;
    server_config server;
    server.host = "db1";
    server.port = 3307;
    const rt::sql::endpoint by_host = endpoint_of(topology, server);
    CHECK(by_host.host == "db1");
    CHECK(by_host.port == 3307);
    CHECK(by_host.user == "watch");
    CHECK(by_host.password == "secret");
    CHECK(by_host.tls.mode == rt::sql::tls_mode::required);
    CHECK(by_host.address() == server.address());
    server.socket = "/run/mysqld/mysqld.sock";
    CHECK(endpoint_of(topology, server).socket == "/run/mysqld/mysqld.sock");
    CHECK(server.address() == "/run/mysqld/mysqld.sock");
}

TEST_CASE("the table of keys is complete and without contradictions") {
    std::set<std::pair<section, std::string_view>> seen;
    for (const key_description& key : all_keys()) {
        CAPTURE(key.key);
        CHECK(seen.emplace(key.where, key.key).second);
        CHECK_FALSE(key.help.empty());
        CHECK(key.help.find('\n') == key.help.npos);
        CHECK_FALSE((key.rules.required && !key.default_text.empty()));
        const bool bounded = key.type == value_type::number || key.type == value_type::duration;
        CHECK(bounded == (key.rules.lowest < key.rules.highest));
        const bool worded = key.type == value_type::word || key.type == value_type::word_list;
        CHECK(worded == !key.rules.words.empty());
        CHECK_FALSE(heading(key.where).empty());
    }
    CHECK(words_of(*keys_of(section::method).at(0)) ==
          std::vector<std::string_view>{"ssh", "ipmi", "fence-agent", "exec", "haproxy", "proxysql",
                                        "detach"});
}
