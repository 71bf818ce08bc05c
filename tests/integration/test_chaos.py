"""Randomized split brains (tests/chaos): a few of them in each run, and the harness itself.

Hundreds are run by hand: tests/chaos/run.py --trials 300. PRIMACY_SEED replays a run.
"""

import collections
import dataclasses
import os
import subprocess
import sys
import types

import pytest

from primacy_harness.kinds import REPOSITORY

CHAOS = REPOSITORY / "tests" / "chaos"
sys.path.insert(0, str(CHAOS))

import checks  # noqa: E402
import devices  # noqa: E402
import oracle  # noqa: E402
import plan as plans  # noqa: E402


@pytest.mark.core
def test_randomized_split_brains_end_as_the_oracle_says(kind, seed, request):
    """Twelve trials on real servers, two topologies at a time."""
    why = devices.program_missing()
    if why:
        pytest.skip(why)
    trials = request.config.getoption("--chaos-trials")
    done = subprocess.run(
        [sys.executable, CHAOS / "run.py", "--trials", str(trials), "--seed", str(seed),
         "--kinds", kind.name, "--jobs", "2"], capture_output=True, text=True, check=False,
        timeout=60 + 60 * trials, env={**os.environ, "PRIMACY_SEED": str(seed)})
    print(done.stdout[-20000:])
    assert done.returncode == 0, f"seed {seed}\n{done.stdout[-20000:]}\n{done.stderr[-4000:]}"
    assert f"{trials} trials, 0 with a violation" in done.stdout


# --- plans


def test_a_plan_is_the_same_each_time_and_speaks_for_itself(seed):
    for number in range(200):
        plan = plans.draw(seed, number)
        assert plan == plans.draw(seed, number)
        assert f"trial {number} seed {seed}:" in plan.line() and "\n" not in plan.line()
    assert plans.draw(seed, 1) != plans.draw(seed + 1, 1)


def test_every_value_of_every_dimension_is_drawn(seed):
    seen = collections.defaultdict(set)
    for number in range(3000):
        plan = plans.draw(seed, number)
        for field in dataclasses.fields(plan):
            if field.name not in ("seed", "number", "moment"):
                seen[field.name].add(getattr(plan, field.name))
        for device, state in plan.devices:
            seen[device].add(state)
    for name, values in (("intrusion", plans.INTRUSIONS), ("rule", plans.RULES),
                         ("load", plans.LOADS), ("sql", plans.SQL), ("trouble", plans.TROUBLES),
                         *plans.DEVICES.items()):
        assert seen[name] == set(values), name
    assert seen["kind"] == set(plans.KINDS) and seen["size"] == {3, 5}
    assert {oracle.expect(plans.draw(seed, number)).act for number in range(3000)} == {
        "fence", "nothing", "ask", "stop_all", "cannot", "alert"}


def test_plans_make_sense(seed):
    for number in range(3000):
        plan = plans.draw(seed, number)
        expected = oracle.expect(plan)
        assert plan.old not in plan.intruders and set(plan.writable) <= set(plan.names), plan.line()
        assert set(expected.survivors) <= set(plan.writable), plan.line()
        assert expected.losers <= set(plan.writable), plan.line()
        assert not expected.survivors & expected.losers or len(expected.survivors) > 1, plan.line()
        assert expected.rungs <= set(plan.ladder), plan.line()
        if expected.act == "fence":
            assert expected.rungs and expected.losers, plan.line()


# --- the oracle, where the design says it in words


def planned(**changes):
    usual = {"seed": 1, "number": 1, "kind": "mariadb", "size": 3, "intrusion": "promoted",
             "intruders": ("db2",), "old": "db1", "follows": "old", "rule": "incumbent",
             "ambiguous": "alert", "unseen": "alert", "load": "light", "writers": 4,
             "sql": "works", "ladder": ("sql",), "devices": (), "trouble": "none", "moment": 0.5,
             "confirm_ms": 300, "life": "fresh"}
    return plans.Plan(**{**usual, **changes})


def expected_of(**changes):
    told = oracle.expect(planned(**changes))
    return told.act, set(told.survivors), set(told.losers), set(told.rungs)


@pytest.mark.parametrize("changes, told", [
    ({}, ("fence", {"db1"}, {"db2"}, {"sql"})),
    # Against a majority of the replicas the incumbent is kept, a person's word counts more.
    ({"follows": "new"}, ("fence", {"db1"}, {"db2"}, {"sql"})),
    ({"rule": "pin_new"}, ("fence", {"db2"}, {"db1"}, {"sql"})),
    ({"rule": "replicas", "follows": "new"}, ("fence", {"db2"}, {"db1"}, {"sql"})),
    ({"rule": "nobody"}, ("ask", {"db2"}, {"db1"}, {"sql"})),
    ({"rule": "nobody", "ambiguous": "fence-all"}, ("stop_all", set(), {"db1", "db2"}, {"sql"})),
    # Partial: whoever passes read_only goes on writing. MySQL's super_read_only stops them too.
    ({"load": "bypass"}, ("cannot", {"db1"}, {"db2"}, set())),
    ({"load": "bypass", "kind": "mysql-9.7"}, ("fence", {"db1"}, {"db2"}, {"sql"})),
    ({"sql": "refused", "ladder": ("sql", "ipmi", "ssh"),
      "devices": (("ipmi", "lying"), ("ssh", "works"))}, ("fence", {"db1"}, {"db2"}, {"ssh"})),
    ({"intrusion": "brief"}, ("nothing", {"db1"}, set(), set())),
    ({"intrusion": "unseen", "unseen": "fence", "follows": "new", "ladder": ("sql", "ssh"),
      "devices": (("ssh", "works"),)}, ("fence", {"db2"}, {"db1"}, {"ssh"})),
    ({"intrusion": "unseen", "follows": "new"}, ("alert", {"db2"}, {"db1"}, {"sql"})),
])
def test_the_oracle_says(changes, told):
    assert expected_of(**changes) == told


# --- the checks bite


class Evidence:
    """What a trial leaves behind, as little of it as one check reads."""

    def __init__(self, records, acknowledged=(), **changes):
        self.plan = planned(**changes)
        self.expected = oracle.expect(self.plan)
        self.records = [{"agent": "first", "incident": "i", "rung": "sql", "result": "confirmed",
                         **record} for record in records]
        writer = types.SimpleNamespace(acknowledged=list(acknowledged), label="db2-1")
        self.load = types.SimpleNamespace(on=lambda name: [writer] if name == "db2" else [])
        self.contradictions, self.mended_at = [], None

    def of_kind(self, *kinds):
        return [record for record in self.records if record["kind"] in kinds]

    def opened_since(self, name, when):
        return False


def test_a_row_after_a_confirmed_fence_is_found():
    ended = {"kind": "ended", "server": "db2", "time": 10.0}
    assert not list(checks.claims_hold(Evidence([ended], [(1, 9.9, 10.1)])))
    (found,) = checks.claims_hold(Evidence([ended], [(1, 9.9, 10.1), (2, 10.2, 10.3)]))
    assert "row 2" in found


def test_a_wrong_rung_is_found():
    ended = {"kind": "ended", "server": "db2", "time": 10.0, "rung": "db2-ipmi"}
    ladder = {"ladder": ("sql", "ipmi"), "devices": (("ipmi", "works"),)}
    (found,) = checks.rungs_as_expected(Evidence([ended], **ladder))
    assert "db2-ipmi" in found
    assert not list(checks.rungs_as_expected(Evidence([ended], sql="refused", **ladder)))


def test_two_agents_that_act_at_once_are_found():
    def act(agent, begin, end):
        return [{"kind": "intent", "agent": agent, "incident": agent, "time": begin},
                {"kind": "outcome", "agent": agent, "incident": agent, "time": end}]
    assert not list(checks.no_two_agents_act(Evidence(act("a", 1, 2) + act("b", 2.1, 3))))
    assert list(checks.no_two_agents_act(Evidence(act("a", 1, 2) + act("b", 1.9, 3))))
