"""What has to come of a plan, said from the plan alone, in words of the design and not of the code.

Who must survive, who may be stopped, by which rung, and whether it may be done at all. Knows
nothing of the product's sources.
"""

import dataclasses

# What each state of a device leads to: it stops the server and can prove it, or it does not.
WORKING = {"ssh": {"works"}, "ipmi": {"works", "slow"}, "agent": {"works", "child_survives"},
           "exec": {"works"}}


@dataclasses.dataclass(frozen=True)
class Expectation:
    survivors: frozenset    # one of them writes in the end; empty: nobody does
    losers: frozenset       # who may be stopped; nobody else, ever
    act: str                # what the agent does by itself, see below
    rungs: frozenset        # by which a fence may be confirmed
    reason: str             # a clause, for the report
    nobody: bool = False    # that nobody writes in the end is in order too


# act:
#   fence      it ends the split brain
#   nothing    there is none (it was over before it was confirmed)
#   ask        no rule decides: it stops nobody until a person pins a server
#   stop_all   no rule decides, and on_ambiguous = "fence-all": all writers are stopped
#   cannot     no rung works: no claim, an alert, the survivor untouched; then the harness mends it
#   alert      the former primary is unseen and unseen_former = "alert"; it is fenced when it wakes


def working_rungs(plan):
    """Rungs that can be confirmed, in order."""
    working = []
    for rung in plan.ladder:
        if rung == "sql":
            bypassed = plan.load == "bypass" and not plan.mysql  # partial: somebody still writes
            if plan.sql == "works" and not bypassed:
                working.append("sql")
        elif plan.device(rung) in WORKING[rung]:
            working.append(rung)
    return working


def _by_replicas(plan):
    return plan.source if plan.bystanders else None


def _survivors(plan):
    """Servers of which one must be kept, and why."""
    old, new = plan.old, plan.intruders[0]
    if plan.intrusion == "unseen":
        return {new}, "it took over, and the former one cannot be seen"
    if plan.rule in ("pin_old", "pin_new"):
        return {old if plan.rule == "pin_old" else new}, "pinned"
    if plan.rule == "replicas":
        return {_by_replicas(plan)}, "most replicas follow it"
    if plan.rule == "gtid":
        return {old if plan.follows == "old" else new}, "its history contains the others'"
    if plan.rule == "nobody":
        return {new}, "pinned after a while"
    if plan.trouble == "kill_agent":
        # After the restart the memory is in doubt, and the replicas are asked.
        return {old, _by_replicas(plan)}, "the incumbent, or after the kill whom replicas follow"
    if plan.trouble == "survivor_frozen":
        # While it is dark the other one is the only writer, and soon the incumbent.
        return {old, *plan.intruders}, "the incumbent, or who wrote alone while that was dark"
    return {old}, "the incumbent, watched without a gap"


def expect(plan, watched=True):
    """watched: the agent could read a majority of the servers all the time. Where the machine
    stood still for too long it could not, and doubts its memory as after a restart."""
    survivors, reason = _survivors(plan)
    nobody = False
    if not watched and plan.rule == "incumbent" and plan.intrusion not in ("brief", "unseen"):
        replicas_tell = plan.bystanders and plan.trouble not in ("voter_dies", "votes_lost")
        survivors |= {_by_replicas(plan)} if replicas_tell else set(plan.writable)
        reason += ", or in doubt whom replicas and histories tell"
        nobody = plan.ambiguous == "fence-all" and \
            (not replicas_tell or plan.follows == "new")
    if plan.trouble == "kill_agent" and plan.rule == "incumbent" and plan.follows == "new":
        # Whom replicas tell to keep may have been fenced halfway, and is no survivor then.
        nobody = plan.ambiguous == "fence-all"
    certain = len(survivors) == 1
    losers = set(plan.writable) - survivors if certain else set(plan.writable)
    working = working_rungs(plan)
    act, rungs = "fence", set(working[:1])
    if plan.intrusion == "brief":
        survivors, losers, act, rungs = {plan.old}, set(), "nothing", set()
        reason = "it was over before it could be confirmed"
    elif plan.rule == "nobody" and plan.ambiguous == "fence-all":
        survivors, losers, act = set(), set(plan.writable), "stop_all"
        reason = "no rule decides, and on_ambiguous is fence-all"
    elif plan.rule == "nobody":
        act = "ask"
    elif plan.intrusion == "unseen" and plan.unseen == "alert":
        act = "alert"
    elif plan.intrusion == "unseen":
        rungs = set([rung for rung in working if rung != "sql"][:1])
    if act in ("fence", "stop_all") and not working:
        act = "cannot"
    # Frozen, killed in the middle or opened again: any rung that works may be the one, and a rung
    # that was passed over is looked at again.
    if plan.trouble not in ("none", "second_agent", "voter_dies", "votes_lost") or not watched:
        rungs = set(working)
    return Expectation(frozenset(survivors), frozenset(losers), act, frozenset(rungs), reason,
                       nobody)
