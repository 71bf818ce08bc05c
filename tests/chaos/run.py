#!/usr/bin/python3
"""Randomized split brains on real servers, ended by a real agent, and judged by an oracle.

    python3 tests/chaos/run.py --trials 300 --seed 7 --jobs 3
    python3 tests/chaos/run.py --seed 7 --trial 42 --keep      # one of them again

Exit code: 0 when every trial ended as the oracle says, 1 otherwise.
"""

import argparse
import json
import os
import random
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import checks  # noqa: E402
import devices  # noqa: E402
import plan as plans  # noqa: E402
import report  # noqa: E402
from harness import KINDS, path_with_tools  # noqa: E402
from trial import Trial  # noqa: E402
from world import World  # noqa: E402


def run_one(plan, world, run_dir, keep=False):
    """One trial to its end; its result, whatever happens in it."""
    trial = Trial(plan, world, run_dir)
    broken = []
    try:
        trial.run()
    except AssertionError as failure:
        broken.append(f"did not come to its end: {failure}")
    except Exception as failure:  # pylint: disable=broad-except
        broken.append(f"the harness failed: {failure!r}\n{traceback.format_exc()}")
    trial.look()
    broken += checks.violations(trial) if trial.watcher else []
    if broken:
        _keep_logs(trial, run_dir)
    result = report.result_of(trial, broken, time.time() - trial.began)
    result["agents"] = [str(agent.folder) for agent in trial.agents] if keep or broken else []
    trial.close(keep or broken)
    return result


def _keep_logs(trial, run_dir):
    """The logs of the servers of a trial that went wrong, before their folders are gone."""
    for server in trial.world.servers:
        if server.log.exists():
            shutil.copy(server.log, run_dir / f"trial-{trial.plan.number}-{server.name}.log")


class Worlds:
    """One at a time: the servers of the last one are ended before others are started."""

    def __init__(self, run_dir):
        self._run_dir, self._key, self._world = run_dir, None, None

    def get(self, kind, size):
        if self._key != (kind, size):
            self.close()
            self._world, self._key = World(self._run_dir, kind, size), (kind, size)
        return self._world

    def drop(self):
        """After a failure of the harness itself nothing in it is trusted."""
        self.close()

    def close(self):
        if self._world:
            self._world.close()
        self._world, self._key = None, None


def run_many(drawn, run_dir, tell, keep=False):
    """Trials in the order that needs the fewest starts of servers; returns their results."""
    worlds, results = Worlds(run_dir), []
    try:
        for plan in sorted(drawn, key=lambda each: (each.kind, each.size, each.number)):
            result = run_one(plan, worlds.get(plan.kind, plan.size), run_dir, keep)
            results.append(result)
            tell(result)
            if result["violations"]:
                worlds.drop()
    finally:
        worlds.close()
    return results


def tell_person(result, every_story=False):
    verdict = "ok" if not result["violations"] else "VIOLATED"
    print(f"{verdict:8} {result['seconds']:6.1f} s  {result['line']}", flush=True)
    if result["violations"] or every_story:
        for line in result["story"]:
            print("      " + line)
        for line in result["violations"]:
            print("   ** " + line)
        if result["agents"]:
            print("   agents: " + " ".join(result["agents"]), flush=True)


def in_jobs(arguments, seed):
    """The same trials, divided among processes of this program."""
    results, running = [], []
    for job in range(arguments.jobs):
        argv = [sys.executable, __file__, "--seed", str(seed), "--first", str(arguments.first),
                "--trials", str(arguments.trials), "--kinds", arguments.kinds, "--jobs", "1",
                "--share", f"{job}/{arguments.jobs}", "--json"]
        running.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
    for line in _lines_of(running):
        result = json.loads(line)
        results.append(result)
        tell_person(result)
    for process in running:
        if process.wait() not in (0, 1):
            print(f"a job ended with {process.returncode}", flush=True)
            results.append({"violations": ["a job of the harness ended early"], "fences": [],
                            "rows": 0, "samples": 0, "dimensions": {}, "line": "?"})
    return results


def _lines_of(processes):
    selector = selectors.DefaultSelector()
    for process in processes:
        selector.register(process.stdout, selectors.EVENT_READ)
    while selector.get_map():
        for key, _ in selector.select():
            line = key.fileobj.readline()
            if line:
                yield line
            else:
                selector.unregister(key.fileobj)


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="number of the first trial")
    parser.add_argument("--trial", type=int, help="this one alone, with its story")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PRIMACY_SEED", "0")))
    parser.add_argument("--kinds", default="all", help="all, or some of " + ", ".join(plans.KINDS))
    parser.add_argument("--jobs", type=int, default=1, help="topologies at once")
    parser.add_argument("--share", default="0/1", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="one JSON object for each trial")
    parser.add_argument("--results", help="file that takes all results as JSON lines")
    parser.add_argument("--plans", action="store_true", help="print the plans and run nothing")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all agents")
    return parser.parse_args(words)


def alone():
    """Runs the rest in a process namespace of its own, where that is possible: a fence by ssh must
    not meet the database servers of others, and nothing outlives us."""
    if os.getuid() == 0 and "PRIMACY_CHAOS_ALONE" not in os.environ and shutil.which("unshare"):
        os.environ["PRIMACY_CHAOS_ALONE"] = "1"
        # The first process of a namespace has to bury orphans: a shell that waits does.
        os.execvp("unshare", ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh",
                              "-c", '"$@"; exit $?', "sh", sys.executable, *sys.argv])


def main(words=None):
    arguments = parse(words)
    os.environ["PATH"] = path_with_tools()
    seed = arguments.seed or random.SystemRandom().randrange(1, 1 << 31)
    os.environ["PRIMACY_SEED"] = str(seed)  # for alone()
    names = plans.KINDS if arguments.kinds == "all" else tuple(arguments.kinds.split(","))
    arguments.kinds = ",".join(names)
    numbers = [arguments.trial] if arguments.trial is not None else \
        range(arguments.first, arguments.first + arguments.trials)
    part, parts = (int(word) for word in arguments.share.split("/"))
    drawn = [plans.draw(seed, number, names) for number in numbers if number % parts == part]
    if arguments.plans:
        print("\n".join(plan.line() for plan in drawn))
        return 0
    for why in [devices.program_missing(), *(KINDS[name].why_not() for name in names)]:
        if why:
            print(f"cannot run here: {why}", file=sys.stderr)
            return 2
    many = arguments.jobs > 1 and arguments.trial is None
    if not many:
        alone()
    if not arguments.json:
        print(f"PRIMACY_SEED={seed}", flush=True)
    if many:
        results = in_jobs(arguments, seed)
    else:
        run_dir = Path(tempfile.mkdtemp(prefix="primacy-chaos-", dir="/tmp"))
        tell = (lambda result: print(json.dumps(result), flush=True)) if arguments.json else \
            (lambda result: tell_person(result, arguments.trial is not None))
        results = run_many(drawn, run_dir, tell, arguments.keep)
        if not arguments.keep and not any(result["violations"] for result in results):
            shutil.rmtree(run_dir, ignore_errors=True)
    if arguments.results:
        with open(arguments.results, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(result) + "\n" for result in results)
    if not arguments.json:
        print("\n".join(report.summary(results)))
    return 1 if any(result["violations"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
