"""An agent in enforce mode ends a split brain by itself, and only where it may."""

import json

import pytest

from expectations import expect_status_exit
from fenceable import enforcing, journal, read_only
from primacy_harness import find_server, hold, wait_until

pytestmark = pytest.mark.core


def test_a_second_writer_is_stopped(fenceable, make_agent):
    agent = make_agent(enforcing(fenceable)).start()
    agent.wait_state("healthy")
    assert agent.metric("primacy_fencing_armed", topology="shop") == 1
    fenceable.promote("db3")
    wait_until(lambda: read_only(fenceable["db3"]), 10, "db3 to be read-only again")
    assert not read_only(fenceable["db1"]), "the incumbent goes on"
    seen = agent.wait_server("db3", lambda server: server["fence"] == "confirmed", what="the fence")
    agent.wait_for(lambda seen: not seen["split_brain"]["confirmed"], what="the all-clear")
    assert find_server(agent.topology(), "db1")["fence"] == "none"
    page = agent.metrics()
    assert page.value("primacy_fence_state", topology="shop", server="db3", state="confirmed") == 1
    assert page.value("primacy_fence_attempts_total", topology="shop", server="db3") == 1
    kinds = [(record["kind"], record.get("server")) for record in journal(agent)]
    assert kinds[:4] == [("begun", "db3"), ("intent", "db3"), ("outcome", "db3"), ("ended", "db3")]
    text = agent.cli("explain").stdout
    assert "fence of db3: confirmed by sql" in text


def test_a_fence_that_fails_is_told_at_once(topology, make_agent):
    """The account may not fence: whoever looks at `status` must not trust in "armed"."""
    agent = make_agent(enforcing(topology)).start()
    agent.wait_state("healthy")
    topology.promote("db3")
    agent.wait_server("db3", lambda server: server["fence"] == "failed", what="the failure")
    shown = agent.cli("status")
    assert shown.exit_code == 2
    assert "fence of db3: failed by sql" in shown.stdout and "GRANT" in shown.stdout, shown.stdout
    page = agent.metrics()
    assert page.value("primacy_fence_failures_total", server="db3", reason="denied") == 1


def test_a_device_that_lies_is_not_believed(fenceable, make_agent, run_dir):
    """It says twice that the server is off; the server says that it takes writes."""
    liar = run_dir / "liar"
    liar.write_text("#!/bin/sh\ncat >/dev/null\n", encoding="ascii")
    liar.chmod(0o755)
    config = enforcing(fenceable)
    config["method"] = {"liar": {"type": "exec", "command": [str(liar)], "verify": True}}
    for server in config["topology"]["shop"]["server"]:
        server["fence"] = ["liar", "sql"]
    agent = make_agent(config).start()
    agent.wait_state("healthy")
    fenceable.promote("db3")
    agent.wait_server("db3", lambda server: server["fence"] == "confirmed", what="the fence")
    outcomes = [record for record in journal(agent) if record["kind"] == "outcome"]
    assert [(each["rung"], each["result"]) for each in outcomes] == [
        ("liar", "unknown"), ("sql", "confirmed")], outcomes
    assert outcomes[0]["failure"] == "still_alive" and "still answers" in outcomes[0]["reason"]
    assert read_only(fenceable["db3"])


def test_observe_mode_only_explains(fenceable, start_agent):
    agent = start_agent(fenceable)
    agent.wait_state("healthy")
    fenceable.promote("db3")
    agent.wait_state("split_brain")
    hold(lambda: not read_only(fenceable["db3"]), 1, "db3 left alone")
    text = agent.cli("explain").stdout
    assert "keep db1, stop db3" in text and "mode is observe" in text
    assert journal(agent) == []


def test_with_a_lease(fenceable, make_agent):
    agent = make_agent(enforcing(fenceable, backend="servers")).start()
    wait_until(lambda: agent.metric("primacy_lease_held", topology="shop") == 1, 15, "the lease")
    fenceable.promote("db2")
    wait_until(lambda: read_only(fenceable["db2"]), 10, "db2 to be read-only again")
    assert not read_only(fenceable["db1"])


def test_of_two_agents_one_acts(fenceable, make_agent):
    first = make_agent(enforcing(fenceable, backend="servers")).start()
    second = make_agent(enforcing(fenceable, backend="servers")).start()
    holders = lambda: [agent for agent in (first, second)
                       if agent.metric("primacy_lease_held", topology="shop") == 1]
    wait_until(lambda: len(holders()) == 1, 15, "one of them to hold the lease")
    fenceable.promote("db2")
    wait_until(lambda: read_only(fenceable["db2"]), 10, "db2 to be read-only again")
    (holder,) = holders()
    other = second if holder is first else first
    wait_until(lambda: any(record["kind"] == "ended" for record in journal(holder)), 5, "the end")
    assert journal(other) == []
    assert not read_only(fenceable["db1"])


def test_an_unfinished_fence_is_taken_up(fenceable, make_agent):
    """What a kill -9 interrupted is looked at again, never assumed and never dropped."""
    agent = make_agent(enforcing(fenceable, confirm_for="2s")).start()
    agent.wait_state("healthy")
    agent.stop()
    directory = agent.state_dir / "journal"
    (path,) = sorted(directory.iterdir())[-1:]
    with open(path, "a", encoding="utf-8") as file:
        for record in (
                {"at": "2026-01-01T00:00:00.000Z", "at_ns": 1767225600000000000, "kind": "begun",
                 "topology": "shop", "server": "db2", "incident": "shop-db2-1"},
                {"at": "2026-01-01T00:00:00.000Z", "at_ns": 1767225600000000000, "kind": "intent",
                 "topology": "shop", "server": "db2", "incident": "shop-db2-1", "rung": "sql",
                 "nonce": "0123"}):
            file.write(json.dumps(record) + "\n")
    agent.start()
    wait_until(lambda: any(record["kind"] == "ended" for record in journal(agent)), 10, "the end")
    (ended,) = [record for record in journal(agent) if record["kind"] == "ended"]
    # The session of this test itself is one of root, which passes read_only: partial is the truth.
    assert ended["server"] == "db2"
    assert ended["result"] in ("confirmed", "partial"), ended["reason"]
    expect_status_exit(agent, "healthy")


def test_a_damaged_journal_disarms_for_good(fenceable, make_agent):
    """Also after something could be written to it: what is missing in the middle stays missing."""
    agent = make_agent(enforcing(fenceable)).start()
    agent.wait_state("healthy")
    assert agent.cli("pin", "db1", "--reason", "a first record").exit_code == 0
    assert agent.cli("pin", "--none", "--reason", "a second one").exit_code == 0
    agent.stop()
    (path,) = sorted((agent.state_dir / "journal").iterdir())[-1:]
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = "rubbish"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    audit = agent.cli("audit")
    assert audit.exit_code == 1 and f"{path}:2:" in audit.stderr, audit
    agent.start()
    agent.wait_state("healthy")
    assert agent.metric("primacy_fencing_armed", topology="shop") == 0
    assert agent.cli("pin", "db1", "--reason", "a third one").exit_code == 0
    assert agent.metric("primacy_fencing_armed", topology="shop") == 0
    fenceable.promote("db3")
    agent.wait_state("split_brain")
    hold(lambda: not read_only(fenceable["db3"]), 1, "db3 left alone")
    assert f"{path}:2:" in agent.cli("explain").stdout


# --- what a person asks


def test_maintenance_pauses_and_ends(fenceable, make_agent):
    agent = make_agent(enforcing(fenceable)).start()
    agent.wait_state("healthy")
    said = agent.cli("maintenance", "on", "--for", "10m", "--reason", "moving a disk")
    assert said.exit_code == 0, said
    assert agent.metric("primacy_maintenance", topology="shop") == 1
    assert agent.metric("primacy_fencing_armed", topology="shop") == 0
    fenceable.promote("db3")
    agent.wait_state("split_brain")
    hold(lambda: not read_only(fenceable["db3"]), 1, "db3 left alone")
    assert "maintenance is on: moving a disk" in agent.cli("explain").stdout
    agent.kill()
    agent.start()
    agent.wait_state("split_brain")
    hold(lambda: not read_only(fenceable["db3"]), 0.5, "maintenance outlives a crash")
    assert agent.cli("maintenance", "off", "--reason", "done").exit_code == 0
    wait_until(lambda: read_only(fenceable["db3"]) or read_only(fenceable["db1"]), 10, "the fence")


def test_a_pin_decides(fenceable, make_agent):
    agent = make_agent(enforcing(fenceable)).start()
    agent.wait_state("healthy")
    assert agent.cli("pin", "db3", "--reason", "better disks").exit_code == 0
    fenceable.promote("db3")
    wait_until(lambda: read_only(fenceable["db1"]), 10, "db1 to be stopped")
    assert not read_only(fenceable["db3"])


def test_fence_and_unfence_by_hand(fenceable, start_agent):
    """In observe mode too: a person's word."""
    agent = start_agent(fenceable)
    agent.wait_state("healthy")
    plan = agent.cli("fence", "db1", "--reason", "test", "--dry-run")
    assert plan.exit_code == 0 and "would stop db1 by sql" in plan.stdout
    asked = agent.cli("fence", "db1", "--reason", "test")
    assert asked.exit_code == 2 and "--yes" in asked.stderr, "no terminal, no yes"
    assert not read_only(fenceable["db1"])
    done = agent.cli("fence", "db1", "--reason", "test", "--yes")
    assert done.exit_code == 0, done
    assert read_only(fenceable["db1"])
    seen = agent.wait_server("db1", lambda server: server["fence"] == "confirmed", what="the fence")
    agent.wait_for(lambda seen: seen["writers"] == [], what="nobody to write")
    opened = agent.cli("unfence", "db1", "--reason", "test over", "--yes")
    assert opened.exit_code == 0, opened
    assert not read_only(fenceable["db1"])
    agent.wait_state("healthy")
    audit = agent.cli("audit").stdout
    for word in ("begun", "intent sql", "outcome sql: confirmed", "ended sql: confirmed", "opened",
                 "released", "test over"):
        assert word in audit, audit


def test_unfence_refuses_while_another_one_writes(fenceable, start_agent):
    agent = start_agent(fenceable)
    agent.wait_state("healthy")
    refused = agent.cli("unfence", "db2", "--reason", "test", "--yes")
    assert refused.exit_code == 1 and "db1 is writable" in refused.stderr
    assert read_only(fenceable["db2"])


def test_confirm_fenced_refuses_a_server_that_writes(fenceable, start_agent):
    agent = start_agent(fenceable)
    agent.wait_state("healthy")
    refused = agent.cli("confirm-fenced", "db1", "--reason", "test", "--yes")
    assert refused.exit_code == 1 and "is writable" in refused.stderr
    agent.wait_state("healthy")


def test_a_former_primary_is_cleared_by_a_person(fenceable, start_agent):
    agent = start_agent(fenceable)
    agent.wait_state("healthy")
    fenceable["db1"].pause()
    fenceable.promote("db3")
    fenceable.follow("db2", "db3")
    agent.wait_finding("former_primary_unseen", "db1", cap=15)
    said = agent.cli("confirm-fenced", "db1", "--reason", "I pulled the plug", "--yes")
    assert said.exit_code == 0, said
    agent.wait_for(lambda seen: "former_primary_unseen" not in
                   {finding["code"] for finding in seen["findings"]}, what="the finding to go")
    assert find_server(agent.topology(), "db1")["fence"] == "manual"
    fenceable["db1"].resume()


def test_preflight_for_fencing(fenceable, start_agent):
    agent = start_agent(fenceable)
    fine = agent.cli("preflight", "shop", "--for", "fencing")
    assert fine.exit_code == 0, fine
    assert fine.stdout.count("sql can stop it") == 3
    assert fine.stdout.count("resolve can find in its binary log") == 3


def test_preflight_tells_what_a_report_of_losses_lacks(topology, start_agent):
    """Watching needs less than looking into a binary log, on MySQL."""
    agent = start_agent(topology)
    shown = agent.cli("preflight", "shop", "--for", "fencing")
    assert shown.exit_code == 1, "it may not fence"
    warned = shown.stdout.count("resolve could not find in its binary log")
    assert warned == (3 if topology.kind.is_mysql else 0), shown.stdout
    assert shown.stdout.count("GRANT REPLICATION SLAVE ON *.*") == warned
