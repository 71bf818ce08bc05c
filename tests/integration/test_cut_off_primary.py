"""The old primary cut off in its network while db2 is promoted: the classic split brain.

Three hosts with their own networks (primacy_harness/hosts.py), an agent on each, clients that go on
writing on both sides of the cut. Whoever gets the lease when the network heals, and whatever it
remembers: db1 is the one to be stopped, db2 the one that writes.
"""

import random

import pytest

from cut_off_hosts import NAMES, WATCH_GAP, Scene, Stage
from primacy_harness import find_server, hold, netns, wait_until
from primacy_harness.bmc import Bmc

# How the race for the lease is made unkind, and what the agent on the isolated side was doing.
RACES = ("alone", "only", "racing")
MEMORIES = ("awake", "asleep", "restarted")


@pytest.fixture(scope="module")
def built(run_dir, local_kind):
    why_not = netns.why_not() or Bmc.why_not()
    if why_not:
        pytest.skip(why_not)
    made = Stage(run_dir)
    yield made
    made.close()


@pytest.fixture
def stage(built):
    built.renew()
    yield built
    built.network.heal()


@pytest.fixture
def play(stage, make_agent):
    """Starts a scene with agents, and a client beside db1 that writes to it."""
    scenes = []

    def start(first="db1", **options):
        scene = Scene(stage, make_agent, **options)
        scenes.append(scene)
        scene.start_agents(first)
        return scene

    yield start
    for scene in scenes:
        scene.stop()


def cut_and_fail_over(scene, cut):
    """Returns the clients (of db1, beside it; of db2)."""
    beside = scene.write("db1", scene.network["db1"])
    cut(scene.network["db1"])
    scene.fail_over()
    written = scene.write("db2", scene.network.clients)
    return beside, written


def wait_unseen(scene):
    for name in ("db2", "db3"):
        seen = scene.agents[name].wait_finding("former_primary_unseen", "db1", cap=30)
        (finding,) = [f for f in seen["findings"] if f["code"] == "former_primary_unseen"]
        assert finding["severity"] == "critical"
        assert seen["writers"] == ["db2"] and seen["incumbent"] == "db2"


def test_the_former_primary_is_powered_off_over_another_network(play):
    scene = play(first="db1", unseen="fence")
    beside, written = cut_and_fail_over(scene, lambda host: host.cut())
    beside.wait_for_progress()
    holder, ended = scene.wait_stopped()
    assert ended["rung"] == "db1-bmc", "by nothing that needs the network that is cut"
    assert not scene.topology["db1"].running()
    assert scene.powered_off("db1") == 1
    assert scene.has_lease(holder)
    scene.agents[holder].wait_for(
        lambda seen: "former_primary_unseen" not in {f["code"] for f in seen["findings"]},
        what="the finding to be cleared by the fence")
    assert find_server(scene.agents[holder].topology(), "db1")["fence"] == "confirmed"
    # Once, by one agent, and never by the one that was cut off.
    assert {name for name, _ in scene.records()} == {holder}
    assert holder != "db1"
    assert len(scene.records("intent")) == 1
    hold(lambda: scene.powered_off("db1") == 1, 2, "one order to power db1 off")
    scene.expect_right_end(written)


def test_where_told_to_alert_nobody_acts_until_the_network_heals(play):
    scene = play(first="db1", unseen="alert")
    beside, written = cut_and_fail_over(scene, lambda host: host.cut())
    wait_unseen(scene)
    wait_until(lambda: scene.has_lease("db2") or scene.has_lease("db3"), 60, "somebody to hold it")
    hold(scene.nobody_acts, 3, "nobody acts")
    assert not scene.has_lease("db1")
    beside.wait_for_progress()
    scene.network["db1"].heal()
    scene.wait_stopped()
    scene.wait_agreement()
    scene.expect_right_end(written)
    # What db1 took alone is not lost: it is there for a person to look at.
    rows = scene.topology["db1"].query("SELECT number FROM app.facts WHERE writer = %s",
                                       (beside.label,))
    assert set(beside.acknowledged) <= {row["number"] for row in rows}


def test_sql_need_not_wait_for_the_cooldown_of_a_bmc_that_was_silent(play):
    """Two writers are there to be seen, and what failed in the dark was not SQL."""
    scene = play(first="db2", unseen="fence")
    scene.bmcs["db1"].pause()
    _, written = cut_and_fail_over(scene, lambda host: host.cut())
    wait_until(lambda: scene.records("ended", server="db1"), 60, "the fence over IPMI to fail")
    ((holder, ended),) = scene.records("ended")
    assert holder != "db1" and ended["result"] in ("failed", "unknown"), ended
    hold(lambda: len(scene.records("begun")) == 1, 2, "the cooldown")
    scene.bmcs["db1"].resume()
    scene.network["db1"].heal()
    _, ended = scene.wait_stopped(cap=20)
    assert ended["rung"] == "sql", ended
    scene.expect_right_end(written)


def test_a_former_primary_that_is_seen_harmless_is_not_powered_off(play):
    """While the ladder waits for a BMC that does not answer, db1 is made read-only and is seen."""
    scene = play(first="db2", unseen="fence", silent_first=True)
    _, written = cut_and_fail_over(scene, lambda host: host.cut())
    ((holder, _),) = wait_until(lambda: scene.records("intent", rung="silent"), 60,
                                "the first rung to be tried")
    scene.topology.make_read_only("db1")
    scene.network["db1"].heal()
    wait_until(lambda: scene.records("ended"), 60, "the ladder to end")
    ((_, ended),) = scene.records("ended")
    assert "it is seen again, and takes no writes" in ended["reason"], ended
    assert [record["rung"] for _, record in scene.records("intent")] == ["silent"]
    hold(lambda: scene.powered_off("db1") == 0, 2, "db1 keeps its power")
    scene.agents[holder].wait_for(
        lambda seen: "former_primary_unseen" not in {f["code"] for f in seen["findings"]},
        what="the finding to be cleared")
    assert scene.topology["db1"].running()
    scene.expect_right_end(written)


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
@pytest.mark.parametrize("promoted", [False, True], ids=["and-nobody-promoted", "and-db2-promoted"])
def test_a_cut_in_one_direction(play, direction, promoted):
    """Every answer is lost, or every question: what was sent may have been heard (S7)."""
    scene = play(first="db1")

    def cut(host):
        (host.drop_incoming if direction == "incoming" else host.drop_outgoing)()
    if not promoted:
        beside = scene.write("db1", scene.network["db1"])
        cut(scene.network["db1"])
        for name in ("db2", "db3"):
            scene.agents[name].wait_state("unknown", cap=30)
        hold(scene.nobody_acts, 8, "nobody acts, with or without the lease")
        beside.wait_for_progress()
        scene.network["db1"].heal()
        for name in NAMES:
            scene.agents[name].wait_state("healthy", cap=60)
        assert scene.nobody_acts() and scene.writers_now() == ["db1"]
        return
    _, written = cut_and_fail_over(scene, cut)
    wait_unseen(scene)
    hold(scene.nobody_acts, 5, "nobody acts before the network heals")
    scene.network["db1"].heal()
    scene.wait_stopped()
    scene.expect_right_end(written)


class Heal:
    """The random part of one heal, from a seed of its own."""

    def __init__(self, seed, number):
        dice = random.Random(f"{seed}-{number}")
        self.race = RACES[number % len(RACES)]
        self.memory = dice.choice(MEMORIES)
        # "fence": a ladder is at work while the network heals, since the BMC is silent until then.
        self.unseen = dice.choice(["alert", "fence"])
        self.bmc_answers_after = dice.uniform(-0.5, 3)
        self.first = dice.choice(["db1", "db1", "db2"])
        self.cut_for = dice.uniform(2 * WATCH_GAP, 5)
        self.flaps = dice.choice([0, 0, 1, 2])
        self.flap_for = dice.uniform(0.05, 1.2)
        self.wakes_after = dice.uniform(-1, 1.5)
        self.others_sleep = {name: (dice.uniform(-1, 1), dice.uniform(0, 8))
                             for name in ("db2", "db3") if dice.random() < 0.7}
        self.resume_after = dice.uniform(0, 2.5)

    def __repr__(self):
        return ", ".join(f"{key}={value}" for key, value in vars(self).items())


def play_out(events, scene):
    """Does each (moment, what) in order of the moments; meanwhile db2 and db3 are never touched."""
    at = 0.0
    for moment, act in sorted(events, key=lambda event: event[0]):
        hold(scene.only_db1_is_touched, moment - at, "only db1 is stopped")
        at = max(at, moment)
        act()


def test_the_network_heals(play, heal, seed):
    """Two and more agents race for the lease, one of them with the memory of another world."""
    dice = Heal(seed, heal)
    print(f"heal {heal} of PRIMACY_SEED={seed}: {dice}")
    modes = {"db2": "observe", "db3": "observe"} if dice.race == "only" else {}
    scene = play(first=dice.first if dice.race != "only" else "db1", modes=modes,
                 unseen=dice.unseen)
    isolated, host = scene.agents["db1"], scene.network["db1"]
    if dice.memory == "asleep":
        isolated.process.pause()
    scene.bmcs["db1"].pause()
    _, written = cut_and_fail_over(scene, lambda each: each.cut())
    hold(scene.nobody_acts if dice.unseen == "alert" else scene.only_db1_is_touched, dice.cut_for,
         "nobody acts during the cut without need")
    if dice.memory == "restarted":
        isolated.kill()

    begins = 1.5
    events = [(begins, host.heal), (begins + dice.bmc_answers_after, scene.bmcs["db1"].resume)]
    for flap in range(dice.flaps):
        events += [(begins + (flap + 0.5) * dice.flap_for, host.cut),
                   (begins + (flap + 1) * dice.flap_for, host.heal)]
    if dice.memory != "awake":
        events.append((begins + dice.wakes_after, isolated.process.resume
                       if dice.memory == "asleep" else lambda: scene.start_agent_again("db1")))
    others = [scene.agents[name].process for name in ("db2", "db3")]
    if dice.race == "alone":
        events += [(begins - 0.1, other.pause) for other in others]
    elif dice.race == "racing":
        for name, (sleeps, wakes) in dice.others_sleep.items():
            other = scene.agents[name].process
            events += [(begins + sleeps, other.pause), (begins + sleeps + wakes, other.resume)]
    play_out(events, scene)
    if dice.race == "alone":
        # An order to its BMC that was under way may still come (S7); then there is no agent on db1.
        wait_until(lambda: scene.powered_off("db1") or scene.has_lease("db1"), 60,
                   "the agent on db1 to hold the lease", ignore=(OSError,))
        play_out([(dice.resume_after, other.resume) for other in others], scene)

    scene.wait_stopped(cap=150)  # a cooldown, and the time of two ladders
    if dice.race == "only":
        assert {name for name, _ in scene.records()} == {"db1"}, "it stopped its own server"
    scene.wait_agreement()
    hold(lambda: len(scene.records("ended")) == len(scene.records("begun")), 1.5, "no other fence")
    scene.expect_right_end(written)
