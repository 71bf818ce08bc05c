"""The third part of the story: a table gets a column while clients write to it, as a job that can be
paused, waits for a replica, and swaps when it is told to. Begins where the second part ends: db2
writes, db1 and db3 follow it."""

import json
import time

from stage import Failed
from primacy_harness import wait_until
from primacy_harness.schema_change import ChangingTable, grant_tools, revoke_tools
from primacy_harness.tools import find_tool

CAP = 60  # seconds that any step may take before the demo gives up
ROWS = 30000
TABLE = "app.orders"
ALTER = "ADD COLUMN note_of_clerk VARCHAR(40) NOT NULL DEFAULT ''"


class ThirdPart:
    def __init__(self, story, stage, terminal):
        self.story, self.stage = story, stage
        self.say, self.line, self.note = terminal.say, terminal.line, story.note
        self.table = self.job = None

    def tell(self):
        tool = find_tool("pt-online-schema-change")
        if not tool:
            self.story.skipped.append("a schema change")
            self.line("   !!! SKIPPED: a schema change: pt-online-schema-change was not found", "bad")
            return
        try:
            self.prepare(tool)
            self.plan_and_run()
            self.pause()
            self.wait_for_replica()
            self.swap()
        finally:
            if self.table:
                self.table.stop()
            revoke_tools(self.stage.topology)

    def prepare(self, tool):
        stage = self.stage
        self.say(f"Third part: {TABLE} needs a column. It has {ROWS} rows, and clients insert, "
                 "update and delete all the time, each write in a second table, too: what must be "
                 "there in the end. The job may use pt-online-schema-change.")
        stage.topology.stop_writers()  # other clients write from now on
        grant_tools(stage.topology)
        for server in stage.topology:
            server._forget_admin()
        self.table = ChangingTable(stage.topology, server="db2", rows=ROWS)
        stage.agent.config["osc"] = {"pt_osc": tool, "log_dir": str(stage.agent.folder / "osc")}
        stage.reload("pt_osc", "log_dir")

    def plan_and_run(self):
        self.stage.primacy("osc", "plan", TABLE, "--alter", ALTER, "--tool", "pt-osc", expected=0)
        begun = time.monotonic()
        said = self.stage.primacy("osc", "run", TABLE, "--alter", ALTER, "--tool", "pt-osc",
                                  "--cut-over", "manual", "--max-lag", "2s", "--chunk-rows", "100",
                                  "--reason", "the clerks asked for it", "--json", expected=0)
        self.job = json.loads(said.stdout)["job"]
        self.note("told to change the table → rows are copied", self.until(
            lambda seen: seen["progress"]["rows_copied"] > 0, begun, "rows are copied"))

    def pause(self):
        self.say("Somebody wants quiet for a moment.")
        begun = time.monotonic()
        self.stage.primacy("osc", "pause", self.job, "--reason", "a report runs", expected=0)
        self.until(lambda seen: seen["state"] == "paused", begun, "the job is paused")
        self.stage.primacy("osc", "show", self.job, expected=0)
        self.stage.primacy("osc", "resume", self.job, "--reason", "it is done", expected=0)
        self.until(lambda seen: seen["state"] in ("running", "postponed"), time.monotonic(),
                   "it goes on")

    def wait_for_replica(self):
        self.say("db3 stops replicating. A copy that goes on would leave it further behind.")
        begun = time.monotonic()
        self.stage.sql("db3", "STOP SLAVE SQL_THREAD")
        held = self.until(lambda seen: seen.get("held") == "lag" or seen["state"] == "postponed",
                          begun, "the lag holds the job")
        seen = self.seen()
        self.line(f"   {seen['sentence']}")
        self.note("db3 stops replicating → the copy waits", held)
        self.stage.sql("db3", "START SLAVE SQL_THREAD")
        self.until(lambda seen: seen["state"] == "postponed", time.monotonic(), "all is copied")

    def swap(self):
        stage = self.stage
        self.say("All is copied; the job waits for a person to say when.")
        stage.primacy("osc", "list", expected=0)
        begun = time.monotonic()
        stage.primacy("osc", "cut-over", self.job, "--reason", "now", expected=0)
        self.note("told to swap → the table has its column", self.until(
            lambda seen: seen["state"] == "completed", begun, "the job is completed"))
        self.table.wait_for_writes()
        self.table.stop()
        for server in stage.topology:
            if server.name != "db2":
                stage.until_applied(server.name, "db2")
        different = {server.name: self.table.differences(server) for server in stage.topology}
        self.line(f"   {self.table.writes} writes went on meanwhile; rows lost or different: "
                  + ", ".join(f"{name} {count}" for name, count in different.items()))
        if any(different.values()):
            raise Failed("rows were lost")
        if self.table.failures:
            raise Failed(f"a write failed: {self.table.failures[0]}")
        stage.primacy("osc", "show", self.job, expected=0)

    # --- inside

    def seen(self):
        shown = self.stage.agent.cli("osc", "show", self.job, "--json")
        if shown.exit_code != 0:
            raise Failed(f"`osc show` ended with {shown.exit_code}: {shown.stderr}")
        return shown.json()

    def until(self, condition, since, what):
        last = {}

        def reached():
            last["seen"] = self.seen()
            if last["seen"]["state"] in ("failed", "aborted", "leftover", "ambiguous"):
                raise Failed(f"the job ended {last['seen']['state']}: {last['seen']['sentence']}")
            return condition(last["seen"])
        try:
            wait_until(reached, CAP, what, interval=0.05)
        except AssertionError as failure:
            raise Failed(f"this did not happen within {CAP} s: {what}; {last}") from failure
        return time.monotonic() - since
