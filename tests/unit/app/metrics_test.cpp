// What the page says of small worlds. Expectations are the lines that Prometheus would read.
#include "tests/unit/app/metrics_support.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>

using namespace primacy;
using primacy::tests::healthy_trio;
using primacy::tests::mariadb_facts;
using primacy::tests::running_channel;
using primacy::tests::samples_of;
using primacy::tests::small_world;

namespace {

void expect(const std::string& page, std::initializer_list<const char*> lines) {
    for (std::string line : lines)
        CHECK_MESSAGE(page.find("\n" + line + "\n") != std::string::npos, "no line " << line);
}

}  // namespace

TEST_CASE("a healthy topology") {
    auto page = healthy_trio().page();
    auto samples = samples_of(page);
    expect(page,
           {
               R"(primacy_build_info{version="0.1.0"} 1)",
               R"(primacy_last_cycle_timestamp_seconds 1700001002)",
               R"(primacy_config_last_reload_successful 1)",
               R"(process_cpu_seconds_total 1.25)",
               R"(process_resident_memory_bytes 20971520)",
               R"(process_open_fds 17)",
               R"(process_start_time_seconds 1700000900)",
               R"(primacy_topology_servers{topology="shop"} 3)",
               R"(primacy_topology_writable_servers{topology="shop"} 1)",
               R"(primacy_topology_writable_primaries{topology="shop"} 1)",
               R"(primacy_topology_unknown_servers{topology="shop"} 0)",
               R"(primacy_topology_split_brain{topology="shop"} 0)",
               R"(primacy_topology_split_brain_suspected{topology="shop"} 0)",
               R"(primacy_topology_state{topology="shop",state="healthy"} 1)",
               R"(primacy_topology_state{topology="shop",state="split_brain"} 0)",
               R"(primacy_topology_incumbent_info{topology="shop",server="db1"} 1)",
               R"(primacy_topology_last_judged_timestamp_seconds{topology="shop"} 1700001002)",
               R"(primacy_split_brains_total{topology="shop"} 0)",
               R"(primacy_maintenance{topology="shop"} 0)",
               R"(primacy_fencing_armed{topology="shop"} 0)",
               R"(primacy_server_up{topology="shop",server="db1"} 1)",
               R"(primacy_server_writable{topology="shop",server="db1"} 1)",
               R"(primacy_server_writable{topology="shop",server="db2"} 0)",
               R"(primacy_server_role{topology="shop",server="db1",role="primary"} 1)",
               R"(primacy_server_role{topology="shop",server="db1",role="replica"} 0)",
               R"(primacy_server_role{topology="shop",server="db2",role="replica"} 1)",
               R"(primacy_server_replicas_connected{topology="shop",server="db1"} 2)",
               R"(primacy_server_replicas_connected_known{topology="shop",server="db1"} 1)",
               R"(primacy_server_bypass_accounts{topology="shop",server="db1"} 0)",
               R"(primacy_server_bypass_accounts_known{topology="shop",server="db1"} 1)",
               R"(primacy_gtid_errant_transactions{topology="shop",server="db2"} 0)",
               R"(primacy_gtid_errant_transactions_known{topology="shop",server="db2"} 1)",
           });
    CHECK_EQ(samples.at(R"(primacy_server_info{topology="shop",server="db1",)"
                        R"(address="10.0.0.1:3306",flavor="mariadb",version="10.11.6",)"
                        R"(server_id="1"})"),
             "1");
    // Read 10 ms before the judgement, which the page knows on the wall's clock.
    CHECK_EQ(samples.at(R"(primacy_server_last_seen_timestamp_seconds{topology="shop",)"
                        R"(server="db2"})"),
             "1700001001.99");
    std::string channel = R"({topology="shop",server="db3",channel=""})";
    CHECK_EQ(samples.at("primacy_replication_io_running" + channel), "1");
    CHECK_EQ(samples.at("primacy_replication_sql_running" + channel), "1");
    CHECK_EQ(samples.at("primacy_replication_lag_seconds" + channel), "0.5");
    CHECK_EQ(samples.at("primacy_replication_lag_known" + channel), "1");
    CHECK_EQ(samples.at("primacy_replication_delay_seconds" + channel), "0");
    CHECK_EQ(samples.at(R"(primacy_replication_source_info{topology="shop",server="db3",)"
                        R"(channel="",source="db1"})"),
             "1");
}

TEST_CASE("a server that cannot be read keeps its series and asserts nothing") {
    auto world = healthy_trio();
    auto before = samples_of(world.page());
    world.fail(0, checks::probe_failure::timeout);
    world.fail(2, checks::probe_failure::refused);
    world.poll(2);
    auto page = world.page();
    auto after = samples_of(page);
    expect(page,
           {
               R"(primacy_server_up{topology="shop",server="db1"} 0)",
               R"(primacy_server_writable{topology="shop",server="db1"} 0)",
               R"(primacy_server_role{topology="shop",server="db1",role="primary"} 0)",
               R"(primacy_server_role{topology="shop",server="db1",role="unknown"} 1)",
               R"(primacy_server_replicas_connected{topology="shop",server="db1"} 2)",
               R"(primacy_server_replicas_connected_known{topology="shop",server="db1"} 0)",
               R"(primacy_server_bypass_accounts_known{topology="shop",server="db1"} 0)",
               R"(primacy_gtid_errant_transactions_known{topology="shop",server="db3"} 0)",
               R"(primacy_topology_unknown_servers{topology="shop"} 2)",
               R"(primacy_topology_writable_servers{topology="shop"} 0)",
               R"(primacy_topology_writable_primaries{topology="shop"} 0)",
               R"(primacy_topology_state{topology="shop",state="unknown"} 1)",
               R"(primacy_topology_state{topology="shop",state="healthy"} 0)",
               R"(primacy_findings{topology="shop",code="server_unknown",severity="warning"} 2)",
           });
    CHECK_EQ(after.at(R"(primacy_server_last_seen_timestamp_seconds{topology="shop",)"
                      R"(server="db1"})"),
             "1700001002");
    std::string channel = R"({topology="shop",server="db3",channel=""})";
    CHECK_EQ(after.at("primacy_replication_io_running" + channel), "0");
    CHECK_EQ(after.at("primacy_replication_sql_running" + channel), "0");
    CHECK_EQ(after.at("primacy_replication_lag_known" + channel), "0");
    CHECK_EQ(after.at("primacy_replication_lag_seconds" + channel), "0.5");
    for (const auto& sample : before)
        CHECK_MESSAGE(after.contains(sample.first), "lost: " << sample.first);
}

TEST_CASE("an answer that is not understood is unknown, not read-only") {
    auto world = healthy_trio();
    world.facts(1).read_only = checks::parse_read_only("PERHAPS");
    world.poll();
    expect(world.page(),
           {
               R"(primacy_server_up{topology="shop",server="db2"} 0)",
               R"(primacy_server_writable{topology="shop",server="db2"} 0)",
               R"(primacy_server_role{topology="shop",server="db2",role="unknown"} 1)",
               R"(primacy_topology_unknown_servers{topology="shop"} 1)",
           });
    // Its replication was read all the same.
    expect(world.page(),
           {R"(primacy_replication_io_running{topology="shop",server="db2",channel=""} 1)"});
}

TEST_CASE("a split brain, from the suspicion to its end") {
    auto world = healthy_trio();
    world.facts(2) = mariadb_facts(3, "OFF");
    world.poll();
    auto page = world.page();
    samples_of(page);
    expect(page,
           {
               R"(primacy_topology_split_brain{topology="shop"} 0)",
               R"(primacy_topology_split_brain_suspected{topology="shop"} 1)",
               R"(primacy_topology_writable_servers{topology="shop"} 2)",
               R"(primacy_topology_writable_primaries{topology="shop"} 2)",
               R"(primacy_split_brains_total{topology="shop"} 0)",
               R"(primacy_findings{topology="shop",code="split_brain",severity="warning"} 1)",
               R"(primacy_findings{topology="shop",code="split_brain",severity="critical"} 0)",
           });
    world.poll(3);
    expect(world.page(),
           {
               R"(primacy_topology_split_brain{topology="shop"} 1)",
               R"(primacy_topology_split_brain_suspected{topology="shop"} 0)",
               R"(primacy_topology_state{topology="shop",state="split_brain"} 1)",
               R"(primacy_split_brains_total{topology="shop"} 1)",
               R"(primacy_findings{topology="shop",code="split_brain",severity="warning"} 0)",
               R"(primacy_findings{topology="shop",code="split_brain",severity="critical"} 1)",
               R"(primacy_gtid_errant_transactions_known{topology="shop",server="db2"} 0)",
           });
    world.facts(2) = mariadb_facts(3, "ON");
    world.poll();
    expect(world.page(), {
                             R"(primacy_topology_split_brain{topology="shop"} 0)",
                             R"(primacy_split_brains_total{topology="shop"} 1)",
                         });
}

TEST_CASE("members of one Galera component are one writer, two components are two") {
    small_world world(3);
    for (std::size_t i = 0; i < 3; ++i) {
        checks::galera_facts galera;
        galera.provider_on = galera.ready = true;
        galera.cluster_status = "Primary";
        galera.cluster_uuid = "6b0d";
        galera.conf_id = 7;
        world.facts(i).details.galera = galera;
    }
    world.poll(4);
    expect(world.page(), {
                             R"(primacy_topology_writable_servers{topology="shop"} 3)",
                             R"(primacy_topology_writable_primaries{topology="shop"} 1)",
                             R"(primacy_topology_split_brain{topology="shop"} 0)",
                         });
    world.facts(2).details.galera->conf_id = 8;
    world.poll(4);
    expect(world.page(), {
                             R"(primacy_topology_writable_primaries{topology="shop"} 2)",
                             R"(primacy_topology_split_brain{topology="shop"} 1)",
                         });
}

TEST_CASE("before the first judgement every series is there") {
    small_world world(3);
    auto page = world.page();
    auto before = samples_of(page);
    expect(page,
           {
               R"(primacy_last_cycle_timestamp_seconds 0)",
               R"(primacy_topology_servers{topology="shop"} 3)",
               R"(primacy_topology_unknown_servers{topology="shop"} 3)",
               R"(primacy_topology_state{topology="shop",state="unknown"} 1)",
               R"(primacy_topology_incumbent_info{topology="shop",server=""} 1)",
               R"(primacy_topology_last_judged_timestamp_seconds{topology="shop"} 0)",
               R"(primacy_server_up{topology="shop",server="db3"} 0)",
               R"(primacy_server_last_seen_timestamp_seconds{topology="shop",server="db3"} 0)",
               R"(primacy_server_role{topology="shop",server="db3",role="unknown"} 1)",
               R"(primacy_probe_failures_total{topology="shop",reason="refused"} 0)",
               R"(primacy_probe_failures_total{topology="shop",reason="internal"} 0)",
               R"(primacy_probe_duration_seconds_count{topology="shop"} 0)",
               R"(primacy_findings{topology="shop",code="no_writer",severity="critical"} 0)",
           });
    CHECK(before.contains(R"(primacy_server_info{topology="shop",server="db1",)"
                          R"(address="10.0.0.1:3306",flavor="unknown",version="unknown",)"
                          R"(server_id="unknown"})"));
    world.facts(1).channels = {running_channel(1, 0)};
    world.poll(4);
    // Later pages add what only a reading can tell (info and channels), nothing else.
    for (const auto& sample : samples_of(world.page())) {
        const auto& series = sample.first;
        CHECK_MESSAGE((before.contains(series) || series.find("_info{") != std::string::npos ||
                       series.find("channel=") != std::string::npos),
                      "new: " << series);
    }
}

TEST_CASE("exactly one role and one state is 1") {
    auto world = healthy_trio();
    world.fail(1, checks::probe_failure::lost);
    world.poll(3);
    int roles = 0, states = 0;
    for (const auto& [series, value] : samples_of(world.page())) {
        if (series.starts_with("primacy_server_role{")) roles += value == "1";
        if (series.starts_with("primacy_topology_state{")) states += value == "1";
    }
    CHECK_EQ(roles, 3);
    CHECK_EQ(states, 1);
}

TEST_CASE("a lag that the server does not tell is 0 and not known") {
    auto world = healthy_trio();
    auto& link = world.facts(1).channels.front();
    link.sql = checks::sql_thread::stopped;
    link.lag_seconds.reset();
    world.poll();
    std::string channel = R"({topology="shop",server="db2",channel=""})";
    auto samples = samples_of(world.page());
    CHECK_EQ(samples.at("primacy_replication_io_running" + channel), "1");
    CHECK_EQ(samples.at("primacy_replication_sql_running" + channel), "0");
    CHECK_EQ(samples.at("primacy_replication_lag_known" + channel), "0");
    CHECK_EQ(samples.at("primacy_replication_lag_seconds" + channel), "0");

    link.lag_seconds = std::numeric_limits<double>::quiet_NaN();
    world.poll();
    samples = samples_of(world.page());
    CHECK_EQ(samples.at("primacy_replication_lag_known" + channel), "0");
    CHECK_EQ(samples.at("primacy_replication_lag_seconds" + channel), "0");

    link.lag_seconds = 3601;
    link.delay_seconds = 3600;
    world.poll();
    samples = samples_of(world.page());
    CHECK_EQ(samples.at("primacy_replication_lag_seconds" + channel), "3601");
    CHECK_EQ(samples.at("primacy_replication_delay_seconds" + channel), "3600");
}

TEST_CASE("io_running is 0 while the thread is only connecting") {
    auto world = healthy_trio();
    world.facts(1).channels.front().io = checks::io_thread::connecting;
    world.poll();
    expect(world.page(),
           {R"(primacy_replication_io_running{topology="shop",server="db2",channel=""} 0)"});
}

TEST_CASE("errant transactions are counted") {
    auto world = healthy_trio();
    world.facts(2).binlog_state = checks::mariadb_gtid_state::parse("0-1-100,0-3-105");
    world.poll(3);
    expect(
        world.page(),
        {
            R"(primacy_gtid_errant_transactions_known{topology="shop",server="db3"} 1)",
            R"(primacy_gtid_errant_transactions{topology="shop",server="db2"} 0)",
            R"(primacy_findings{topology="shop",code="errant_transactions",severity="warning"} 1)",
        });
    std::string series = R"(primacy_gtid_errant_transactions{topology="shop",server="db3"})";
    auto counted = samples_of(world.page()).at(series);
    CHECK_NE(counted, "0");

    // What it held when it was last read is still proved, and not known any more.
    world.fail(2, checks::probe_failure::timeout);
    world.poll();
    CHECK_EQ(samples_of(world.page()).at(series), counted);
    expect(world.page(),
           {R"(primacy_gtid_errant_transactions_known{topology="shop",server="db3"} 0)"});
}

TEST_CASE("histograms are cumulative and end with their count") {
    small_world world(1);
    for (double seconds : {0.0004, 0.0005, 0.003, 0.2, 60.0})
        world.probes().durations.observe(seconds);
    world.probes().lateness.observe(0.02);
    world.probes().failures[checks::probe_failure::timeout] = 4;
    auto page = world.page();
    samples_of(page);
    expect(page, {
                     R"(primacy_probe_duration_seconds_bucket{topology="shop",le="0.0005"} 2)",
                     R"(primacy_probe_duration_seconds_bucket{topology="shop",le="0.0025"} 2)",
                     R"(primacy_probe_duration_seconds_bucket{topology="shop",le="0.005"} 3)",
                     R"(primacy_probe_duration_seconds_bucket{topology="shop",le="0.25"} 4)",
                     R"(primacy_probe_duration_seconds_bucket{topology="shop",le="1"} 4)",
                     R"(primacy_probe_duration_seconds_bucket{topology="shop",le="2.5"} 4)",
                     R"(primacy_probe_duration_seconds_bucket{topology="shop",le="+Inf"} 5)",
                     R"(primacy_probe_duration_seconds_count{topology="shop"} 5)",
                     R"(primacy_poll_lateness_seconds_bucket{topology="shop",le="0.01"} 0)",
                     R"(primacy_poll_lateness_seconds_bucket{topology="shop",le="0.025"} 1)",
                     R"(primacy_poll_lateness_seconds_sum{topology="shop"} 0.02)",
                     R"(primacy_probe_failures_total{topology="shop",reason="timeout"} 4)",
                 });
}

TEST_CASE("whatever a server sends, the page stays one") {
    small_world world(2, "sh\"op\\");
    auto hostile = running_channel(9, 1);
    hostile.name = std::string("a\"b\\c\nd\xFF") + '\0' + "\x1b[31m\xC3\xA9";
    hostile.source_server_id = 0;
    hostile.source_host = "x\"} 1\n# TYPE y";
    auto same_after_mending = hostile;
    same_after_mending.name.replace(same_after_mending.name.find('\xFF'), 1, "\xFE");
    world.facts(1) = mariadb_facts(2, "ON");
    world.facts(1).channels = {hostile, same_after_mending, running_channel(1, 2)};
    world.poll();
    auto samples = samples_of(world.page());
    std::string labels =
        "{topology=\"sh\\\"op\\\\\",server=\"db2\",channel=\"a\\\"b\\\\c\\nd"
        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD[31m\xC3\xA9\"";
    CHECK_EQ(samples.at("primacy_replication_lag_seconds" + labels + "}"), "1");
    CHECK_EQ(samples.at("primacy_replication_source_info" + labels +
                        ",source=\"x\\\"} 1\\n# TYPE y:3306\"}"),
             "1");
    CHECK_EQ(samples.at(R"(primacy_replication_lag_seconds{topology="sh\"op\\",server="db2",)"
                        R"(channel=""})"),
             "2");
}

TEST_CASE("an agent with no topology has a page") {
    app::agent_snapshot empty;
    auto page = app::metrics::render(empty, {});
    auto samples = samples_of(page);
    CHECK_EQ(samples.size(), 4);  // build, last cycle, reload, start: nothing else is known
    empty.last_reload_successful = false;
    expect(app::metrics::render(empty, {}), {"primacy_config_last_reload_successful 0"});
}
