"""resolve and its kin, asked of an agent and of nobody: the same must come of both."""

import pexpect
import pytest

from fenceable import close_by_hand, journal, read_only
from primacy_harness import default_config, find_server, hold, server_entry, wait_until
from primacy_harness.topology import MONITOR

pytestmark = pytest.mark.core

KEEP_DB1 = ("resolve", "shop", "--keep", "db1", "--reason", "it has the money")


@pytest.fixture(params=(True, False), ids=("agent", "no-agent"))
def command(request, make_agent):
    """An agent, started or not: its command line does the same either way."""
    def make(topology, config=None, settled="healthy"):
        agent = make_agent(config or default_config(topology, probe_timeout="2s"))
        if request.param:
            agent.start()
            if settled:
                agent.wait_state(settled)
        return agent
    return make


def method(tmp_path, name, text):
    """A rung that runs a script; PRIMACY_ACTION is fence, verify or check."""
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return {"type": "exec", "command": [str(path)], "verify": True, "timeout": "20s"}


def with_ladder(topology, ladders, methods, **changes):
    """A configuration whose servers have these ladders."""
    changes.setdefault("probe_timeout", "2s")
    servers = [server_entry(server, **({"fence": ladders[server.name]}
                                       if server.name in ladders else {}))
               for server in topology]
    return {**default_config(servers=servers, **changes), "method": methods}


# --- what it does


def test_it_keeps_whom_a_person_named(fenceable, command):
    """The losers are stopped and proved first; what they hold alone is told, to the row."""
    agent = command(fenceable)
    fenceable.promote("db3")
    fenceable["db3"].query("CREATE DATABASE IF NOT EXISTS lost")
    if agent.running():
        agent.wait_state("split_brain")
    plan = agent.cli(*KEEP_DB1, "--dry-run")
    assert plan.exit_code == 0 and "stop db3 by sql" in plan.stdout, plan
    assert "db3 holds 1 transaction that db1 lacks" in plan.stdout, plan
    assert "--start-position=" in plan.stdout and "db1 is writable already" in plan.stdout, plan
    assert not read_only(fenceable["db3"]) and journal(agent) == [], "a dry run does nothing"
    done = agent.cli(*KEEP_DB1, "--yes")
    assert done.exit_code == 0 and "db1 is the only writer" in done.stdout, done
    assert "db3 holds 1 transaction that db1 lacks" in done.stdout, done
    assert read_only(fenceable["db3"]) and not read_only(fenceable["db1"])
    kinds = [(record["kind"], record["server"]) for record in journal(agent)]
    assert kinds == [("resolving", "db1"), ("begun", "db3"), ("intent", "db3"), ("outcome", "db3"),
                     ("ended", "db3"), ("released", "db1"), ("resolved", "db1")]
    assert journal(agent)[0]["by"].startswith("uid "), "the person, not the agent"

    again = agent.cli(*KEEP_DB1, "--yes")
    assert again.exit_code == 0, again
    assert "db3 holds 1 transaction that db1 lacks" in again.stdout, "told again"
    assert "begun" not in {record["kind"] for record in journal(agent)[len(kinds):]}
    if not agent.running():
        agent.start()
    agent.wait_for(lambda seen: seen["writers"] == ["db1"], what="one writer")
    agent.wait_server("db3", lambda server: server["fence"] == "confirmed",
                      what="an agent to know what was done, whoever did it")


def test_it_opens_the_survivor_last(fenceable, command):
    agent = command(fenceable)
    done = agent.cli("resolve", "shop", "--keep", "db2", "--reason", "db1 is going away", "--yes")
    assert done.exit_code == 0, done
    assert read_only(fenceable["db1"]) and not read_only(fenceable["db2"])
    kinds = [(record["kind"], record["server"]) for record in journal(agent)]
    assert kinds.index(("ended", "db1")) < kinds.index(("opened", "db2")), kinds


def test_it_takes_the_lease_for_itself(fenceable, command):
    """Where nobody holds it, a person's order takes it and gives it back."""
    config = default_config(fenceable, probe_timeout="2s")
    config["topology"]["shop"]["lease"] = {"backend": "servers", "ttl": "3s"}
    agent = command(fenceable, config)
    fenceable.promote("db3")
    if agent.running():
        agent.wait_state("split_brain")
        assert agent.metric("primacy_lease_held", topology="shop") == 0
    done = agent.cli(*KEEP_DB1, "--yes", cap=60)
    assert done.exit_code == 0, done
    assert read_only(fenceable["db3"]) and not read_only(fenceable["db1"])
    wait_until(lambda: all(server.value("SELECT IS_FREE_LOCK('primacy/shop')") == 1
                           for server in fenceable), 10, "the lease to be given back")


def test_it_stops_when_a_loser_cannot_be_seen(fenceable, command):
    config = default_config(fenceable, probe_timeout="500ms")
    agent = command(fenceable, config)
    fenceable["db1"].pause()
    if agent.running():
        agent.wait_state("unknown")
    keep = ("resolve", "shop", "--keep", "db2", "--reason", "db1 is dead", "--yes")
    refused = agent.cli(*keep)
    assert refused.exit_code == 1 and "primacy confirm-fenced db1" in refused.stderr, refused
    assert read_only(fenceable["db2"]) and journal(agent) == []
    said = agent.cli("confirm-fenced", "db1", "--reason", "I pulled the plug", "--yes")
    assert said.exit_code == 0, said
    done = agent.cli(*keep)
    assert done.exit_code == 0, done
    assert "db1: what it holds beyond db2 is not known: it cannot be read" in done.stdout, done
    assert not read_only(fenceable["db2"])
    fenceable["db1"].kill()


def test_it_stops_when_a_loser_is_not_proved_to_be_stopped(topology, command):
    """The account may not fence: the survivor stays closed, and the state is told."""
    agent = command(topology)
    topology.promote("db3")
    refused = agent.cli("resolve", "shop", "--keep", "db2", "--reason", "x", "--yes")
    assert refused.exit_code == 1, refused
    for word in ("is not proved to be stopped (failed:", "db2 was not opened", "GRANT",
                 "primacy confirm-fenced"):
        assert word in refused.stderr, refused
    assert read_only(topology["db2"])
    assert not read_only(topology["db1"]) and not read_only(topology["db3"])
    (noted,) = [record for record in journal(agent) if record["kind"] == "resolved"]
    assert noted["result"] == "failed" and "not proved" in noted["reason"]


def test_what_a_loser_held_when_it_is_off_afterwards(fenceable, command, tmp_path):
    """Stopped by its power supply: nobody can read it any more, and that is what is said."""
    pid = fenceable["db3"].pid
    power = method(tmp_path, "power", f"""
case "$PRIMACY_ACTION" in
fence) kill -9 {pid} ;;
verify) i=0; until [ ! -e /proc/{pid} ] || grep -q '^State:.Z' /proc/{pid}/status; do
            i=$((i + 1)); [ $i -lt 250 ] || exit 1; sleep 0.02; done ;;
esac""")
    agent = command(fenceable, with_ladder(fenceable, {"db3": ["power"]}, {"power": power}))
    fenceable.promote("db3")
    fenceable.write_row("db1", "kept")
    fenceable.write_row("db3", "lost")
    if agent.running():
        agent.wait_finding("diverged")
    done = agent.cli(*KEEP_DB1, "--yes", "--json", cap=60)
    assert done.exit_code == 0, done
    (loss,) = done.json()["resolve"]["losses"]
    assert loss["read"] == "after_stop" and "transactions" not in loss, loss
    assert loss["not_known"].startswith("it cannot be read: "), loss
    assert "before it was stopped it held " in loss["not_known"], loss
    assert "db3 lost" in [record for record in journal(agent)
                          if record["kind"] == "resolved"][0]["facts"]


def test_a_survivor_that_somebody_closes_meanwhile_is_no_writer(fenceable, command, tmp_path):
    """Two people at once, without a lease: the one must not be told that the other's work stands."""
    close = method(tmp_path, "close", f"""
case "$PRIMACY_ACTION" in
fence) touch {tmp_path}/begun; while [ ! -e {tmp_path}/closed ]; do sleep 0.02; done ;;
esac""")
    agent = command(fenceable, with_ladder(fenceable, {"db3": ["close"]}, {"close": close}))
    fenceable.promote("db3")
    if agent.running():
        agent.wait_state("split_brain")
    asked = pexpect.spawn(str(agent.binary), [*KEEP_DB1, "--yes", "--config",
                                              str(agent.config_file)], timeout=60)
    wait_until(lambda: (tmp_path / "begun").exists(), 20, "the fence to begin")
    fenceable.make_read_only("db1")
    close_by_hand(fenceable, "db3")
    (tmp_path / "closed").touch()
    asked.expect(pexpect.EOF)
    asked.close()
    said = asked.before.decode()
    assert asked.exitstatus == 1 and "db1 was made read-only meanwhile" in said, said
    assert read_only(fenceable["db1"])


# --- asking


def test_the_plan_is_shown_before_a_person_says_yes(fenceable, command):
    agent = command(fenceable)
    fenceable.promote("db3")
    if agent.running():
        agent.wait_state("split_brain")
    for answer, code in (("no", 1), ("yes", 0)):
        asked = pexpect.spawn(str(agent.binary), [*KEEP_DB1, "--config", str(agent.config_file)],
                              timeout=30, dimensions=(40, 200))
        asked.expect("stop db3 by sql")
        asked.expect("Type yes to go on")
        assert not read_only(fenceable["db3"])
        asked.sendline(answer)
        asked.expect("nothing was done" if code else "db1 is the only writer")
        asked.expect(pexpect.EOF)
        asked.close()
        assert asked.exitstatus == code
        assert read_only(fenceable["db3"]) is (code == 0)


def test_a_yes_holds_for_what_was_shown(fenceable, command):
    """Another server opened while the person read the plan: nobody has agreed to stop that one."""
    agent = command(fenceable)
    fenceable.promote("db3")
    if agent.running():
        agent.wait_state("split_brain")
    asked = pexpect.spawn(str(agent.binary), [*KEEP_DB1, "--config", str(agent.config_file)],
                          timeout=30, dimensions=(40, 300))
    asked.expect("Type yes to go on")
    fenceable.promote("db2")
    if agent.running():
        agent.wait_for(lambda seen: "db2" in seen["writers"], what="three writers")
    asked.sendline("yes")
    asked.expect("nothing was done: you agreed to")
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == 1
    assert not any(read_only(server) for server in fenceable)


@pytest.mark.parametrize("arguments, code, word", [
    (("shop", "--keep", "db9", "--reason", "x", "--yes"), 2, "there is no server db9"),
    (("shop", "--keep", "db2", "--yes"), 2, "--reason is required"),
    (("shop", "--keep", "db2", "--reason", "", "--yes"), 2, "say why with --reason"),
    (("other", "--keep", "db2", "--reason", "x", "--yes"), 2, "there is no topology other"),
    (("shop", "--keep", "db2", "--reason", "x"), 2, "give --yes"),
    (("shop", "--reason", "x", "--yes"), 2, "--keep is required"),
])
def test_bad_words(fenceable, command, arguments, code, word):
    agent = command(fenceable)
    refused = agent.cli("resolve", *arguments)
    assert refused.exit_code == code and word in refused.stderr, refused
    assert journal(agent) == [] and read_only(fenceable["db2"])


def test_a_survivor_that_cannot_be_read_is_not_kept(fenceable, command):
    agent = command(fenceable, default_config(fenceable, probe_timeout="500ms"))
    fenceable["db2"].pause()
    if agent.running():
        agent.wait_finding("server_unknown", "db2")
    refused = agent.cli("resolve", "shop", "--keep", "db2", "--reason", "x", "--yes")
    assert refused.exit_code == 1 and "db2 cannot be read, so it cannot be opened" in refused.stderr
    assert not read_only(fenceable["db1"]) and journal(agent) == []


# --- the others


def test_fence_and_unfence(fenceable, command):
    """In observe mode too: a person's word."""
    agent = command(fenceable)
    plan = agent.cli("fence", "db1", "--reason", "test", "--dry-run")
    assert plan.exit_code == 0 and "would stop db1 by sql" in plan.stdout
    asked = agent.cli("fence", "db1", "--reason", "test")
    assert asked.exit_code == 2 and "--yes" in asked.stderr, "no terminal, no yes"
    assert not read_only(fenceable["db1"]) and journal(agent) == []
    done = agent.cli("fence", "db1", "--reason", "test", "--yes")
    assert done.exit_code == 0, done
    assert read_only(fenceable["db1"])
    if agent.running():
        agent.wait_for(lambda seen: seen["writers"] == [], what="nobody to write")
        assert find_server(agent.topology(), "db1")["fence"] == "confirmed"
    opened = agent.cli("unfence", "db1", "--reason", "test over", "--yes")
    assert opened.exit_code == 0, opened
    assert not read_only(fenceable["db1"])
    audit = agent.cli("audit").stdout
    for word in ("begun", "intent sql", "outcome sql: confirmed", "ended sql: confirmed", "opened",
                 "released", "test over"):
        assert word in audit, audit
    if not agent.running():
        agent.start()
    agent.wait_state("healthy")


def test_unfence_refuses_while_another_one_writes(fenceable, command):
    agent = command(fenceable)
    refused = agent.cli("unfence", "db2", "--reason", "test", "--yes")
    assert refused.exit_code == 1 and "db1 is writable" in refused.stderr
    assert read_only(fenceable["db2"]) and journal(agent) == []


def test_unfence_takes_the_lease(fenceable, command):
    """Somebody else may be about to open another one."""
    config = default_config(fenceable, probe_timeout="2s")
    config["topology"]["shop"]["lease"] = {"backend": "servers", "ttl": "3s"}
    agent = command(fenceable, config)
    fenceable.make_read_only("db1")
    if agent.running():
        agent.wait_state("no_writer")
    for server in (fenceable["db2"], fenceable["db3"]):
        assert server.value("SELECT GET_LOCK('primacy/shop', 0)") == 1
    refused = agent.cli("unfence", "db1", "--reason", "x", "--yes", cap=60)
    assert refused.exit_code == 1 and "the lease could not be had" in refused.stderr, refused
    assert read_only(fenceable["db1"]) and journal(agent) == []
    for server in (fenceable["db2"], fenceable["db3"]):
        server.value("SELECT RELEASE_LOCK('primacy/shop')")
    opened = agent.cli("unfence", "db1", "--reason", "x", "--yes", cap=60)
    assert opened.exit_code == 0, opened
    assert not read_only(fenceable["db1"])


def test_an_order_is_judged_by_what_is_so_when_it_is_given(fenceable, command):
    """An agent that polls seldom has not seen yet what a person saw a moment ago."""
    agent = command(fenceable, default_config(fenceable, poll_interval="2s", probe_timeout="2s"))
    fenceable.promote("db3")
    plan = agent.cli(*KEEP_DB1, "--dry-run", cap=60)
    assert plan.exit_code == 0 and "stop db3 by sql" in plan.stdout, plan
    done = agent.cli(*KEEP_DB1, "--yes", cap=60)
    assert done.exit_code == 0, done
    assert agent.cli("fence", "db1", "--reason", "x", "--yes", cap=60).exit_code == 0
    if agent.running():
        agent.wait_state("no_writer", cap=30)
    fenceable.promote("db2")
    refused = agent.cli("unfence", "db1", "--reason", "x", "--yes", cap=60)
    assert refused.exit_code == 1 and "db2 is writable" in refused.stderr, refused
    assert read_only(fenceable["db1"])


def test_confirm_fenced_refuses_a_server_that_writes(fenceable, command):
    agent = command(fenceable)
    refused = agent.cli("confirm-fenced", "db1", "--reason", "test", "--yes")
    assert refused.exit_code == 1 and "is writable" in refused.stderr
    assert journal(agent) == []


# --- where it lies


def test_what_was_purged_is_not_made_up(fenceable, command):
    agent = command(fenceable)
    fenceable.promote("db3")
    fenceable.write_row("db3", "lost")
    fenceable["db3"].query("FLUSH BINARY LOGS")
    fenceable.write_row("db3", "lost")
    newest = [row["Log_name"] for row in fenceable["db3"].query("SHOW BINARY LOGS")][-1]

    def purged():  # MariaDB keeps a file as long as a crash would need it
        fenceable["db3"].query(f"PURGE BINARY LOGS TO '{newest}'")
        return len(fenceable["db3"].query("SHOW BINARY LOGS")) == 1
    wait_until(purged, 20, "the file to go")
    done = agent.cli(*KEEP_DB1, "--yes", "--json")
    assert done.exit_code == 0, done
    (loss,) = done.json()["resolve"]["losses"]
    assert loss["transactions"] == 2 and loss["first"] is None and loss["extract"] == [], loss
    assert "purged" in loss["remark"] and newest in loss["remark"], loss


def test_what_our_account_may_not_look_into(fenceable, command):
    """Then the place is not known, and the remark has the statement that mends it."""
    privilege = "REPLICATION SLAVE" if fenceable.kind.is_mysql else "BINLOG MONITOR"
    agent = command(fenceable)
    account = f"'{MONITOR}'@'%'"
    fenceable["db3"].unlogged(f"REVOKE {privilege} ON *.* FROM {account}")
    try:
        fenceable.promote("db3")
        fenceable.write_row("db3", "lost")
        done = agent.cli(*KEEP_DB1, "--yes", "--json")
        assert done.exit_code == 0, done
        (loss,) = done.json()["resolve"]["losses"]
        assert loss["transactions"] == 1 and loss["first"] is None, loss
        assert f"GRANT {privilege} ON *.*" in loss["remark"], loss
    finally:
        if fenceable.kind.is_mysql:
            fenceable.make_writable("db3")
        fenceable["db3"].unlogged(f"GRANT {privilege} ON *.* TO {account}")
