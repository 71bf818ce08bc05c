"""What the tests of alerts, runbooks, examples and dashboards share: the files as they are, and the
tools that read them. A tool that is not here is a skip that says so, never a silent pass."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
RULE_FILES = sorted((REPOSITORY / "alerts").glob("*.rules.yml"))
TEST_FILES = sorted((REPOSITORY / "alerts" / "tests").glob("*.test.yml"))
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
EXAMPLES = REPOSITORY / "packaging" / "examples"


def tool(name):
    """The path of a program, from build/tools (`make deps`) or from this machine."""
    path = f"{REPOSITORY}/build/tools/bin:{REPOSITORY}/build/tools/prometheus/usr/bin"
    found = shutil.which(name, path=path) or shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not here; `make deps` fetches it")
    return found


def run(*arguments, **options):
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True,
                          timeout=600, check=False, **options)
    return done.returncode, done.stdout + done.stderr


def all_alerts():
    return [rule for file in RULE_FILES for group in yaml.safe_load(file.read_text())["groups"]
            for rule in group["rules"]]


def documented_metrics():
    """{name: (type, labels)} of the reference table, which a unit test compares with the page."""
    table = {}
    for line in (REPOSITORY / "docs" / "metrics.md").read_text().splitlines():
        row = re.match(r"\| `(\w+)` \| (gauge|counter|histogram) \| ([\w, ]*)\|", line)
        if row:
            table[row[1]] = (row[2], {label.strip() for label in row[3].split(",")} - {""})
    assert len(table) > 50, "the reference table of docs/metrics.md was not found"
    return table


def unknown_metrics(expression):
    """What an expression names like one of our metrics and the agent does not export."""
    known = set(documented_metrics())
    known |= {name + suffix for name, (kind, _) in documented_metrics().items()
              if kind == "histogram" for suffix in ("_bucket", "_sum", "_count")}
    named = set(re.findall(r"\b(?:primacy|process)_[a-z_]+\b", expression))
    return named - known
