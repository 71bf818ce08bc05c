"""The core suite, second part: what cannot be seen is unknown, never down and never fine."""

import pytest

from expectations import expect_polled_on_time, expect_status_exit, never_alarms
from primacy_harness import find_server, hold, wait_until

pytestmark = pytest.mark.core


def test_a_stopped_primary_is_unknown_and_nothing_else(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    topology["db1"].pause()
    seen = agent.wait_state("unknown")
    server = find_server(seen, "db1")
    assert server["reachable"] is False
    assert server["error"].startswith("timeout"), server
    assert server["writable"] is None, "unknown is not writable and not read-only"
    assert seen["incumbent"] == "db1"
    expect_status_exit(agent, "unknown")

    def quiet_and_turning():
        assert agent.get("/healthz").status == 200
        expect_polled_on_time(agent.topology(), ["db2", "db3"])
        return never_alarms(agent)()
    hold(quiet_and_turning, 3, "unknown: never split brain, never no_writer")
    page = agent.metrics()
    assert page.value("primacy_server_up", server="db1", topology="shop") == 0
    assert page.value("primacy_topology_unknown_servers", topology="shop") == 1
    assert page.value("primacy_topology_split_brain", topology="shop") == 0
    assert page.value("primacy_topology_state", topology="shop", state="no_writer") == 0
    assert page.value("primacy_probe_failures_total", topology="shop", reason="timeout") >= 1

    topology["db1"].resume()
    seen = agent.wait_state("healthy", cap=15)
    assert seen["incumbent"] == "db1"
    assert agent.metric("primacy_split_brains_total", topology="shop") == 0
    wait_until(lambda: topology.monitor_connections("db1") <= 2, 10,
               "the timed-out sessions to end")


def test_a_stopped_replica_is_degraded(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    topology["db2"].pause()
    seen = agent.wait_finding("server_unknown", "db2")
    assert seen["state"] == "degraded"
    assert seen["writers"] == ["db1"]
    expect_status_exit(agent, "degraded")
    hold(never_alarms(agent), 1, "one replica away")
    topology["db2"].resume()
    agent.wait_state("healthy", cap=15)


def test_a_dead_replica_is_refused_and_comes_back(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    topology["db3"].kill()
    server = agent.wait_server("db3", lambda server: server["error"], what="an error")
    agent.wait_server("db3", lambda server: (server["error"] or "").startswith("refused"),
                      what="refused")
    assert server["reachable"] is False
    agent.wait_state("degraded")
    topology["db3"].start()
    agent.wait_state("healthy", cap=20)
    expect_polled_on_time(agent.topology(), topology.names)


def test_all_servers_away_is_unknown(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    for server in topology:
        server.pause()
    seen = agent.wait_for(lambda seen: all(not server["reachable"] for server in seen["servers"]),
                          what="nobody to be seen")
    assert seen["state"] == "unknown"
    assert seen["incumbent"] == "db1"
    hold(never_alarms(agent), 1, "everything unknown")
    assert agent.get("/healthz").status == 200
    for server in topology:
        server.resume()
    agent.wait_state("healthy", cap=15)


def test_stopped_replication_is_seen(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    topology.stop_replication("db2")
    seen = agent.wait_finding("replication_stopped")
    assert seen["state"] == "degraded"
    (channel,) = find_server(seen, "db2")["channels"]
    assert channel["io_running"] is False and channel["sql_running"] is False
    assert agent.metric("primacy_replication_io_running", server="db2", topology="shop") == 0
    hold(never_alarms(agent), 0.5, "a stopped replica that is read-only")
    topology.start_replication("db2")
    agent.wait_state("healthy")


# --- the former primary that nobody can see


def _fail_over_from_db1(topology):
    """What a failover tool does when db1 is gone: db3 is promoted, db2 follows it."""
    topology.promote("db3")
    topology.follow("db2", "db3")


def test_the_former_primary_is_unseen_until_it_comes_back_read_only(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    topology["db1"].kill()
    _fail_over_from_db1(topology)
    seen = agent.wait_finding("former_primary_unseen", "db1")
    (finding,) = [f for f in seen["findings"] if f["code"] == "former_primary_unseen"]
    assert finding["severity"] == "critical"
    assert seen["writers"] == ["db3"]
    assert seen["incumbent"] == "db3"
    assert seen["state"] != "healthy" and seen["state"] != "split_brain"
    assert agent.cli("status").exit_code == 3, "who writes cannot be said"
    hold(lambda: "former_primary_unseen" in agent.finding_codes("db1"), 1, "the finding")

    topology["db1"].start()  # it boots read-only
    seen = agent.wait_for(lambda seen: "former_primary_unseen" not in {
        f["code"] for f in seen["findings"]}, cap=15, what="the finding to be cleared")
    assert find_server(seen, "db1")["writable"] is False
    assert seen["incumbent"] == "db3"
    assert agent.metric("primacy_split_brains_total", topology="shop") == 0


def test_the_former_primary_that_comes_back_writable_is_a_split_brain(topology, start_agent):
    """The classic: the old primary was only away, and takes writes when it returns."""
    agent = start_agent(topology)
    agent.wait_state("healthy")
    topology["db1"].pause()
    agent.wait_state("unknown")
    _fail_over_from_db1(topology)
    agent.wait_finding("former_primary_unseen", "db1")
    topology["db1"].resume()
    seen = agent.wait_state("split_brain", cap=15)
    assert sorted(seen["writers"]) == ["db1", "db3"]
    assert seen["incumbent"] == "db3", "it was seen alone while the other one could not be seen"


def test_the_unseen_former_primary_survives_a_restart_of_the_agent(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    topology["db1"].kill()
    _fail_over_from_db1(topology)
    agent.wait_finding("former_primary_unseen", "db1")
    agent.kill()
    agent.start()
    agent.wait_finding("former_primary_unseen", "db1")
    assert agent.topology()["incumbent"] == "db3"
