#!/usr/bin/python3
"""Writes what the results of run.py come to into docs/figures.md, between its marks.

    python3 tests/chaos/page.py RESULTS.jsonl --command "python3 tests/chaos/run.py …"
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import report  # noqa: E402
from harness import REPOSITORY  # noqa: E402

sys.path.insert(0, str(REPOSITORY / "tests" / "bench"))

from figures import Figure, judged, write  # noqa: E402

# What the issue promises; of the rung alone where another rung was tried before.
PROMISED = {"sql, idle": 0.1, "sql, under load": 2.0, "ssh, the rung alone": 2.0,
            "ipmi, the rung alone": 5.0}


def counted(results):
    broken = [result for result in results if result["violations"]]
    words = [sentence for result in broken for sentence in result["violations"]]

    def of(*names):
        return sum(any(word.startswith(name) for name in names) for word in words)
    wrong, without = of("right_servers_only"), of("one_writer", "nobody_left")
    false = of("claims_hold")
    return [
        Figure("trials", str(len(results)), "≥ 300", len(results) >= 300),
        Figure("ended as the oracle says", f"{len(results) - len(broken)} of {len(results)}",
               "all", not broken),
        Figure("wrong servers fenced", str(wrong), "0", wrong == 0),
        Figure("not exactly one writer, or not the right one", str(without), "0", without == 0),
        Figure("confirmed, and a fresh connection or a row says otherwise", str(false), "0",
               false == 0),
        Figure("fences confirmed", str(sum(len(result["fences"]) for result in results))),
        Figure("rows acknowledged · samples of who is writable",
               f"{sum(result['rows'] for result in results)} · "
               f"{sum(result['samples'] for result in results)}"),
    ]


def timed(results):
    rows = []
    for title, values in report.times_of(results):
        p99 = report.percentile(values, 0.99)
        name = f"{title}: p99 of {len(values)} (p50 {report.percentile(values, 0.5):.3f} s, " \
               f"longest {max(values):.3f} s)"
        rows.append(judged(name, p99, PROMISED[title], " s", 3) if title in PROMISED
                    else Figure(name, f"{p99:.3f} s"))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--remark", action="append", default=[])
    arguments = parser.parse_args()
    results = [json.loads(line) for path in arguments.results
               for line in path.read_text(encoding="utf-8").splitlines()]
    loads = [result["load"] for result in results]
    remarks = ["Counts: " + "; ".join(
        f"{dimension} " + ", ".join(f"{value} {count}" for value, count in sorted(counter.items()))
        for dimension, counter in sorted(report.counts_of(results).items())) + ".",
        "Times of sql are from the log's \"split brain confirmed\" to the journal's \"ended\", "
        "where the incumbent or a pin decides; of the others from the rung's intent to that. "
        "Trials with frozen servers and killed agents are left out. `end`: what the agent had to "
        "do, by the oracle; `cannot`, `ask` and `alert` end with a person's help, and until then "
        "nothing may be claimed and nobody touched. `watch broken`: the machine stood still for "
        "so long that the agent doubted its memory.", *arguments.remark]
    write("chaos", "Randomized split brains", arguments.command,
          f"{report.percentile(loads, 0.5):.1f} (longest {max(loads):.1f})",
          counted(results) + timed(results), remarks)


if __name__ == "__main__":
    main()
