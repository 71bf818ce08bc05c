"""docs/figures.md: one section for each part of the benchmark, each with its own date and command.

A run rewrites the sections of the parts that it ran and leaves the others.
"""

import datetime
import fcntl
import os
import platform
import re
import subprocess

from primacy_harness.kinds import REPOSITORY

PAGE = REPOSITORY / "docs" / "figures.md"

_OPENING = """# Figures

What primacy costs and how quickly it sees, measured on real MariaDB servers by `make bench`
(`python3 tests/bench/run.py`), which writes this page: nothing here is typed by hand. "1,000
servers" are a thousand addresses of 127.0.0.0/8 that lead to three real servers, in topologies of
three, each polled every second. Client and servers share the machine and whatever else runs on it:
the load is noted. Ratios are taken within one run.
"""


class Figure:
    """One measured value: text, and whether its target was met (None: there is none)."""

    def __init__(self, what, measured, target="", met=None):
        self.what, self.measured, self.target, self.met = what, measured, target, met

    def row(self):
        verdict = {None: "", True: "met", False: "**missed**"}[self.met]
        return f"| {self.what} | {self.measured} | {self.target} | {verdict} |"


def judged(what, value, limit, unit="", decimals=2):
    """A Figure with an upper limit; a missed one says by how much."""
    text = f"{value:.{decimals}f}{unit}"
    if value > limit:
        over = f"{value - limit:.{decimals}f}{unit}"
        text += f" ({over} too much, {value / limit:.3f} × the target)"
    return Figure(what, text, f"≤ {limit:g}{unit}", value <= limit)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"model name\s*:\s*(.*)", file.read())
    return f"{found.group(1) if found else platform.machine()}, {os.cpu_count()} cores, " \
           f"Linux {platform.release()}"


def source_state():
    done = subprocess.run(["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def write(part, title, command, load, figures, remarks=()):
    """Replaces the section of that part; prints it as well."""
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    lines = [f"<!-- {part}: begin -->", f"## {title}", "", f"`{command}`  ",
             f"{date} · {machine()} · load {load} · source {source_state()}", "",
             "| what | measured | target | |", "|---|---|---|---|"]
    lines += [figure.row() for figure in figures]
    for remark in remarks:
        lines += ["", remark]
    lines += [f"<!-- {part}: end -->"]
    section = "\n".join(lines)
    print(f"\n{section}\n", flush=True)
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    with open(PAGE, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read() or _OPENING
        old = re.compile(rf"<!-- {part}: begin -->.*?<!-- {part}: end -->", re.DOTALL)
        if old.search(text):
            text = old.sub(lambda _: section, text)
        else:
            text = text.rstrip("\n") + "\n\n" + section + "\n"
        file.seek(0)
        file.truncate()
        file.write(text)
