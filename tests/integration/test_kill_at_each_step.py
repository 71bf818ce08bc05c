"""The agent is killed (-9) at every step of every ladder, and of resolve, and is started again: it
looks before it believes (S6).

A clean run tells the steps (primacy_harness/checkpoints.py). Without --all-steps a few of each
ladder are drawn by PRIMACY_SEED. The SQL ladder is the core.
"""

import pytest

from fence_ladders import KEPT, LADDERS, LOSER, REPLICA, left_running, takes_writes
from primacy_harness import find_server, wait_until
from primacy_harness.checkpoints import (Step, as_shipped, kill_at, log_steps, steps_passed,
                                         why_not)
from step_trials import (Trials, enforcing, expect_whole_journal, journal_text, last_end,
                         read_journal, wait_died, wait_settled)

FENCE_ENDS = "noted.ended"
RESOLVE_ENDS = "noted.released"


@pytest.fixture(scope="module", autouse=True)
def hook():
    if why_not():
        pytest.skip(why_not())


# --- ladders


def start_split(ladder, agent):
    """A healthy topology, watched; then two writers."""
    if not agent.running():
        agent.start()
    agent.wait_for(lambda seen: seen["state"] in ("healthy", "degraded") and
                   seen["incumbent"] == KEPT, what="the incumbent to be known")
    ladder.split()


def wait_ended(ladder, agent):
    """Exactly one writer is left, the right one, and every fence has an end."""
    def alone():
        seen = agent.topology()
        return (ladder.stopped() and seen["writers"] == [KEPT] and
                not seen["split_brain"]["suspected"] and
                find_server(seen, LOSER)["fence"] != "in_progress")
    wait_settled(agent, alone, f"{KEPT} to be the only writer")


def expect_truth(ladder, agent):
    records = expect_whole_journal(agent)
    assert {record["server"] for record in records if record["kind"] == "begun"} == {LOSER}
    end = last_end(records, LOSER)
    if end["result"] == "confirmed":
        assert not ladder.contradiction(), f"{ladder.contradiction()}, but {end}"
    else:
        # Ordinary accounts are shut out; somebody who passes read_only is told of.
        assert end["result"] == "partial" and end["rung"] == "sql", journal_text(agent)
    assert not ladder.spared(), ladder.spared()
    assert ladder.stopped()
    writer = next(each for each in ladder.topology._writers if KEPT in each.label)
    writer.wait_for_progress(1)


def clean_run(ladder, make_agent, pin):
    """The steps of a ladder that nobody interrupts."""
    ladder.reset()
    agent = make_agent(enforcing(ladder, pin=pin))
    log_steps(agent)
    start_split(ladder, agent)
    wait_ended(ladder, agent)
    expect_truth(ladder, agent)
    agent.stop()
    steps = steps_passed(agent, until=FENCE_ENDS)
    assert steps[-1].name == FENCE_ENDS, steps
    return steps


def kill_and_restart(ladder, make_agent, pin, step):
    """A busy machine may take another way than the clean run did, and right so; then once more."""
    for _ in range(3):
        outcome = kill_and_restart_once(ladder, make_agent, pin, step)
        # How often the power is read, say, is another number each time.
        if outcome == "killed" or step.passing > 1:
            return outcome
    raise AssertionError(f"{step} was not reached in three runs")


def kill_and_restart_once(ladder, make_agent, pin, step):
    ladder.reset()
    agent = make_agent(enforcing(ladder, pin=pin))
    try:
        kill_at(agent, step)
        start_split(ladder, agent)
        died = wait_died(agent, step, FENCE_ENDS)
        if died:
            as_shipped(agent)
            agent.start()
        wait_ended(ladder, agent)
        expect_truth(ladder, agent)
        agent.stop()
    finally:
        agent.close()
    wait_until(lambda: not left_running(ladder.folder), 10, "the children to end")
    return "killed" if died else "not reached"


def try_ladder(name, topology, run_dir, make_agent, request, seed, pinned):
    made = LADDERS[name]
    if made.why_not():
        pytest.skip(made.why_not())
    pin = KEPT if pinned else ""
    folder = run_dir / f"ladder-{name}"
    folder.mkdir(exist_ok=True)
    ladder = made(folder, topology)
    try:
        steps = clean_run(ladder, make_agent, pin)
        Trials(f"{name}{' pinned' if pinned else ''}", steps, request, seed).run(
            lambda step: kill_and_restart(ladder, make_agent, pin, step))
    finally:
        ladder.close()


# After a gap in its watch the incumbent is uncertain: a pin decides, or the replicas do.
either_way = pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "by-the-rules"])


@pytest.mark.core
@either_way
def test_the_sql_ladder(fenceable, run_dir, make_agent, request, seed, pinned):
    try_ladder("sql", fenceable, run_dir, make_agent, request, seed, pinned)


@either_way
@pytest.mark.parametrize("name", [name for name in LADDERS if name != "sql"])
def test_a_ladder(fenceable_here, run_dir, make_agent, request, seed, name, pinned):
    if not pinned and not LADDERS[name].decidable:
        pinned = True  # the replicas would speak for the intruder
    try_ladder(name, fenceable_here, run_dir, make_agent, request, seed, pinned)


def test_killed_again_while_it_looks(fenceable_here, run_dir, make_agent):
    """Twice in a row: in the middle of the fence, and while the restart looks at what was done."""
    folder = run_dir / "ladder-twice"
    folder.mkdir(exist_ok=True)
    ladder = LADDERS["exec"](folder, fenceable_here)
    for first, second in (("guard.act", "guard.take_up"), ("exec.fence_answered", "guard.taken_up"),
                          ("exec.fence", "noting.ended"), ("exec.fence", FENCE_ENDS)):
        ladder.reset()
        agent = make_agent(enforcing(ladder, pin=KEPT))
        kill_at(agent, Step(first))
        start_split(ladder, agent)
        assert wait_died(agent, Step(first), FENCE_ENDS)
        kill_at(agent, Step(second))
        agent.launch()
        assert wait_died(agent, Step(second), None)
        as_shipped(agent)
        agent.start()
        wait_ended(ladder, agent)
        expect_truth(ladder, agent)
        agent.stop()


@pytest.mark.parametrize("step", ["noted.intent", "sql.read_only_set"])
def test_another_agent_goes_on(fenceable_here, run_dir, make_agent, step):
    """The holder of the lease dies in the middle; the other one takes it and ends the split brain,
    while the first one comes back and looks at what it had begun."""
    ladder = LADDERS["sql"](run_dir, fenceable_here)
    ladder.reset()
    agent = make_agent(enforcing(ladder, ttl="3s"))
    other = make_agent(enforcing(ladder, ttl="3s"))
    kill_at(agent, Step(step))
    agent.start()
    wait_until(lambda: agent.metric("primacy_lease_held", topology="shop") == 1, 20, "the lease")
    other.start()
    start_split(ladder, agent)
    assert wait_died(agent, Step(step), FENCE_ENDS)
    as_shipped(agent)
    agent.start()
    for each in (agent, other):
        wait_ended(ladder, each)
    records = expect_whole_journal(agent) + expect_whole_journal(other)
    begun = [record["server"] for record in records if record["kind"] == "begun"]
    assert set(begun) == {LOSER} and len(begun) <= 2, begun
    assert {record["result"] for record in records if record["kind"] == "ended"} & {"confirmed",
                                                                                   "partial"}
    assert ladder.stopped() and not ladder.spared(), ladder.spared()
    ladder.close()


# --- what takes effect after the agent has died

_LATE = """#!/bin/sh
cat >/dev/null
cd "$(dirname "$0")" || exit 9
case $PRIMACY_ACTION in
fence) [ -e done ] && exit 1
    : >done
    kill -9 "$(cat agent)"
    while [ ! -e go ]; do sleep 0.05; done
    kill -9 "$(cat power)"; exit 0;;
verify) if [ -d "/proc/$(cat power)" ]; then exit 1; fi; exit 0;;
esac
"""


def test_an_act_that_outlives_the_agent(fenceable_here, run_dir, make_agent):
    """The restart finds the server writable, and the program that was to stop it still at work: it
    must not say that the fence has failed, and never let the intruder be the one that is kept."""
    folder = run_dir / "ladder-late"
    folder.mkdir(exist_ok=True)
    ladder = LADDERS["exec"](folder, fenceable_here)
    ladder.program.write_text(_LATE, encoding="utf-8")
    ladder.reset()
    # No rule but the incumbent could decide, and that one is uncertain after the gap.
    config = enforcing(ladder)
    config["topology"]["shop"]["fencing"] = {"keep": ["incumbent", "gtid"], "max_fences": 1}
    agent = make_agent(config)
    agent.start()
    folder.joinpath("agent").write_text(f"{agent.pid}\n", encoding="ascii")
    agent.wait_for(lambda seen: seen["incumbent"] == KEPT, what="the incumbent")
    ladder.split()
    wait_until(lambda: not agent.running(), 20, "the program to kill the agent")
    agent.start()
    wait_settled(agent, lambda: True, "the fence to have an end")
    end = last_end(read_journal(agent), LOSER)
    assert end["result"] == "unknown" and "may still take effect" in end["reason"], end
    assert agent.server(LOSER)["fence"] == "unknown"
    folder.joinpath("go").touch()
    wait_until(ladder.stopped, 10, "the late effect")
    assert not ladder.spared(), ladder.spared()


# --- resolve


def start_resolve(topology, agent, kept):
    """Two writers under load; a third server, read-only and alone, is to be the only one."""
    agent.start()
    agent.wait_state("healthy")
    for name in topology.names:
        topology.background_writer(name)
    topology.detach(kept)
    topology.promote(LOSER)
    agent.wait_state("split_brain")
    for server in topology:
        server._forget_admin()


def resolve(agent, kept):
    return agent.cli("resolve", "shop", "--keep", kept, "--reason", "a test", "--yes", cap=60)


def resolve_until_done(agent, kept):
    """Run again, as the person does to whom it says that something is still at work."""
    said = []

    def done():
        said.append(resolve(agent, kept))
        waits = any(words in said[-1].stderr for words in ("at work", "wait for its end",
                                                           "try again"))
        assert said[-1].exit_code == 0 or waits, said[-1]
        return said[-1].exit_code == 0
    wait_until(done, 30, "resolve to go through")


def expect_never_both(topology, kept, losers):
    """Every row of the losers is older than the first of the survivor."""
    first = topology[kept].value("SELECT MIN(at) FROM app.facts WHERE writer = %s", (f"to-{kept}",))
    for loser in losers:
        last = topology[loser].value("SELECT MAX(at) FROM app.facts WHERE writer = %s",
                                     (f"to-{loser}",))
        assert not first or not last or last < first, f"{loser} wrote at {last}, {kept} at {first}"


def expect_closed_before_open(topology, agent, kept, losers):
    """Where it died: if the survivor takes writes, every loser is closed and proved to be."""
    if not takes_writes(topology, kept):
        return
    records = read_journal(agent)
    for loser in losers:
        assert not takes_writes(topology, loser), f"{loser} and {kept} take writes"
        assert last_end(records, loser)["result"] == "confirmed"


def kill_and_resolve_again(topology, make_agent, config, step):
    kept, losers = REPLICA, (KEPT, LOSER)
    topology.restore()
    agent = make_agent(config)
    try:
        if step:
            kill_at(agent, step)
        else:
            log_steps(agent)
        start_resolve(topology, agent, kept)
        first = resolve(agent, kept)
        died = not agent.running() or (step is not None and first.exit_code != 0)
        if died:
            wait_until(lambda: not agent.running(), 10, "the agent to be gone")
            assert first.exit_code != 0 or step.name == RESOLVE_ENDS, first
            assert first.exit_code == 0 or first.stderr, "one sentence"
            expect_closed_before_open(topology, agent, kept, losers)
            as_shipped(agent)
            agent.start()
            resolve_until_done(agent, kept)
        else:
            assert first.exit_code == 0, first
        wait_settled(agent, lambda: agent.topology()["writers"] == [kept], f"{kept} to write alone")
        expect_whole_journal(agent)
        assert takes_writes(topology, kept)
        for loser in losers:
            assert not takes_writes(topology, loser), loser
        expect_never_both(topology, kept, losers)
        agent.stop()
    finally:
        agent.close()
    assert step is None or died or step.passing > 1, f"{step} was not reached"
    return "killed" if died else "not reached"


@pytest.mark.parametrize("lease", [False, True], ids=["without-a-lease", "with-a-lease"])
def test_resolve(fenceable_here, run_dir, make_agent, request, seed, lease):
    """Killed anywhere, it never opens the survivor too early; run again, it ends well."""
    topology = fenceable_here
    ladder = LADDERS["sql"](run_dir, topology)
    config = enforcing(ladder, mode="observe", ttl="3s" if lease else None)
    agents = []
    kill_and_resolve_again(topology, lambda config: agents.append(make_agent(config)) or agents[-1],
                           config, None)
    steps = steps_passed(agents[0], until=RESOLVE_ENDS)
    if lease:  # the others are the same with and without
        steps = [step for step in steps
                 if step.name.startswith(("lease.", "resolve.", "sql.open", "noted.opened"))]
    Trials(f"resolve{' with a lease' if lease else ''}", steps, request, seed).run(
        lambda step: kill_and_resolve_again(topology, make_agent, config, step))
