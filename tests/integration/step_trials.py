"""What the tests share that interrupt the agent at a step: which steps are tried, and what must be
true afterwards of its journal."""

import json
import random
import time

from primacy_harness import default_config, wait_until
from primacy_harness.checkpoints import steps_passed
from primacy_harness.polling import CapExceeded

# How many steps of a kind are tried without --all-steps.
DRAWN = 2


class Trials:
    """What came of each step; one that goes wrong does not keep the others from being tried.

    Without --all-steps a few are drawn, the same for the same seed.
    """

    def __init__(self, what, steps, request, seed):
        self.what = what
        self.of = len(steps)
        self.steps = steps
        if not request.config.getoption("--all-steps"):
            self.steps = random.Random(f"{seed} {what}").sample(steps, min(DRAWN, len(steps)))
        self.wrong = []
        self.counts = {}

    def run(self, trial):
        """trial(step) returns a word that says what it came to."""
        for step in self.steps:
            began = time.monotonic()
            try:
                outcome = trial(step)
            except Exception as failure:  # noqa: BLE001  told at the end, with the step
                self.wrong.append(f"--- {self.what} at {step}: {failure}")
                print(self.wrong[-1])
                outcome = "WRONG"
            self.counts[outcome] = self.counts.get(outcome, 0) + 1
            print(f"{self.what} at {step}: {outcome}, {time.monotonic() - began:.1f} s")
        print(f"{self.what}: {len(self.steps)} of {self.of} steps: {self.counts}")
        assert not self.wrong, "\n".join(self.wrong)


# --- the journal


def read_journal(agent):
    """Every record. A line without an end was never noted, and is the last of its file."""
    records = []
    for path in sorted((agent.state_dir / "journal").iterdir()):
        lines = path.read_text(encoding="utf-8").split("\n")
        for line in lines[:-1]:
            record = json.loads(line)
            if "kind" in record:
                records.append(record)
    return records


def journal_text(agent):
    return "\n".join(json.dumps(record) for record in read_journal(agent))


def without_end(records):
    """What was intended and has no end: incidents of fences, servers of openings."""
    open_ones = {}
    for record in records:
        if record["kind"] in ("begun", "intent"):
            open_ones[record["incident"]] = record
        elif record["kind"] == "ended":
            open_ones.pop(record["incident"], None)
        elif record["kind"] == "opened":
            open_ones[record["server"]] = record
        elif record["kind"] == "released" or (record["kind"] == "outcome" and
                                              "rung" not in record):
            open_ones.pop(record["server"], None)
    return open_ones


def expect_whole_journal(agent):
    """The agent itself can read it, and nothing in it is without an end."""
    audit = agent.cli("audit", "--json")
    assert audit.exit_code == 0, audit
    records = read_journal(agent)
    assert not without_end(records), without_end(records)
    return records


def last_end(records, server):
    ends = [record for record in records
            if record["kind"] == "ended" and record["server"] == server]
    assert ends, f"no fence of {server} has an end: {records}"
    return ends[-1]


# --- the agent


def enforcing(ladder, *, pin="", mode="enforce", ttl=None):
    """The configuration for a ladder: its rungs for the loser, SQL for the others.

    A reading counts for two polls and a timeout, so that a machine that stalls is no gap.
    """
    config = default_config(ladder.topology, mode=mode, poll_interval="200ms",
                            probe_timeout="2s", confirm_for="500ms")
    shop = config["topology"]["shop"]
    shop["lease"] = {"backend": "servers", "ttl": ttl} if ttl else {"backend": "none"}
    if pin:
        shop["fencing"] = {"pin": pin}
    for server in shop["server"]:
        if server["name"] == ladder.loser.name:
            server["fence"] = ladder.rungs
    if ladder.methods():
        config["method"] = ladder.methods()
    return config


def wait_died(agent, step, last, cap=30):
    """True when it killed itself at the step; False when it passed the step `last` instead."""
    def done():
        if not agent.running():
            assert agent.exit_code() == -9, f"exit {agent.exit_code()}\n{agent.log_tail()}"
            return "died"
        return step.name != last and any(each.name == last for each in steps_passed(agent))
    return wait_until(done, cap, f"the agent to come to {step}", interval=0.01) == "died"


def wait_settled(agent, condition, what, cap=30):
    """Until nothing in the journal is without an end and the condition holds."""
    try:
        wait_until(lambda: not without_end(read_journal(agent)) and condition(), cap, what,
                   interval=0.05, ignore=(OSError,))
    except CapExceeded as failure:
        raise AssertionError(f"{failure}\n{journal_text(agent)}\n{agent.log_tail()}") from None
