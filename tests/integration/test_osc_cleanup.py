"""osc cleanup after real tools that were killed: what is found, what goes, and above all what stays."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from primacy_harness import wait_until
from primacy_harness.tools import path_with_tools
from primacy_harness.topology import MONITOR, MONITOR_PASSWORD
from test_osc_jobs import Jobs, alterable, gh_ost_of, make_jobs, pt_osc_of, table  # noqa: F401

pytestmark = pytest.mark.core

TOOLS = {"pt-osc": pt_osc_of, "gh-ost": gh_ost_of}
_SERVERS = ("db1", "db2", "db3")


def _clean(jobs, *options, expect=0, what="app.orders"):
    """`osc cleanup --json`, and its objects by (server, name)."""
    said = jobs.agent.cli("osc", "cleanup", what, "--json", *options, cap=90)
    assert said.exit_code == expect, (said, jobs.agent.log_tail())
    made = said.json()
    made["by"] = {(each["server"], each["name"]): each for each in made["objects"]}
    return made


def _beside(table, server):
    """Tables and triggers beside app.orders and its twin on one server."""
    rows = [*server.query("SELECT TABLE_NAME AS name FROM information_schema.TABLES "
                          "WHERE TABLE_SCHEMA = 'app'"),
            *server.query("SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS "
                          "WHERE TRIGGER_SCHEMA = 'app'")]
    return {row["name"] for row in rows} - {"orders", "orders_twin", "facts"}


def _keep_old_rows(topology, name="_orders_20200101000000_del"):
    """A table that holds the original rows of an earlier change."""
    topology.primary.query(f"CREATE TABLE app.`{name}` (id INT PRIMARY KEY)")
    topology.primary.query(f"INSERT INTO app.`{name}` VALUES (1), (2), (3)")
    _wait_everywhere(topology, name)
    wait_until(lambda: _still_whole(topology, name), 60, "the rows to be everywhere")
    return name


def _wait_everywhere(topology, name):
    wait_until(lambda: all(server.value(
        "SELECT COUNT(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'app' AND "
        "TABLE_NAME = %s", (name,)) == 1 for server in topology), 60, f"{name} to be everywhere")


def _still_whole(topology, name):
    return all(server.value(f"SELECT COUNT(*) AS n FROM app.`{name}`") == 3 for server in topology)


def _kill_tool(jobs, job):
    note = jobs.agent.state_dir / "osc" / job / "program"
    os.killpg(int(note.read_text(encoding="ascii").split()[0]), signal.SIGKILL)


@pytest.mark.parametrize("tool", TOOLS)
def test_after_a_killed_job(alterable, table, make_jobs, kind, tool):  # noqa: F811
    """The plan is what `osc show` says is left; writes go on while it is carried out."""
    path = TOOLS[tool](kind)
    old = _keep_old_rows(alterable)
    jobs = make_jobs(**{tool.replace("-", "_"): path})
    job = jobs.run("--tool", tool, "--cut-over", "manual", "--chunk-rows", "100")
    jobs.wait(job, lambda seen: seen["progress"]["rows_copied"] > 0, what="rows to be copied")

    alive = _clean(jobs, "--yes", "--drop-old", "--allow", "tool_unseen", expect=1)
    assert alive["statements"] == [] and not any(each["drop"] for each in alive["objects"]), alive
    assert any("not over" in each["why"] or "at work" in each["why"] for each in alive["objects"])

    _kill_tool(jobs, job)
    seen = jobs.wait_state(job, "leftover", "failed", "aborted", "ambiguous")
    assert seen["state"] == "leftover", seen
    if tool == "gh-ost":  # its heartbeat stays fresh for a while
        wait_until(lambda: not _clean(jobs, "--dry-run")["at_work"], 30, "the heartbeat to be old")

    shown = _clean(jobs, "--dry-run", what=job)
    named = {f"{each['type']} `{each['name']}` on {each['server']}"
             for each in shown["objects"] if each["kind"] != "old_data"}
    assert named == set(seen["left"]) and named, (named, seen["left"])
    assert all(each["drop"] for each in shown["objects"] if each["kind"] != "old_data"), shown
    assert shown["by"]["db1", old]["drop"] is False and "--drop-old" in shown["by"]["db1", old]["why"]
    assert all(each["through"] == "db1" for each in shown["objects"] if each["drop"])
    if tool == "pt-osc":
        order = [each["type"] for each in shown["objects"] if each["server"] == "db1"]
        assert order == ["trigger"] * 3 + ["table"] * 2, shown["objects"]

    before = {server.name: _beside(table, server) for server in alterable}
    asked = jobs.agent.cli("osc", "cleanup", "app.orders")
    assert asked.exit_code == 2 and "--yes" in asked.stderr, asked
    assert {server.name: _beside(table, server) for server in alterable} == before

    done = _clean(jobs, "--yes")
    assert all(each["done"] for each in done["statements"]) and done["statements"], done
    assert [each["name"] for each in done["left"]] == [old] * 3, done
    table.wait_for_writes()
    table.stop()
    assert table.failures == [], table.failures[:3]
    for server in alterable:
        assert _beside(table, server) == {old}, server
        assert table.differences(server) == 0, server
    assert _still_whole(alterable, old)
    seen = jobs.show(job)
    assert "left" not in seen and "cleaned up since" in seen["sentence"], seen
    assert jobs.agent.metric("primacy_osc_leftover_objects", osc_job=job) == 0
    again = _clean(jobs, "--yes")
    assert again["statements"] == [], again


def test_old_rows_need_a_permit_and_their_time(alterable, table, make_jobs):  # noqa: F811
    jobs = make_jobs()
    old = _keep_old_rows(alterable)
    unknown = _clean(jobs, "--yes", "--drop-old", "--also", old)
    assert unknown["statements"] == [] and "by hand" in unknown["by"]["db1", old]["why"], unknown
    job = jobs.run("--tool", "native")
    assert jobs.wait_state(job, "completed", "failed")["state"] == "completed"
    kept = _clean(jobs, "--yes", "--drop-old")
    assert kept["statements"] == [] and "ago" in kept["by"]["db1", old]["why"], kept
    jobs.agent.config["osc"]["keep_old"] = "0s"
    jobs.agent.write_config()
    assert _clean(jobs, "--yes")["statements"] == []
    assert _still_whole(alterable, old)
    gone = _clean(jobs, "--yes", "--drop-old")
    assert gone["left"] == [] and len(gone["statements"]) == 1, gone
    assert all(_beside(table, server) == set() for server in alterable)


def test_after_a_killed_pt_osc_that_no_job_started(alterable, table, make_jobs, kind,  # noqa: F811
                                                   tmp_path):
    """A tool that waits shows nothing, and whoever drops its triggers loses its writes."""
    path = pt_osc_of(kind)
    jobs = make_jobs()
    primary = alterable.primary
    secret = tmp_path / "client.cnf"
    secret.write_text(f"[client]\nuser={MONITOR}\npassword={MONITOR_PASSWORD}\n", encoding="utf-8")
    with (tmp_path / "output").open("wb") as output:
        tool = subprocess.Popen(
            [path, f"--defaults-file={secret}", "--execute", "--alter", "ADD COLUMN extra INT",
             "--chunk-size=50", "--recursion-method=none", "--no-version-check",
             f"h={primary.host},P={primary.port},D=app,t=orders"],
            stdout=output, stderr=output, start_new_session=True,
            env={**os.environ, "PATH": path_with_tools()})
        try:
            wait_until(lambda: "_orders_new" in _beside(table, primary) and primary.value(
                "SELECT COUNT(*) AS n FROM app._orders_new") > 0, 30,
                lambda: Path(output.name).read_text(encoding="utf-8"))
            os.killpg(tool.pid, signal.SIGSTOP)
            held = _clean(jobs, "--yes", expect=1)
            assert held["statements"] == [], held
        finally:
            os.killpg(tool.pid, signal.SIGKILL)
            tool.wait()
    kept = _clean(jobs, "--yes", expect=1)
    assert kept["statements"] == [], kept
    assert "--allow tool_unseen" in kept["by"]["db1", "pt_osc_app_orders_ins"]["why"], kept
    assert "is kept" in kept["by"]["db1", "_orders_new"]["why"], kept
    done = _clean(jobs, "--yes", "--allow", "tool_unseen")
    assert done["left"] == [], done
    kinds = ["TRIGGER" in each["statement"] for each in done["statements"]]
    assert kinds == [True, True, True, False], done
    table.wait_for_writes()
    table.stop()
    assert table.failures == [], table.failures[:3]
    assert all(_beside(table, server) == set() for server in alterable)


def test_what_is_left_on_a_replica_alone(alterable, table, make_jobs, kind):  # noqa: F811
    """It goes there past the binary log, or the person is told why it cannot."""
    jobs = make_jobs()
    db3 = alterable["db3"]
    db3.unlogged("CREATE TABLE app._orders_gho (id INT PRIMARY KEY)",
                 "CREATE TABLE app._orders_ghc (id INT PRIMARY KEY) COMMENT 'gh-ost changelog'")
    position = "@@GLOBAL.gtid_executed" if kind.is_mysql else "@@GLOBAL.gtid_binlog_state"
    may_write = f"READ_ONLY ADMIN, BINLOG ADMIN ON *.* {{}} '{MONITOR}'@'%'"
    if kind.is_mysql:
        db3.query("SET GLOBAL super_read_only = ON")
    shown = _clean(jobs, "--dry-run")
    assert {(each["server"], each["through"]) for each in shown["objects"]} == {("db3", "db3")}
    failed = _clean(jobs, "--yes", expect=1)
    assert failed["statements"] and failed["statements"][0]["problem"], failed
    assert len(failed["statements"]) == 1, "the first that fails ends it"
    assert _beside(table, db3) == {"_orders_gho", "_orders_ghc"}
    if kind.is_mysql:  # a person opens it; we never do
        db3.query("SET GLOBAL super_read_only = OFF")
    else:
        db3.unlogged("GRANT " + may_write.format("TO"))
    try:
        table.stop()
        for replica in _SERVERS[1:]:
            alterable.wait_caught_up(replica, "db1", cap=60)
        before = db3.value(f"SELECT {position} AS p")
        done = _clean(jobs, "--yes")
        assert done["left"] == [] and all(each["done"] for each in done["statements"]), done
        assert db3.value(f"SELECT {position} AS p") == before, "it must not be logged"
        assert _beside(table, db3) == set()
    finally:
        if not kind.is_mysql:
            db3.unlogged("REVOKE " + may_write.format("FROM"))


def test_a_server_that_cannot_be_read_keeps_everything(alterable, table, make_jobs):  # noqa: F811
    jobs = make_jobs()
    alterable.primary.query("CREATE TABLE app._orders_ghc (id INT PRIMARY KEY) "
                            "COMMENT 'gh-ost changelog'")
    _wait_everywhere(alterable, "_orders_ghc")
    alterable["db3"].pause()
    try:
        kept = _clean(jobs, "--yes", expect=1)
        assert kept["statements"] == [] and kept["certain"] is False, kept
        assert "db3 cannot be read" in kept["by"]["db1", "_orders_ghc"]["why"], kept
    finally:
        alterable["db3"].resume()
    jobs.agent.wait_state("healthy", cap=60)
    assert _clean(jobs, "--yes")["left"] == []
    nobody = jobs.agent.cli("osc", "cleanup", "app.orders", "--topology", "shpo")
    assert nobody.exit_code == 2, nobody
    wrong = jobs.agent.cli("osc", "cleanup", "orders-0000")
    assert wrong.exit_code == 2 and "is no job" in wrong.stderr, wrong
