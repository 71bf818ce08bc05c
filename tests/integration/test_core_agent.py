"""The core suite, third part: the agent's own life, and the commands with and without it."""

import json
import time

import pytest

from expectations import expect_polled_on_time, expect_status_exit, positions, wait_no_connections
from primacy_harness import Process, default_config, hold, server_entry, wait_until
from primacy_harness.topology import MONITOR, MONITOR_PASSWORD

pytestmark = pytest.mark.core


# --- the agent's own life


def test_the_incumbent_survives_kill_9(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_for(lambda seen: seen["incumbent"] == "db1", what="an incumbent")
    agent.kill()
    # Now it cannot be learnt anew: who writes is not to be seen.
    topology["db1"].pause()
    agent.start()
    seen = agent.topology()
    assert seen["incumbent"] == "db1"
    assert seen["state"] == "unknown"
    topology["db1"].resume()
    agent.wait_state("healthy", cap=15)


def test_a_memory_full_of_rubbish_does_not_keep_the_agent_down(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_for(lambda seen: seen["incumbent"] == "db1", what="an incumbent")
    agent.stop()
    files = [file for file in agent.state_dir.rglob("*") if file.is_file()]
    assert files, "the incumbent is kept on disk"
    for file in files:
        file.write_bytes(b"\x00\xff{{{ not what it was")
    agent.start()
    seen = agent.wait_state("healthy")
    assert seen["incumbent"] == "db1", "learnt anew"


def test_sigterm_ends_cleanly_and_leaves_no_session(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    began = time.monotonic()
    agent.stop()
    assert time.monotonic() - began < 3
    wait_no_connections(topology)


def test_sigterm_is_prompt_while_a_server_hangs(topology, start_agent):
    agent = start_agent(topology, probe_timeout="20s")
    agent.wait_state("healthy")
    topology["db1"].pause()
    wait_until(lambda: agent.server("db1")["age_seconds"] > 0.5, 10, "a probe to hang")
    agent.stop(cap=5)


def test_sighup_takes_a_good_configuration(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    pid = agent.pid
    agent.config["topology"]["shop"]["server"] = [server_entry(topology[name])
                                                  for name in ("db1", "db2")]
    agent.write_config()
    agent.reload()
    seen = agent.wait_for(lambda seen: len(seen["servers"]) == 2, what="db3 to be gone")
    assert agent.pid == pid and agent.running()
    assert seen["incumbent"] == "db1"
    agent.wait_state("healthy")
    page = agent.metrics()
    assert page.value("primacy_config_last_reload_successful") == 1
    assert not page.all("primacy_server_up", server="db3"), "no series of a server that left"
    wait_no_connections(topology, ["db3"])


def test_a_reload_leaves_no_gap(topology, start_agent):
    """While the new monitors make their first round, the last judgement is shown, never nothing.

    One server hangs, so that the round takes as long as it may.
    """
    agent = start_agent(topology)
    agent.wait_state("healthy")
    topology["db3"].pause()
    agent.wait_state("degraded")
    agent.config["topology"]["shop"]["lag_warn"] = "42s"
    agent.write_config()
    agent.reload()

    def no_gap():
        page = agent.metrics()
        assert page.value("primacy_topology_writable_primaries", topology="shop") == 1
        assert page.value("primacy_server_up", server="db1", topology="shop") == 1
        return agent.topology()["state"] == "degraded"
    hold(no_gap, 1.5, "what was known")
    assert "configuration reloaded" in agent.log_text()
    topology["db3"].resume()
    agent.wait_state("healthy", cap=15)


def test_sighup_refuses_a_bad_configuration_and_goes_on(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    good = agent.config_file.read_text(encoding="utf-8")
    agent.write_config(good.replace("poll_interval", "pol_interval"))
    agent.reload()
    wait_until(lambda: agent.metric("primacy_config_last_reload_successful") == 0, 10,
               "the refusal")
    wait_until(lambda: positions(agent.log_text()), 5, "file:line:column in the log")
    assert "poll_interval" in agent.log_text()
    hold(lambda: agent.topology()["state"] == "healthy", 0.5, "the old configuration")
    expect_polled_on_time(agent.topology(), topology.names)
    agent.write_config(good)
    agent.reload()
    wait_until(lambda: agent.metric("primacy_config_last_reload_successful") == 1, 10, "the reload")
    assert agent.topology()["state"] == "healthy"


def test_sighup_reads_a_new_password(topology, make_agent):
    agent = make_agent(default_config(topology), password="not yet known")
    agent.start()
    agent.wait_server("db1", lambda server: (server["error"] or "").startswith("denied"),
                      what="denied")
    agent.write_password(MONITOR_PASSWORD)
    agent.reload()
    agent.wait_state("healthy")


# --- commands without an agent


def test_status_without_an_agent_polls_by_itself(topology, make_agent):
    agent = make_agent(default_config(topology))
    began = time.monotonic()
    shown = expect_status_exit(agent, "healthy")
    assert time.monotonic() - began < 10
    assert "db1" in shown.stdout
    document = agent.cli("status", "--json").json()
    (seen,) = document["topologies"]
    assert seen["writers"] == ["db1"]
    assert {server["name"] for server in seen["servers"]} == {"db1", "db2", "db3"}
    topology.promote("db3")
    expect_status_exit(agent, "split_brain")
    topology.make_read_only("db3")
    topology["db1"].pause()
    expect_status_exit(agent, "unknown")
    topology["db1"].resume()
    wait_no_connections(topology)


def test_status_without_an_agent_leaves_no_memory(topology, make_agent):
    """A look must not change what the agent will believe."""
    agent = make_agent(default_config(topology))
    before = sorted(path.name for path in agent.state_dir.rglob("*"))
    agent.cli("status")
    agent.cli("explain")
    assert sorted(path.name for path in agent.state_dir.rglob("*")) == before


def test_explain_without_an_agent(topology, make_agent):
    agent = make_agent(default_config(topology))
    topology.promote("db3")
    explained = agent.cli("explain")
    assert explained.exit_code == 0, explained
    for word in ("split_brain", "db1", "db3"):
        assert word in explained.stdout, explained


def test_status_of_one_topology_and_of_none(topology, start_agent):
    agent = start_agent(topology)
    agent.wait_state("healthy")
    assert agent.cli("status", "shop").exit_code == 0
    wrong = agent.cli("status", "shopp")
    assert wrong.exit_code == 2, wrong
    assert "shop" in wrong.stderr and "Traceback" not in wrong.stderr, wrong


def test_status_watch_shows_changes(topology, start_agent):
    """--watch goes on until it is interrupted, and shows the new state by itself."""
    from primacy_harness import Process
    agent = start_agent(topology)
    agent.wait_state("healthy")
    log = agent.folder / "watch.log"
    watching = Process([agent.binary, "status", "--watch", "--config", agent.config_file], log=log)
    wait_until(lambda: "healthy" in watching.log_text().lower(), 10, "the first picture")
    topology.promote("db3")
    wait_until(lambda: "split brain" in watching.log_text().lower(), 15, "the second picture")
    assert watching.running()
    watching.terminate(5)


# --- preflight


def test_preflight_passes_with_the_least_grants(topology, make_agent):
    agent = make_agent(default_config(topology))
    shown = agent.cli("preflight", "shop", "--for", "monitor")
    assert shown.exit_code == 0, shown
    for name in topology.names:
        assert name in shown.stdout, shown
    document = agent.cli("preflight", "shop", "--for", "monitor", "--json").json()
    assert "fail" not in json.dumps(document).lower() or shown.exit_code == 0
    assert not topology.may_write("db2"), "a check changes nothing"


def test_preflight_names_the_missing_grant_and_its_cure(topology, make_agent):
    revoke = ("REVOKE REPLICATION CLIENT ON *.* FROM" if topology.kind.is_mysql
              else "REVOKE SLAVE MONITOR ON *.* FROM")
    topology["db2"].unlogged(f"{revoke} '{MONITOR}'@'%'")
    try:
        agent = make_agent(default_config(topology))
        shown = agent.cli("preflight", "shop", "--for", "monitor")
        assert shown.exit_code == 1, shown
        assert "GRANT" in shown.stdout and "db2" in shown.stdout, shown
    finally:
        topology["db2"].unlogged(revoke.replace("REVOKE", "GRANT").replace(
            "FROM", "TO") + f" '{MONITOR}'@'%'")


def test_preflight_says_when_it_cannot_log_in(topology, make_agent):
    agent = make_agent(default_config(topology), password="wrong")
    shown = agent.cli("preflight", "shop", "--for", "monitor")
    assert shown.exit_code == 1, shown
    assert "wrong" not in shown.stdout + shown.stderr, "secrets are not shown"
