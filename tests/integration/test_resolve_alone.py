"""The agent is down, hangs, or runs on another host, and several people give orders at once."""

import fcntl
import os
import signal

import pytest

from fenceable import close_by_hand, enforcing, journal, read_only
from primacy_harness import default_config, hold, processes, server_entry, wait_until

KEEP_DB1 = ("resolve", "shop", "--keep", "db1", "--reason", "it has the money")
KEEP_DB3 = ("resolve", "shop", "--keep", "db3", "--reason", "it is newer")


def watching(topology, backend="none"):
    return enforcing(topology, backend, mode="observe", probe_timeout="2s")


def start(agent, *arguments):
    """The command line in the background; its output goes to a file of its own."""
    log = agent.folder / f"command-{len(list(agent.folder.glob('command-*')))}"
    return processes.Process([agent.binary, *arguments, "--config", agent.config_file], log=log)


def writers(topology):
    return [server.name for server in topology if not read_only(server)]


def slow_ladder(topology, tmp_path):
    """A configuration in which db3 is stopped by a program that takes its time."""
    script = tmp_path / "slow"
    script.write_text(f"#!/bin/sh\n[ $PRIMACY_ACTION != fence ] || touch {tmp_path}/begun\n"
                      f"while [ ! -e {tmp_path}/go-on ]; do sleep 0.02; done\n", encoding="utf-8")
    script.chmod(0o755)
    servers = [server_entry(server, **({"fence": ["slow"]} if server.name == "db3" else {}))
               for server in topology]
    return {**default_config(servers=servers, probe_timeout="2s"),
            "method": {"slow": {"type": "exec", "command": [str(script)], "verify": True,
                                "timeout": "60s"}}}


# --- no agent


@pytest.mark.core
def test_a_dry_run_touches_nothing(fenceable, make_agent):
    """Not even the state directory; the lease and the journal may be somebody else's."""
    agent = make_agent(watching(fenceable, "servers"))
    fenceable.promote("db3")
    for server in (fenceable["db1"], fenceable["db2"]):
        assert server.value("SELECT GET_LOCK('primacy/shop', 0)") == 1
    agent.state_dir.rmdir()
    plan = agent.cli(*KEEP_DB1, "--dry-run")
    assert plan.exit_code == 0 and "stop db3 by sql" in plan.stdout, plan
    assert not agent.state_dir.exists()
    assert writers(fenceable) == ["db1", "db3"]
    (agent.state_dir / "journal").mkdir(parents=True)
    with open_directory(agent.state_dir / "journal") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert agent.cli(*KEEP_DB1, "--dry-run").stdout == plan.stdout
    assert list((agent.state_dir / "journal").iterdir()) == []


class open_directory:
    def __init__(self, path):
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self):
        return self._descriptor

    def __exit__(self, *_):
        os.close(self._descriptor)


def test_who_has_the_journal_is_waited_for_by_a_person(fenceable, make_agent):
    agent = make_agent(watching(fenceable))
    fenceable.promote("db3")
    (agent.state_dir / "journal").mkdir()
    with open_directory(agent.state_dir / "journal") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for order in (KEEP_DB1, ("fence", "db3", "--reason", "x"),
                      ("confirm-fenced", "db2", "--reason", "x"),
                      ("pin", "db1", "--reason", "x")):
            refused = agent.cli(*order, "--yes")
            assert refused.exit_code == 1, refused
            assert "another process writes the journal" in refused.stderr, refused
            assert "another primacy command is at work on this host" in refused.stderr, refused
    assert writers(fenceable) == ["db1", "db3"] and journal(agent) == []
    assert agent.cli(*KEEP_DB1, "--yes").exit_code == 0


def test_an_agent_that_hangs_is_told_from_one_that_is_down(fenceable, make_agent):
    agent = make_agent(watching(fenceable)).start()
    fenceable.promote("db3")
    agent.process.pause()
    refused = agent.cli(*KEEP_DB1, "--yes", cap=30)
    assert refused.exit_code == 1, refused
    assert "did not answer in time" in refused.stderr and "kill -9" in refused.stderr, refused
    assert writers(fenceable) == ["db1", "db3"]
    agent.kill()
    done = agent.cli(*KEEP_DB1, "--yes")
    assert done.exit_code == 0, done
    assert writers(fenceable) == ["db1"]


def test_a_damaged_journal_forbids_it(fenceable, make_agent):
    agent = make_agent(watching(fenceable))
    assert agent.cli("pin", "db1", "--reason", "a first record").exit_code == 0
    assert agent.cli("pin", "--none", "--reason", "a second one").exit_code == 0
    (path,) = sorted((agent.state_dir / "journal").iterdir())[-1:]
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = "rubbish"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fenceable.promote("db3")
    refused = agent.cli(*KEEP_DB1, "--yes")
    assert refused.exit_code == 1 and f"{path}:2:" in refused.stderr, refused
    assert "move the file away" in refused.stderr, refused
    assert writers(fenceable) == ["db1", "db3"]


def test_what_an_earlier_run_left_unfinished_is_looked_at_first(fenceable, make_agent, tmp_path):
    """Killed in the middle of a rung: the next command ends that fence before it begins its own."""
    agent = make_agent(slow_ladder(fenceable, tmp_path))
    fenceable.promote("db3")
    asked = start(agent, *KEEP_DB1, "--yes")
    wait_until(lambda: (tmp_path / "begun").exists(), 20, "the rung to begin")
    asked.kill()
    assert [record["kind"] for record in journal(agent)] == ["resolving", "begun", "intent"]
    first = journal(agent)[1]["incident"]
    (tmp_path / "go-on").touch()
    close_by_hand(fenceable, "db3")
    done = agent.cli(*KEEP_DB1, "--yes", cap=60)
    assert done.exit_code == 0, done
    ended = [record for record in journal(agent) if record["kind"] == "ended"]
    assert ended[0]["incident"] == first and ended[0]["result"] == "confirmed", ended
    assert writers(fenceable) == ["db1"]


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_it_ends_when_it_is_told_to(fenceable, make_agent, tmp_path, number):
    agent = make_agent(slow_ladder(fenceable, tmp_path))
    fenceable.promote("db3")
    asked = start(agent, *KEEP_DB1, "--yes")
    wait_until(lambda: (tmp_path / "begun").exists(), 20, "the rung to begin")
    asked.send(number)
    assert asked.wait(20) == 1
    assert "interrupted" in asked.log_text(), asked.log_text()
    kinds = [(record["kind"], record.get("result")) for record in journal(agent)]
    assert ("ended", "unknown") in kinds, "what came of it is noted"
    assert writers(fenceable) == ["db1", "db3"]


def test_an_agent_that_starts_meanwhile_waits_for_the_journal(fenceable, make_agent, tmp_path):
    """It watches at once, acts on nothing, and then knows what the command has done."""
    config = slow_ladder(fenceable, tmp_path)
    config["topology"]["shop"].update(mode="enforce", lease={"backend": "none"})
    agent = make_agent(config)
    fenceable.promote("db3")
    asked = start(agent, *KEEP_DB1, "--yes")
    wait_until(lambda: (tmp_path / "begun").exists(), 20, "the rung to begin")
    agent.start()
    agent.wait_state("split_brain")
    assert agent.metric("primacy_fencing_armed", topology="shop") == 0
    assert "another process writes the journal" in agent.cli("explain").stdout
    close_by_hand(fenceable, "db3")
    (tmp_path / "go-on").touch()
    assert asked.wait(60) == 0, asked.log_text()
    wait_until(lambda: agent.metric("primacy_fencing_armed", topology="shop") == 1, 10,
               "the agent to be armed")
    agent.wait_server("db3", lambda server: server["fence"] == "confirmed", what="the fence")
    assert agent.cli("pin", "db1", "--reason", "it notes again").exit_code == 0
    assert writers(fenceable) == ["db1"]


@pytest.mark.core
def test_a_former_primary_that_the_agent_knew_is_stopped_without_sql(fenceable, make_agent,
                                                                     tmp_path):
    """The agent's memory tells that db1 was the writer; alone the command could not know."""
    script = tmp_path / "power"
    script.write_text(f"#!/bin/sh\n[ $PRIMACY_ACTION != fence ] || touch {tmp_path}/off\n"
                      f"[ -e {tmp_path}/off ]\n", encoding="utf-8")
    script.chmod(0o755)
    servers = [server_entry(server, **({"fence": ["sql", "power"]} if server.name == "db1" else {}))
               for server in fenceable]
    agent = make_agent({**default_config(servers=servers),
                        "method": {"power": {"type": "exec", "command": [str(script)],
                                             "verify": True}}}).start()
    agent.wait_state("healthy")
    agent.kill()
    fenceable["db1"].pause()
    done = agent.cli("resolve", "shop", "--keep", "db2", "--reason", "db1 is dead", "--yes", cap=60)
    assert done.exit_code == 0, done
    assert "db1 is stopped by power" in done.stdout, done
    assert not read_only(fenceable["db2"])
    fenceable["db1"].kill()


# --- several at once


@pytest.mark.core
def test_two_answers_from_two_hosts_and_one_of_them_wins(fenceable, make_agent):
    here, there = (make_agent(watching(fenceable, "servers")) for _ in range(2))
    fenceable.promote("db3")
    asked = {"db1": start(here, *KEEP_DB1, "--yes"), "db3": start(there, *KEEP_DB3, "--yes")}
    codes = {name: process.wait(120) for name, process in asked.items()}
    said = {name: process.log_text() for name, process in asked.items()}
    assert sorted(codes.values()) == [0, 1], (codes, said)
    (winner,) = [name for name, code in codes.items() if code == 0]
    (other,) = {"db1", "db3"} - {winner}
    assert writers(fenceable) == [winner], said
    assert said[other].splitlines()[-1].startswith("primacy: nothing was done: while this waited, "
                                                   "somebody changed"), said[other]
    assert journal(there if other == "db3" else here) == []


def test_two_answers_on_one_host_and_one_of_them_wins(fenceable, make_agent):
    agent = make_agent(watching(fenceable))
    fenceable.promote("db3")
    asked = {"db1": start(agent, *KEEP_DB1, "--yes"), "db3": start(agent, *KEEP_DB3, "--yes")}
    codes = {name: process.wait(60) for name, process in asked.items()}
    said = {name: process.log_text() for name, process in asked.items()}
    assert sorted(codes.values()) == [0, 1], (codes, said)
    (winner,) = [name for name, code in codes.items() if code == 0]
    (other,) = {"db1", "db3"} - {winner}
    assert writers(fenceable) == [winner], said
    assert "another process writes the journal" in said[other], said[other]
    assert {record["server"] for record in journal(agent)} == {winner, other}
    assert [record["server"] for record in journal(agent) if record["kind"] == "begun"] == [other]


def test_while_one_answer_is_at_work_nobody_chooses_otherwise(fenceable, make_agent, tmp_path):
    """Not another person, and not the agent itself, which would stop all of them."""
    config = slow_ladder(fenceable, tmp_path)
    config["topology"]["shop"].update(mode="enforce", lease={"backend": "none"},
                                      fencing={"keep": ["pin"], "on_ambiguous": "fence-all"})
    agent = make_agent(config).start()
    agent.wait_state("healthy")
    assert agent.cli("maintenance", "on", "--for", "5m", "--reason", "x").exit_code == 0
    fenceable.promote("db3")
    agent.wait_state("split_brain")
    asked = start(agent, *KEEP_DB1, "--yes")
    wait_until(lambda: (tmp_path / "begun").exists(), 20, "the rung to begin")
    for order in (KEEP_DB3, ("fence", "db1", "--reason", "x"), KEEP_DB1):
        refused = agent.cli(*order, "--yes")
        assert refused.exit_code == 1, refused
        assert "a resolve that keeps db1 is at work; wait for its end" in refused.stderr, refused
    assert agent.cli("maintenance", "off", "--reason", "x").exit_code == 0
    wait_until(lambda: "but a resolve that keeps db1 is at work" in agent.cli("explain").stdout,
               10, "the agent to say why it waits")
    hold(lambda: writers(fenceable) == ["db1", "db3"], 1, "nobody stops the survivor")
    close_by_hand(fenceable, "db3")
    (tmp_path / "go-on").touch()
    assert asked.wait(60) == 0, asked.log_text()
    assert writers(fenceable) == ["db1"]
    fences = [record["server"] for record in journal(agent) if record["kind"] == "begun"]
    assert fences == ["db3"], "of nobody else"


def test_the_same_answer_from_two_hosts_is_fine_twice(fenceable, make_agent):
    agents = [make_agent(watching(fenceable, "servers")) for _ in range(2)]
    fenceable.promote("db3")
    asked = [start(agent, *KEEP_DB1, "--yes") for agent in agents]
    codes = [process.wait(120) for process in asked]
    assert codes == [0, 0], [process.log_text() for process in asked]
    assert writers(fenceable) == ["db1"]
    begun = [[record["kind"] for record in journal(agent)].count("begun") for agent in agents]
    assert sorted(begun) == [0, 1]


@pytest.mark.core
def test_an_agent_on_another_host_that_holds_the_lease_is_not_passed_by(fenceable, make_agent):
    config = enforcing(fenceable, "servers", probe_timeout="2s")
    config["topology"]["shop"]["fencing"] = {"keep": ["pin"]}  # it leaves the choice to a person
    elsewhere = make_agent(config).start()
    wait_until(lambda: elsewhere.metric("primacy_lease_held", topology="shop") == 1, 20,
               "the other agent to hold the lease")
    here = make_agent(watching(fenceable, "servers"))
    fenceable.promote("db3")
    refused = here.cli(*KEEP_DB1, "--yes", cap=60)
    assert refused.exit_code == 1, refused
    assert "the lease could not be had: another agent has the lock" in refused.stderr, refused
    assert "give the order there" in refused.stderr, refused
    assert writers(fenceable) == ["db1", "db3"] and journal(here) == []
    elsewhere.wait_state("split_brain")
    done = elsewhere.cli(*KEEP_DB1, "--yes", cap=60)
    assert done.exit_code == 0, done
    hold(lambda: writers(fenceable) == ["db1"], 0.5, "one writer")
