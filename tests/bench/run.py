#!/usr/bin/env python3
"""Benchmarks of primacy on real servers: `make bench`. Writes docs/figures.md.

    python3 tests/bench/run.py                       every part but the soak, about 20 minutes
    python3 tests/bench/run.py poll page             those parts
    python3 tests/bench/run.py --seconds 5 --rounds 1 --openings 7      a shorter run
    python3 tests/bench/run.py soak --minutes 60     the long one

A missed target is written down as missed and is no failure of the run. Exit code 0: every part
ran; 1: one failed or the soak saw growth; the parts that cannot run here are skipped loudly.
PRIMACY_BINARY names another program than build/release/agent/primacy; PRIMACY_SEED replays what is
random. As root, everything happens in a network namespace that ends with the run.
"""

import argparse
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
try:
    import pymysql  # noqa: F401
except ImportError:
    if os.environ.get("PRIMACY_BENCH_AGAIN") or not os.access("/usr/bin/python3", os.X_OK):
        sys.exit("bench: python3-pymysql is missing: run `make deps`")
    os.environ["PRIMACY_BENCH_AGAIN"] = "1"
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

import fences  # noqa: E402
import figures  # noqa: E402
import parts  # noqa: E402
import soak  # noqa: E402
from fleet import BUILD, Fleet, Skipped  # noqa: E402
from primacy_harness import netns, processes  # noqa: E402

PARTS = {"poll": parts.poll, "exporter": parts.exporter, "detection": parts.detection,
         "start": parts.start, "page": parts.page, "blackhole": parts.blackhole,
         "fence-sql": fences.sql_idle, "fence-busy": fences.sql_busy, "fence-ssh": fences.ssh,
         "fence-ipmi": fences.ipmi, "soak": soak.soak}
USUAL = [name for name in PARTS if name != "soak"]


def read_options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help=f"of {', '.join(PARTS)}; default: all but soak")
    parser.add_argument("--seconds", type=int, default=15, help="of each measured span")
    parser.add_argument("--rounds", type=int, default=3, help="of alternating runs")
    parser.add_argument("--openings", type=int, default=20, help="second writers to time")
    parser.add_argument("--fences", type=int, default=50,
                        help="second writers to stop by SQL; by ssh and IPMI half as many")
    parser.add_argument("--nice", type=int, default=0,
                        help="niceness of the whole run; negative (root) on a busy machine")
    parser.add_argument("--minutes", type=float, default=60, help="of the soak")
    options = parser.parse_args()
    for name in options.parts:
        if name not in PARTS:
            parser.error(f"no part {name!r}; there are {', '.join(PARTS)}")
    options.parts = options.parts or USUAL
    options.seed = int(os.environ.get("PRIMACY_SEED", random.SystemRandom().randrange(1 << 31)))
    options.command = shlex.join(["python3", "tests/bench/run.py", *sys.argv[1:]])
    return options


def enter_namespace(options):
    """Runs the whole program again in a network namespace of its own, where that is possible."""
    options.own_namespace = os.environ.get("PRIMACY_BENCH_NAMESPACE") == str(os.getpid())
    reason = netns.why_not()
    if options.own_namespace:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    elif reason is None:
        if "exporter" in options.parts:
            try:
                parts._exporter_program()  # while there still is a network
            except Skipped:
                pass
        os.environ["PRIMACY_BENCH_NAMESPACE"] = str(os.getpid())  # exec keeps it
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    else:
        print(f"bench: no network namespace: {reason}", flush=True)


def run_part(name, options):
    """True unless the part failed."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"bench: {name} (PRIMACY_SEED={options.seed}, load {load})", flush=True)
    fleet = None
    try:
        fleet = Fleet(BUILD / f"run-{name}")
        title, found, remarks = PARTS[name](fleet, options)
        figures.write(name, title, options.command, load, found, remarks)
        return all(figure.met is not False for figure in found) or name != "soak"
    except Skipped as reason:
        print(f"\n{'!' * 80}\nSKIPPED {name}: {reason}\n{'!' * 80}\n", flush=True)
        return True
    except Exception:
        traceback.print_exc()
        print(f"bench: {name} FAILED", flush=True)
        return False
    finally:
        if fleet:
            fleet.close()
        processes.end_all()


def main():
    options = read_options()
    enter_namespace(options)
    os.nice(options.nice)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    if not shutil.which("cc") and {"poll", "fence-busy"} & set(options.parts):
        sys.exit("bench: a C compiler is missing: run `make deps`")
    try:
        done = [run_part(name, options) for name in options.parts]
    except KeyboardInterrupt:
        return 130
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
