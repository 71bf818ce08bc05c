"""The password is nowhere to be seen while a schema change runs, nor after it."""

import os
import secrets
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from primacy_harness import wait_until
from primacy_harness.schema_change import TOOL_PRIVILEGES
from primacy_harness.topology import MONITOR_GRANTS
from test_osc_jobs import Jobs, alterable, gh_ost_of, pt_osc_of, table  # noqa: F401


_ACCOUNT = "secretive"


def _content(path):
    try:
        return path.read_bytes()
    except OSError:  # it has ended, or was replaced
        return b""


class Spy:
    """Looks for a text in every process and in every file of some folders, again and again."""

    def __init__(self, text, folders, allowed):
        self._text = text.encode()
        self._folders = folders
        self._allowed = allowed  # names of the files that are there to hold it
        self._stop = threading.Event()
        self.found = set()
        self.programs = set()
        self.looks = 0
        self.guarded = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._stop.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                words = _content(process / "cmdline")
                self.programs.update(word for word in words.split(b"\0")[:4] if word)
                if self._text in words:
                    self.found.add(f"argv of {words[:80]!r}")
                if self._text in _content(process / "environ"):
                    self.found.add(f"environment of {words[:80]!r}")
            for folder in self._folders:
                for path in list(folder.rglob("*")):
                    self._look_at(path)
            self.looks += 1
            self._stop.wait(0.02)

    def _look_at(self, path):
        if path.is_symlink() or not path.is_file() or self._text not in _content(path):
            return
        if path.name not in self._allowed:
            self.found.add(str(path))
            return
        self.guarded += 1
        try:
            modes = [stat.S_IMODE(each.stat().st_mode) & 0o077 for each in (path, path.parent)]
        except OSError:
            return
        if modes[0]:
            self.found.add(f"{path} can be read by others: {modes}")

    def end(self):
        self._stop.set()
        self._thread.join(30)


@pytest.fixture
def secret(alterable):  # noqa: F811
    """The password of an account that is used nowhere else on this machine."""
    made = "s3cret-" + secrets.token_hex(12)
    flavor = alterable.kind.flavor
    user = f"'{_ACCOUNT}'@'%'"
    for server in alterable:
        server.unlogged(f"DROP USER IF EXISTS {user}", f"CREATE USER {user} IDENTIFIED BY '{made}'",
                        *(each.format(user=user) for each in MONITOR_GRANTS[flavor]),
                        f"GRANT {TOOL_PRIVILEGES[flavor]} ON *.* TO {user}")
    yield made
    for server in alterable:
        server.unlogged(f"DROP USER {user}")


@pytest.mark.core
@pytest.mark.parametrize("tool", ["native", "pt-osc", "gh-ost"])
def test_no_password_is_visible(alterable, table, make_agent, secret, kind, tool):  # noqa: F811
    osc = {}
    if tool != "native":
        osc[tool.replace("-", "_")] = (pt_osc_of if tool == "pt-osc" else gh_ost_of)(kind)

    def make(config):
        config["topology"]["shop"]["user"] = _ACCOUNT
        return make_agent(config, password=secret)

    jobs = Jobs(make, alterable, **osc)
    spy = Spy(secret, [jobs.agent.folder], {"monitor.password", "client.cnf", "client.cnf.new"})
    try:
        job = jobs.run("--tool", tool, "--chunk-rows", "500")
        jobs.wait(job, lambda seen: seen["state"] != "queued", what="the job to begin")
        jobs.restart("kill")
        said = jobs.agent.cli("osc", "logs", job)
        seen = jobs.wait_state(job, "completed", "failed", "leftover", "ambiguous", cap=120)
        assert seen["state"] == "completed", (seen["sentence"], seen["left"], said.stdout[-3000:])
        shown = [said, jobs.agent.cli("osc", "logs", "--errors", job),
                 jobs.agent.cli("osc", "show", job, "--json"),
                 jobs.agent.cli("osc", "plan", "app.orders", "--alter", "ADD COLUMN more INT"),
                 jobs.agent.cli("osc", "cleanup", job, "--dry-run")]
        assert not any(secret in each.stdout + each.stderr for each in shown)
        assert secret not in jobs.agent.get("/metrics").text
        wait_until(lambda: not list(jobs.agent.state_dir.rglob("client.cnf*")), 10,
                   "the tool's password to be forgotten")
    finally:
        jobs.end_tools()
        spy.end()
    assert spy.found == set(), spy.found
    assert spy.looks > 20 and spy.guarded > 0
    if tool != "native":
        assert osc[tool.replace("-", "_")].encode() in spy.programs, "the tool was not looked at"


def test_the_spy_is_not_blind(tmp_path):
    """It finds a password in argv, in an environment and in a file."""
    text = "s3cret-" + secrets.token_hex(12)
    processes = [subprocess.Popen(["sh", "-c", f"sleep 60 # {text}"], start_new_session=True),
                 subprocess.Popen(["sleep", "60"], env={**os.environ, "SECRET": text})]
    (tmp_path / "output.log").write_text(f"password={text}", encoding="utf-8")
    open_file = tmp_path / "client.cnf"
    open_file.write_text(text, encoding="utf-8")
    open_file.chmod(0o644)
    spy = Spy(text, [tmp_path], {"client.cnf"})
    try:
        wait_until(lambda: len(spy.found) == 4, 20, lambda: f"all four to be found: {spy.found}")
    finally:
        spy.end()
        for process in processes:
            process.kill()
            process.wait()
