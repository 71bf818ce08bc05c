"""What test_osc_random_faults.py draws, does and checks. Asks servers for the truth, and the
product for what it says; knows nothing of how the product decides.
"""

import os
import random
import signal
import threading
import time
from dataclasses import dataclass

import pymysql

from primacy_harness import wait_until

TOOLS_OF = {"mariadb": ("pt-osc",), "mariadb-11.8": ("pt-osc", "gh-ost"), "mysql-9.7": ("gh-ost",)}
# After these the job must still reach its aim.
HARMLESS = ("nothing", "agent_killed", "agent_restarted", "tool_paused", "replica_stopped",
            "paused_by_hand", "long_transaction")
FAULTS = (*HARMLESS, "tool_killed", "tool_and_agent_killed", "primary_paused", "primary_killed",
          "second_writer", "table_dropped", "flags_removed", "aborted")
PHASES = ("copy", "copied", "swap")
OVER = ("completed", "failed", "aborted", "leftover", "ambiguous")
_PATIENCE = 180  # seconds for a job to be over after all is mended


@dataclass(frozen=True)
class Plan:
    tool: str
    fault: str
    phase: str
    moment: float  # seconds after the phase began
    lasts: float   # seconds until it is mended


def draw(seed, number, kind):
    choose = random.Random(f"{seed} osc {number}")
    fault = FAULTS[number % len(FAULTS)]
    return Plan(tool=choose.choice(TOOLS_OF[kind]), fault=fault, phase=choose.choice(PHASES),
                moment=round(choose.uniform(0, 0.8), 2), lasts=round(choose.uniform(1, 4), 1))


class Trial:
    def __init__(self, plan, topology, table, jobs):
        self.plan, self.topology, self.table, self.jobs = plan, topology, table, jobs
        self.job = self.ended = None
        self.told = False  # to swap the tables
        self.story = []
        self._began = time.monotonic()
        self._clock = threading.Event()  # never set: what waits for it waits its time

    def tell(self, what):
        self.story.append(f"{time.monotonic() - self._began:8.3f} {what}")

    def run(self):
        plan = self.plan
        self.job = self.jobs.run("--tool", plan.tool, "--cut-over", "manual", "--chunk-rows", "50",
                                 "--max-lag", "3s")
        self._wait_phase()
        self._clock.wait(plan.moment)
        self.tell(f"{plan.fault} in phase {plan.phase}")
        mend = getattr(self, f"_{plan.fault}")()
        if mend:
            self._clock.wait(plan.lasts)
            mend()
            self.tell("mended")
        self._drive_to_end()
        self.check()

    # --- on the way

    def _seen(self):
        seen = self.jobs.show(self.job)
        said = f"{seen['state']} {seen.get('held', '')}: {seen['sentence']}"
        if not self.story or not self.story[-1].endswith(said):
            self.tell(said)
        return seen

    def _wait_phase(self):
        if self.plan.phase == "copy":
            reached = lambda seen: seen["progress"]["rows_copied"] > 0  # noqa: E731
        else:
            reached = lambda seen: seen["state"] == "postponed"  # noqa: E731
        wait_until(lambda: reached(self._seen()), 120, f"phase {self.plan.phase}", interval=0.05)
        if self.plan.phase == "swap":
            self._swap()

    def _swap(self):
        said = self.jobs.agent.cli("osc", "cut-over", self.job, "--reason", "a trial")
        self.tell(f"told to swap: {said.stdout.strip() or said.stderr.strip()}")
        self.told = self.told or said.exit_code == 0

    def _drive_to_end(self):
        """As a person would: resumes what is paused, swaps what waits for it."""
        until = time.monotonic() + _PATIENCE

        def over():
            seen = self._seen()
            if seen["state"] == "postponed" and not self.told:
                self._swap()
            if seen["state"] == "paused" and seen["held"] == "user":
                self.jobs.tell("resume", self.job)
            return seen["state"] in OVER
        wait_until(over, until - time.monotonic(), "the job to be over", interval=0.2)
        self.ended = self._seen()["state"]

    # --- faults; each returns what mends it, or nothing

    def _nothing(self):
        return None

    def _program(self):
        note = self.jobs.agent.state_dir / "osc" / self.job / "program"
        return int(note.read_text(encoding="ascii").split()[0])

    def _signal_tool(self, number):
        try:
            os.killpg(self._program(), number)
        except (ProcessLookupError, FileNotFoundError):
            self.tell("the tool is not at work")

    def _tool_killed(self):
        self._signal_tool(signal.SIGKILL)

    def _tool_paused(self):
        self._signal_tool(signal.SIGSTOP)
        return lambda: self._signal_tool(signal.SIGCONT)

    def _agent_killed(self):
        self.jobs.agent.kill()
        return self.jobs.agent.start

    def _agent_restarted(self):
        self.jobs.agent.stop()
        return self.jobs.agent.start

    def _tool_and_agent_killed(self):
        self.jobs.agent.kill()
        self._signal_tool(signal.SIGKILL)
        return self.jobs.agent.start

    def _primary_paused(self):
        self.topology["db1"].pause()
        return self.topology["db1"].resume

    def _primary_killed(self):
        self.topology["db1"].kill()

        def mend():
            self.topology["db1"].start()
            self.topology.make_writable("db1")
        return mend

    def _replica_stopped(self):
        self.topology.stop_replication("db3")
        return lambda: self.topology.start_replication("db3")

    def _second_writer(self):
        """Opened, and written to by nobody; it goes on following."""
        self.topology.make_writable("db2")
        return lambda: self.topology.make_read_only("db2")

    def _long_transaction(self):
        holder = self.topology.connect_writer("db1")
        holder.autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM app.orders WHERE id = 1")
            cursor.fetchall()

        def mend():
            try:
                holder.rollback()
            except (pymysql.MySQLError, OSError):
                pass  # the tool may end who is in its way
            holder._force_close()
        return mend

    def _table_dropped(self):
        self.table.stop()
        self.topology["db1"].query("DROP TABLE app.orders")

    def _flags_removed(self):
        folder = self.jobs.agent.state_dir / "osc" / self.job
        for path in folder.rglob("*"):
            if path.is_file() and any(word in path.name for word in ("postpone", "throttle", "pause")):
                path.unlink()
                self.tell(f"removed {path.name}")

    def _paused_by_hand(self):
        said = self.jobs.agent.cli("osc", "pause", self.job, "--reason", "a trial")
        self.tell(f"told to pause: {said.stdout.strip() or said.stderr.strip()}")

    def _aborted(self):
        said = self.jobs.agent.cli("osc", "abort", self.job, "--reason", "a trial")
        self.tell(f"told to abort: {said.stdout.strip() or said.stderr.strip()}")

    # --- what must be true now

    def check(self):
        dropped = self.plan.fault == "table_dropped"
        if not self.table._stop.is_set():
            self.table.wait_for_writes(20, cap=30)
            self.table.stop()
        for name in ("db2", "db3"):
            self.topology.wait_caught_up(name, "db1", cap=60)
        altered = "extra" in self.table.columns()
        if not dropped or self.table.columns():
            for server in self.topology:
                assert self.table.differences(server) == 0, f"rows differ on {server.name}"
        if self.ended == "completed":
            assert altered or dropped, "completed, and the column is not there"
        if self.ended in ("failed", "aborted"):
            assert not altered, f"{self.ended}, and the column is there"
        if self.plan.fault in HARMLESS:
            assert self.ended == "completed", f"ended {self.ended}"
        self._check_left()

    def _beside(self, server):
        rows = [*server.query("SELECT TABLE_NAME AS name FROM information_schema.TABLES "
                              "WHERE TABLE_SCHEMA = 'app'"),
                *server.query("SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS "
                              "WHERE TRIGGER_SCHEMA = 'app'")]
        return {row["name"] for row in rows} - {"orders", "orders_twin", "facts"}

    def _clean(self, *options):
        said = self.jobs.agent.cli("osc", "cleanup", self.job, "--json", *options, cap=90)
        assert said.exit_code in (0, 1), said
        return said.json()

    def _check_left(self):
        """What is there, what show says, and what the clean-up lists are one and the same."""
        there = {(server.name, name) for server in self.topology for name in self._beside(server)}
        listed = self._clean("--dry-run")
        objects = {(each["server"], each["name"]): each for each in listed["objects"]}
        self.tell(f"left: {sorted(there)}")
        assert set(objects) == there, f"listed {sorted(objects)}, there are {sorted(there)}"
        seen = self._seen()
        shown = set(seen.get("left", ()))
        left = {f"{each['type']} `{each['name']}` on {each['server']}"
                for each in listed["objects"] if each["kind"] != "old_data"}
        if self.ended == "leftover":
            assert shown == left and left, f"show says {sorted(shown)}, listed {sorted(left)}"
        elif self.ended in ("failed", "aborted", "completed"):
            assert not left, f"{self.ended}, and left are {sorted(left)}"
        wait_until(lambda: not self._clean("--dry-run")["at_work"], 60, "the tool's last heartbeat")
        done = self._clean("--yes", "--drop-old", "--allow", "tool_unseen")
        for server in self.topology:
            rest = self._beside(server)
            assert not rest, f"{sorted(rest)} is still on {server.name}: {done}"
