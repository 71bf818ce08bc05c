"""One call of one fence driver on a real server, through tests/tools/fence_tool."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from primacy_harness import DatabaseServer, wait_until
from primacy_harness.kinds import REPOSITORY
from primacy_harness.tools import path_with_tools

FENCE_TOOL = Path(os.environ.get("PRIMACY_FENCE_TOOL",
                                 REPOSITORY / "build/release/tests/tools/fence_tool"))
# From a deadline until everything that was started is gone: SIGTERM, 1 s, SIGKILL.
GRACE_MS = 2500


def call(kind, options, what="fence", within_ms=20000, nonce="n-42", **target):
    """What one call of the driver reports; it must come by the deadline and a short grace."""
    if not FENCE_TOOL.exists():
        pytest.skip(f"{FENCE_TOOL} is not built")
    asked = {"kind": kind, "call": what, "within_ms": within_ms, "options": options,
             "order": {"nonce": nonce}, "target": {"server": "db1", **target}}
    done = subprocess.run([FENCE_TOOL], input=json.dumps(asked), capture_output=True, text=True,
                          timeout=within_ms / 1000 + 30, check=False,
                          env={**os.environ, "PATH": path_with_tools()})
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    print(report)
    assert report.get("took_ms", 0) <= within_ms + GRACE_MS, report
    return report


def assert_report(report, outcome, reason):
    assert (report["outcome"], report["reason"]) == (outcome, reason), report
    assert report["sentence"], report


def need(why):
    if why:
        pytest.skip(why)


@pytest.fixture
def server(run_dir, local_kind):
    started = DatabaseServer("fenced", run_dir, kind=local_kind).start()
    yield started
    started.resume()
    started.close()


def wait_gone(server):
    wait_until(lambda: not server.running(), 5, "the server to be gone")


def processes_with(words):
    """Command lines of living processes with these words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = folder.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if words in line:
            found.append(line)
    return found
