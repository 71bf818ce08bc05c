"""Results of trials as values: one JSON object each, and what many of them come to, as text.

Knows nothing of servers.
"""

import collections
import os

import checks
from journal import confirmed_at


def result_of(trial, broken, seconds):
    """All that is kept of a finished trial."""
    plan = trial.plan
    started = trial.began
    return {
        "number": plan.number, "seed": plan.seed, "line": plan.line(), "kind": plan.kind,
        "dimensions": {"kind": plan.kind, "servers": str(plan.size), "intrusion": plan.intrusion,
                       "rule": plan.rule, "load": plan.load, "sql": plan.sql,
                       "trouble": plan.trouble, "end": trial.expected.act,
                       "watch": "unbroken" if trial.watched else "broken",
                       **{f"device {kind}": state for kind, state in plan.devices}},
        "expected": {"survivors": sorted(trial.expected.survivors), "act": trial.expected.act,
                     "rungs": sorted(trial.expected.rungs), "reason": trial.expected.reason},
        "violations": broken, "seconds": round(seconds, 2), "load": os.getloadavg()[0],
        "fences": _fences(trial), "rows": sum(len(one.acknowledged) for one in trial.load.writers),
        "samples": trial.watcher.samples if trial.watcher else 0,
        "story": [f"{at - started:8.3f} {text}" for at, text in _story(trial)],
    }


def _fences(trial):
    """Each confirmed fence with its times: of the whole and of the rung, in seconds."""
    seen = sorted(moment for agent in trial.agents for moment in confirmed_at(agent))
    found = []
    for record in trial.of_kind("ended"):
        if record["result"] != "confirmed":
            continue
        same = [each for each in trial.records if each.get("incident") == record["incident"]]
        begun = [each["time"] for each in same if each["kind"] == "begun"]
        intents = [each for each in same if each["kind"] == "intent"]
        if not begun or not intents or intents[-1].get("rung") != record.get("rung"):
            continue
        confirmed = [moment for moment in seen if moment <= begun[0] + 0.002]
        found.append({
            "server": record["server"], "rung": checks.rung_kind(record), "tried": len(intents),
            "from_confirmed": round(record["time"] - confirmed[-1], 4) if confirmed else None,
            "from_begun": round(record["time"] - begun[0], 4),
            "of_rung": round(record["time"] - intents[-1]["time"], 4)})
    return found


def _story(trial):
    lines = list(trial.story)
    for record in trial.records:
        words = [record["agent"], record["kind"], record.get("server", ""), record.get("rung", ""),
                 record.get("result", ""), record.get("reason", "")]
        lines.append((record["time"], " ".join(word for word in words if word)))
    if trial.watcher:
        for name, changes in trial.watcher.changes.items():
            lines += [(at, f"    {name} is {state}") for at, state in changes]
    for server in trial.world.servers:
        if not server.running():
            lines.append((float("inf"), f"{server.name} is not running; its log:\n"
                          f"{server._log_tail()}"))
    for at in trial.hand.opened if trial.hand else []:
        lines.append((at, f"the hand opens {trial.hand.server.name}"))
    return sorted(lines)


# --- many


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def times_of(results):
    """(title, [seconds]) for each way to be fenced that a promise is made about."""
    rows = collections.defaultdict(list)
    for result in results:
        dimensions = result["dimensions"]
        calm = dimensions["trouble"] in ("none", "second_agent", "voter_dies", "stop_after",
                                         "hand_once")
        for fence in result["fences"]:
            if not calm:
                continue
            # Neither the lease nor a person was waited for.
            at_once = dimensions["rule"] in ("incumbent", "pin_old", "pin_new") and \
                dimensions["end"] == "fence" and fence["from_confirmed"] is not None
            if fence["rung"] == "sql" and fence["tried"] == 1 and at_once:
                under = "idle" if dimensions["load"] == "idle" else "under load"
                rows[f"sql, {under}"].append(fence["from_confirmed"])
            elif fence["rung"] != "sql":
                rows[f"{fence['rung']}, the rung alone"].append(fence["of_rung"])
    return sorted(rows.items())


def counts_of(results):
    """dimension → Counter of its values."""
    counts = collections.defaultdict(collections.Counter)
    for result in results:
        for dimension, value in result["dimensions"].items():
            counts[dimension][value] += 1
    return counts


def summary(results):
    """Lines for a person: counts, times, what was violated."""
    broken = [result for result in results if result["violations"]]
    lines = [f"{len(results)} trials, {len(broken)} with a violation, "
             f"{sum(len(result['fences']) for result in results)} fences confirmed, "
             f"{sum(result['rows'] for result in results)} rows acknowledged, "
             f"{sum(result['samples'] for result in results)} samples of who is writable"]
    for dimension, counter in sorted(counts_of(results).items()):
        lines.append(f"  {dimension:14} " + ", ".join(f"{value} {count}" for value, count
                                                      in sorted(counter.items())))
    for title, values in times_of(results):
        lines.append(f"  {title}: n {len(values)}, p50 {percentile(values, 0.5):.3f} s, "
                     f"p99 {percentile(values, 0.99):.3f} s, longest {max(values):.3f} s")
    for result in broken:
        lines.append(f"VIOLATED {result['line']}")
        lines += [f"    {sentence}" for sentence in result["violations"]]
    return lines
