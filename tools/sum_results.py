#!/usr/bin/env python3
"""Sums what tools/test.sh left in a folder and prints one line: N passed, M failed, K skipped.

A doctest program counts by its test cases, pytest by its tests, any other step as one. Files:
NAME.xml (JUnit, from ctest or pytest), NAME.passed, NAME.failed, NAME.skipped (one line: why).
Exit: 0 nothing failed and something passed, 1 otherwise.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

DOCTEST = re.compile(r"\[doctest\] test cases: +(\d+) \| +(\d+) passed \| +(\d+) failed"
                     r" \| +(\d+) skipped")


def count_case(case):
    """(passed, failed, skipped) of one <testcase>."""
    skip, status = case.find("skipped"), case.get("status")
    # ctest also calls a program skipped that is not there or cannot be started.
    never_ran = status == "notrun" and "SKIP_" not in (skip.get("message", "") if skip is not None
                                                       else "")
    if skip is not None and not never_ran:
        return 0, 0, 1
    broken = (never_ran or case.find("failure") is not None or case.find("error") is not None
              or status == "fail")
    summary = DOCTEST.search(case.findtext("system-out") or "")
    if summary:
        _, passed, failed, skipped = map(int, summary.groups())
        # A program that counted no failure and yet failed (a leak at its end) is one failure.
        return passed, max(failed, int(broken)), skipped
    return (0, 1, 0) if broken else (1, 0, 0)


def count_file(file):
    if file.suffix == ".xml":
        cases = ElementTree.parse(file).getroot().iter("testcase")
        return [sum(column) for column in zip((0, 0, 0), *map(count_case, cases))]
    return [int(file.suffix == f".{word}") for word in ("passed", "failed", "skipped")]


def main(folder):
    total = [0, 0, 0]
    for file in sorted(Path(folder).iterdir()):
        try:
            counts = count_file(file)
        except ElementTree.ParseError as damage:
            print(f"{file.name} is damaged ({damage}); counted as a failure")
            counts = [0, 1, 0]
        total = [sum(pair) for pair in zip(total, counts)]
        if file.suffix == ".xml":
            print(f"{file.stem}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")
        elif file.suffix in (".failed", ".skipped"):
            print(f"{file.stem}: {file.suffix[1:]}: {file.read_text(encoding='utf-8').strip()}")
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 0 if total[0] and not total[1] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
