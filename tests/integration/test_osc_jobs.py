"""Schema changes as jobs: real tools on real servers, under constant writes, through restarts."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from primacy_harness import default_config, wait_until
from primacy_harness.schema_change import ChangingTable, grant_tools, revoke_tools
from primacy_harness.tools import find_tool

pytestmark = pytest.mark.core

ROWS = 60000


def gh_ost_of(kind):
    """Its path, or a skip: of the releases that can be had none works with MariaDB before 11.1."""
    if kind.name == "mariadb":
        pytest.skip("gh-ost 1.1.10 does not work with MariaDB 10.11 (error 1193)")
    path = find_tool("gh-ost-1.1.10")
    if not path:
        pytest.skip("gh-ost was not built: no Go toolchain, or the module is not served")
    return path


def pt_osc_of(kind):
    if kind.is_mysql:
        pytest.skip("pt-online-schema-change 3.2.1 does not work with MySQL 8.4 and later")
    path = find_tool("pt-online-schema-change")
    if not path:
        pytest.skip("pt-online-schema-change was not found; run tools/deps.sh")
    return path


@pytest.fixture
def alterable(topology):
    grant_tools(topology)
    yield topology
    for server in topology:
        server.resume()
        if not server.running():
            server.start()
    revoke_tools(topology)


@pytest.fixture
def table(alterable, seed, request):
    made = ChangingTable(alterable, rows=request.config.getoption("--osc-rows") or ROWS, seed=seed)
    yield made
    made.stop()


@pytest.fixture
def make_jobs(make_agent, alterable):
    """Makes Jobs; their tools outlive agents, and here they must not outlive the test."""
    made = []

    def make(**osc):
        made.append(Jobs(make_agent, alterable, **osc))
        return made[-1]

    yield make
    for jobs in made:
        jobs.end_tools()


class Jobs:
    """An agent for schema changes, and its jobs as a person sees them."""

    def __init__(self, make_agent, topology, **osc):
        config = default_config(topology, probe_timeout="2s")
        self.agent = make_agent(config)
        self.agent.config["osc"] = {"log_dir": str(self.agent.folder / "osc-logs"), **osc}
        self.agent.write_config()
        self.agent.start()
        self.agent.wait_state("healthy")

    def run(self, *options, table="app.orders", alter="ADD COLUMN extra INT NULL", expect=0):
        said = self.agent.cli("osc", "run", table, "--alter", alter, "--topology", "shop",
                              "--reason", "test", "--json", *options, cap=90)
        assert said.exit_code == expect, said
        return said.json()["job"] if expect == 0 else said

    def show(self, job):
        shown = self.agent.cli("osc", "show", job, "--json")
        assert shown.exit_code == 0, shown
        return shown.json()

    def tell(self, what, job, expect=0):
        said = self.agent.cli("osc", what, job, "--reason", "test")
        assert said.exit_code == expect, said
        return said

    def wait(self, job, condition, cap=60, what="the job to change"):
        last = {}

        def check():
            last["seen"] = self.show(job)
            return last["seen"] if condition(last["seen"]) else None
        try:
            return wait_until(check, cap, f"{job}: {what}", interval=0.1)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{last}\n{self.agent.log_tail()}") from None

    def wait_state(self, job, *states, cap=60):
        return self.wait(job, lambda seen: seen["state"] in states, cap, f"state {states}")

    def end_tools(self):
        for note in self.agent.state_dir.glob("osc/*/program"):
            program, ticks = note.read_text(encoding="ascii").split()
            try:
                stat = Path(f"/proc/{program}/stat").read_text(encoding="utf-8")
            except OSError:
                continue
            if stat.rpartition(")")[2].split()[19] == ticks:
                os.killpg(int(program), signal.SIGKILL)

    def restart(self, how):
        if how == "kill":
            self.agent.kill()
        else:
            self.agent.stop()
        self.agent.start()


def altered_everywhere(table):
    for name in ("db2", "db3"):
        table.topology.wait_caught_up(name, "db1", cap=120)
    for server in table.topology:
        assert "extra" in table.columns(server), server
        assert table.differences(server) == 0, server


TOOLS = {"pt-osc": pt_osc_of, "gh-ost": gh_ost_of}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_copy_under_writes(alterable, table, make_jobs, kind, tool):
    """Paused, resumed, throttled by real lag, through two restarts, swapped when told to."""
    path = TOOLS[tool](kind)
    jobs = make_jobs(**{tool.replace("-", "_"): path})
    job = jobs.run("--tool", tool, "--cut-over", "manual", "--max-lag", "2s", "--chunk-rows", "200")
    jobs.wait(job, lambda seen: seen["progress"]["rows_copied"] > 0, what="rows to be copied")

    jobs.tell("pause", job)
    jobs.wait(job, lambda seen: seen["state"] == "paused" and seen["held"] == "user")
    jobs.restart("kill")
    jobs.wait(job, lambda seen: seen["state"] == "paused" and seen["held"] == "user")
    jobs.tell("resume", job)
    jobs.wait_state(job, "running", "postponed", cap=90)

    alterable.stop_replication("db3")
    jobs.wait(job, lambda seen: seen["held"] == "lag" or seen["state"] == "postponed",
              what="lag to hold it")
    alterable.start_replication("db3")
    jobs.restart("stop")
    seen = jobs.wait_state(job, "postponed", cap=180)
    assert "osc cut-over" in seen["sentence"], seen
    assert "extra" not in table.columns(), "it was not told to swap"

    jobs.tell("cut-over", job)
    seen = jobs.wait_state(job, "completed", "failed", "leftover", "ambiguous", cap=120)
    assert seen["state"] == "completed", seen
    table.wait_for_writes()
    table.stop()
    altered_everywhere(table)
    assert table.failures == [], table.failures[:3]


def test_a_native_alter_tries_again_while_its_table_is_held(table, make_jobs):
    """Each attempt is bounded; the job waits for the transaction that is in its way, and then ends."""
    jobs = make_jobs()
    holder = table.topology.connect_writer("db1")
    holder.autocommit(False)
    with holder.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM app.orders WHERE id = 1")
        cursor.fetchall()
        job = jobs.run("--tool", "native", "--lock-wait", "1s")
        seen = jobs.wait(job, lambda seen: seen["attempts"] >= 1 and seen["state"] == "postponed",
                         what="an attempt to fail")
        assert "extra" not in table.columns()
        seen = jobs.wait(job, lambda seen: "is open for" in seen["sentence"],
                         what="the transaction to be named")
        jobs.restart("kill")
        attempts = seen["attempts"]
        table.wait_for_writes()
        assert jobs.show(job)["attempts"] == attempts, "behind a long transaction none is made"
    holder.commit()
    holder._force_close()
    seen = jobs.wait_state(job, "completed", "failed", "leftover", "ambiguous")
    assert seen["state"] == "completed" and seen["attempts"] > attempts, seen
    table.stop()
    altered_everywhere(table)
    assert table.failures == [], table.failures[:3]


def test_run_and_wait_without_an_agent(table, make_jobs):
    """As in a pipeline: the command is the agent for as long as it takes."""
    jobs = make_jobs()
    jobs.agent.stop()
    alone = jobs.run(expect=1)
    assert "--wait" in alone.stderr and "no agent answers" in alone.stderr, alone
    done = jobs.agent.cli("osc", "run", "app.orders", "--alter", "ADD COLUMN extra INT NULL",
                          "--tool", "native", "--wait", cap=90)
    assert done.exit_code == 0 and "completed" in done.stdout, done
    table.stop()
    altered_everywhere(table)
    refused = jobs.agent.cli("osc", "run", "app.orders", "--alter", "ADD COLUMN extra INT NULL",
                             "--wait", cap=90)
    assert refused.exit_code == 1 and "already" in refused.stderr, refused
    # Nothing of it is left, and a real agent knows the job.
    jobs.agent.start()
    jobs.agent.wait_state("healthy")
    known = jobs.agent.cli("osc", "list", "--all", "--json").json()["jobs"]
    assert [job["state"] for job in known] == ["completed"], known


def test_an_agent_for_one_command_ends_with_it(table, make_jobs, kind):
    """It never fences; killed in the middle, its tool waits for leave, and a real agent goes on."""
    path = pt_osc_of(kind)
    jobs = make_jobs(pt_osc=path)
    jobs.agent.stop()
    shop = jobs.agent.config["topology"]["shop"]
    shop.update(mode="enforce", lease={"backend": "servers"})
    jobs.agent.write_config()
    waiting = subprocess.Popen(
        [jobs.agent.binary, "--config", jobs.agent.config_file, "osc", "run", "app.orders",
         "--alter", "ADD COLUMN extra INT NULL", "--tool", "pt-osc", "--cut-over", "manual",
         "--wait"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        job = wait_until(lambda: [note.parent.name for note in
                                  jobs.agent.state_dir.glob("osc/*/program")], 60,
                         "the tool to be started")[0]
        status = jobs.agent.cli("status", "--json").json()["topologies"][0]
        assert status["mode"] == "observe", "to fence is the work of an agent that stays"
    finally:
        waiting.kill()
        waiting.wait()
    wait_until(lambda: "no agent answers" in jobs.agent.cli("osc", "list").stderr, 30,
               "its agent to end")
    shop.update(mode="observe", lease={"backend": "none"})
    jobs.agent.write_config()
    jobs.agent.start()
    jobs.wait_state(job, "postponed", cap=120)
    jobs.tell("cut-over", job)
    assert jobs.wait_state(job, "completed", "failed", "leftover", "ambiguous",
                           cap=120)["state"] == "completed"
    table.stop()
    altered_everywhere(table)


def test_a_delayed_replica_is_no_reason_for_a_leftover(alterable, table, make_jobs, kind):
    """What the tool has dropped on the writer stands there for some seconds more."""
    tool = "gh-ost" if kind.is_mysql else "pt-osc"
    jobs = make_jobs(**{tool.replace("-", "_"): TOOLS[tool](kind)})
    delay = "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = {}" if kind.is_mysql else \
        "CHANGE MASTER TO MASTER_DELAY = {}"

    def set_delay(seconds):
        alterable.stop_replication("db3")
        alterable["db3"].query(delay.format(seconds))
        alterable.start_replication("db3")

    set_delay(4)
    try:
        job = jobs.run("--tool", tool, "--chunk-rows", "5000", "--max-lag", "10s", "--cut-over",
                       "manual")
        copy = "_orders_gho" if tool == "gh-ost" else "_orders_new"
        wait_until(lambda: alterable["db3"].query(f"SHOW TABLES IN app LIKE '{copy}'"), 60,
                   "the copy to be on the replica")
        jobs.wait_state(job, "postponed", cap=60)
        jobs.tell("cut-over", job)
        seen = jobs.wait_state(job, "completed", "failed", "leftover", "ambiguous", cap=120)
        assert seen["state"] == "completed", seen
        assert "yet to drop" in jobs.agent.log_text(), "the replica was not behind"
    finally:
        set_delay(0)
    table.stop()
    altered_everywhere(table)
