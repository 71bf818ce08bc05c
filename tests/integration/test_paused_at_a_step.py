"""The agent is paused at a step for longer than its lease lasts, and a person decides otherwise by
another agent meanwhile. When it goes on, it must not act any more (S2): the very server that it was
about to stop is the only writer now, the very server that it was about to open must stay closed.

Without --all-steps the first three steps of a fence and of resolve.
"""

import subprocess

import pytest

from fence_ladders import KEPT, LADDERS, LOSER, REPLICA, takes_writes
from primacy_harness import wait_until
from primacy_harness.checkpoints import Step, stop_at, why_not
from step_trials import enforcing, last_end, read_journal, wait_settled

TTL = "3s"
# Before anything is noted, between the intent and the act, and between two statements of the act.
STEPS = [("sql", "noting.intent"), ("sql", "guard.act"), ("sql", "sql.kill_session")]
ALL_STEPS = STEPS + [("sql", name) for name in (
    "noting.begun", "noted.begun", "noted.intent", "sql.position_noted", "sql.set_read_only",
    "sql.read_only_set", "sql.kill_round", "sql.read_evidence")] + [
        ("exec", "exec.fence"), ("ssh", "ssh.stop"), ("ipmi", "ipmi.off"),
        ("fence-agent", "fence_agent.off")]
OPENING = ["resolve.losers_confirmed", "noted.opened", "sql.open"]


def pytest_generate_tests(metafunc):
    if "paused_at" in metafunc.fixturenames:
        steps = ALL_STEPS if metafunc.config.getoption("--all-steps") else STEPS
        metafunc.parametrize("paused_at", steps, ids=[step for _, step in steps])


@pytest.fixture(scope="module", autouse=True)
def hook():
    if why_not():
        pytest.skip(why_not())


class GeneralLog:
    """What is said to a server from now on."""

    def __init__(self, server):
        self.server = server
        self.path = server.folder / "general.log"
        self.path.unlink(missing_ok=True)
        server.query("SET GLOBAL general_log_file = %s", (str(self.path),))
        server.query("SET GLOBAL general_log = ON")

    def acts(self):
        """Statements that change something, but for those of the test's own writers."""
        text = self.path.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines()
                if "SET GLOBAL" in line.upper() or "KILL " in line.upper()]

    def close(self):
        self.server.query("SET GLOBAL general_log = OFF")
        self.path.unlink(missing_ok=True)


def other_agent(topology, make_agent):
    """Of a person who decides: it watches, and takes the lease for an order only."""
    ladder = LADDERS["sql"](topology.run_dir, topology)
    config = enforcing(ladder, mode="observe", ttl=TTL)
    config["agent"]["name"] = "another-agent"
    return make_agent(config)


def keep(agent, server):
    said = agent.cli("resolve", "shop", "--keep", server, "--reason", "it is the one", "--yes",
                     cap=60)
    assert said.exit_code == 0, said


def test_a_paused_fence_does_not_go_on(fenceable_here, run_dir, make_agent, paused_at):
    name, step = paused_at
    topology = fenceable_here
    if LADDERS[name].why_not():
        pytest.skip(LADDERS[name].why_not())
    folder = run_dir / f"paused-{name}"
    folder.mkdir(exist_ok=True)
    ladder = LADDERS[name](folder, topology)
    try:
        ladder.reset()
        other = other_agent(topology, make_agent).start()
        agent = make_agent(enforcing(ladder, ttl=TTL))
        stop_at(agent, Step(step))
        agent.start()
        wait_until(lambda: agent.metric("primacy_lease_held", topology="shop") == 1, 20,
                   "the lease")
        topology.background_writer(KEPT)
        topology.promote(LOSER)
        topology.background_writer(LOSER)
        agent.process.wait_paused(20)
        keep(other, LOSER)
        wait_until(lambda: takes_writes(topology, LOSER), 5, f"{LOSER} to take writes")
        watched = GeneralLog(topology[LOSER])
        agent.process.resume()
        wait_settled(agent, lambda: last_end(read_journal(agent), LOSER), "the fence to end")
        agent.wait_for(lambda seen: seen["writers"] == [LOSER], what="it to see the new writer")
        acts = watched.acts()
        watched.close()
        assert not acts[1:], acts  # the first is our own
        assert topology[LOSER].running() and takes_writes(topology, LOSER)
        assert not takes_writes(topology, KEPT)
        end = last_end(read_journal(agent), LOSER)
        assert end["result"] in ("failed", "unknown") and end["interrupted"], end
        assert "the lease was lost" in end["reason"], end
        agent.stop()
        other.stop()
    finally:
        ladder.close()


@pytest.mark.parametrize("step", OPENING)
def test_a_paused_resolve_opens_nobody(fenceable_here, make_agent, step):
    topology = fenceable_here
    topology.detach(REPLICA)
    other = other_agent(topology, make_agent).start()
    agent = other_agent(topology, make_agent)
    stop_at(agent, Step(step))
    agent.start()
    agent.wait_state("healthy")
    topology.promote(LOSER)
    agent.wait_state("split_brain")
    other.wait_state("split_brain")
    asking = subprocess.Popen(
        [agent.binary, "resolve", "shop", "--keep", REPLICA, "--reason", "a test", "--yes",
         "--config", agent.config_file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        agent.process.wait_paused(30)
        keep(other, LOSER)
        agent.process.resume()
        _, said = asking.communicate(timeout=40)
        assert asking.returncode == 1, said
        assert "the lease was lost" in said or "no time was left" in said, said
    finally:
        agent.process.resume()
        asking.kill()
    assert not takes_writes(topology, REPLICA) and not takes_writes(topology, KEPT)
    assert takes_writes(topology, LOSER)
    agent.wait_for(lambda seen: seen["writers"] == [LOSER], what="it to see the new writer")
    agent.stop()
    other.stop()
