#!/usr/bin/env python3
"""A real topology goes wrong; primacy says so, and then ends it by itself; and a table is altered
under writes: `make demo`.

    python3 demo/demo.py            tells the story, about 70 s, and leaves nothing behind
    KEEP=1 python3 demo/demo.py     leaves the servers and the agent up at the end
    python3 demo/demo.py --stop     stops what KEEP=1 left

PRIMACY_BINARY names another program than build/release/agent/primacy. Exit code 0: every step
happened; 1: one did not (the last line says which); 130: interrupted.
"""

import argparse
import os
import signal
import sys
import time

import stage as scenery
from changing import ThirdPart
from enforcing import SecondPart
from stage import LEFT_UP, REPOSITORY, RUN, Failed, Stage, Terminal, stop_left_up
from primacy_harness import find_server
from primacy_harness.topology import REPLICATION, REPLICATION_PASSWORD

CAP = 20  # seconds that any step may take before the demo gives up


class Story:
    """The acts, in order; each one leaves the times that it measured in `measured`."""

    def __init__(self, stage, terminal):
        self.stage, self.terminal = stage, terminal
        self.say = terminal.say
        self.line = terminal.line
        self.measured = []  # (what, seconds, seconds allowed or None)
        self.skipped = []   # acts that cannot be played on this machine
        self.writer = None

    def tell(self):
        self.set_up()
        self.second_writer()
        self.mend()
        self.primary_dies()
        self.primary_returns()
        SecondPart(self, self.stage, self.terminal).tell()
        ThirdPart(self, self.stage, self.terminal).tell()

    def note(self, what, seconds, allowed=None):
        self.measured.append((what, seconds, allowed))
        promise = f" (promised: within {allowed:.2f} s)" if allowed else ""
        self.say(f"{what}: {seconds:.2f} s{promise}.", "good")

    # --- act 1

    def set_up(self):
        stage = self.stage
        self.say("Starting three MariaDB servers on 127.0.0.1: db1 takes writes, db2 and db3 "
                 "replicate from it by GTID.")
        stage.open_servers()
        version = stage.topology["db1"].value("SELECT VERSION() AS version")
        ports = ", ".join(f"{server.name} on port {server.port}" for server in stage.topology)
        self.say(f"MariaDB {version} runs: {ports}.")
        self.writer = stage.topology.background_writer("db1", "shop")
        self.writer.wait_for_progress()
        self.say("An application writes to db1 from now on, all the time.")
        self.say("Starting the agent. It asks every server once a second; its log is shown here.")
        begun = time.monotonic()
        stage.open_agent()
        self.note("agent started, first judgement made",
                  stage.until(lambda seen: seen["state"] == "healthy", begun, CAP,
                              "the first judgement says healthy"))
        stage.primacy("status", expected=0)

    # --- act 2

    def second_writer(self):
        stage = self.stage
        self.say("Now the accident: somebody takes db3 out of replication and opens it for writes. "
                 "db1 still takes writes.")
        stage.sql("db3", "STOP SLAVE", "RESET SLAVE ALL")
        begun = time.monotonic()
        stage.sql("db3", "SET GLOBAL read_only = OFF")
        self.note("second writer → suspected",
                  stage.until(lambda seen: seen["split_brain"]["suspected"], begun, CAP,
                              "the agent suspects a split brain"))
        self.say("It waits for 3 polls and 2 s before it says so aloud: a planned switchover "
                 "overlaps for a moment, too.")
        in_status = stage.until(lambda seen: seen["split_brain"]["confirmed"], begun, CAP,
                                "the agent confirms the split brain")
        in_metrics = stage.until_metric("primacy_topology_split_brain", 1, begun, CAP)
        self.note("second writer → confirmed in /api/v1/status", in_status, stage.promised)
        self.note("second writer → confirmed in /metrics", in_metrics, stage.promised)
        for text in stage.agent.get("/metrics").text.splitlines():
            if text.startswith("primacy_topology_split_brain{"):
                self.line(f"   /metrics says: {text}")
        stage.primacy("status", expected=2)
        self.conflicting_writes()

    def conflicting_writes(self):
        stage = self.stage
        self.say("An application that was sent to db3 writes there. db1 and db3 now hold "
                 "different histories.")
        begun = time.monotonic()
        for _ in range(3):
            number = stage.topology.write_row("db3", "stray")
            self.line(f"   db3> INSERT INTO app.facts (writer, number) VALUES ('stray', {number});",
                      "command")
        stage.until(lambda seen: any(finding["code"] == "diverged"
                                     for finding in seen["findings"]), begun, CAP,
                    "the agent proves that db1 and db3 have diverged")
        self.say("The agent has proof, by GTID, that they have diverged. Why does it say so?")
        stage.primacy("explain", expected=0)

    # --- act 3

    def mend(self):
        stage = self.stage
        self.say("A person decides that db1 stays. First, db3 stops taking writes.")
        begun = time.monotonic()
        stage.sql("db3", "SET GLOBAL read_only = ON")
        self.note("second writer closed → split brain is over",
                  stage.until(lambda seen: seen["state"] != "split_brain"
                              and not seen["split_brain"]["confirmed"], begun, CAP,
                              "the agent says that the split brain is over"))
        stage.until_metric("primacy_topology_split_brain", 0, begun, CAP)
        rows = stage.sql("db3", "SELECT COUNT(*) AS n FROM app.facts WHERE writer = 'stray'")
        self.say(f"{rows[0]['n']} rows exist on db3 only. Nothing merges two histories: db3's copy "
                 "is thrown away, and these rows with it (on a real host, save them first).")
        begun = self.rebuild("db3", "db1")
        self.note("db3 replicates again → all-clear (healthy)",
                  stage.until(lambda seen: self.all_clear(seen, "db1", "db3"), begun, CAP,
                              "the agent gives the all-clear"))
        stage.primacy("status", expected=0)

    @staticmethod
    def all_clear(seen, writer, replica):
        """Healthy, with that writer, and that replica replicates from it without delay."""
        channels = find_server(seen, replica)["channels"]
        return (seen["state"] == "healthy" and seen["writers"] == [writer]
                and not seen["split_brain"]["suspected"]
                and [channel["source"] for channel in channels] == [writer]
                and all(channel["io_running"] and channel["sql_running"]
                        and (channel["lag_seconds"] or 0) < 5 for channel in channels))

    def rebuild(self, name, source):
        """Throws the copy on `name` away and fetches everything again; when replication began."""
        self.say(f"{name} gets a fresh copy: here by replaying the binary log of {source}, which "
                 "reaches back to the beginning; on a real host by mariabackup.")
        port = self.stage.topology[source].port
        self.stage.sql(name, "SET SESSION sql_log_bin = 0", "DROP DATABASE app",
                       "SET SESSION sql_log_bin = 1", "RESET MASTER",
                       "SET GLOBAL gtid_slave_pos = ''", self.follow_statement(port))
        begun = time.monotonic()
        self.stage.sql(name, "START SLAVE")
        self.stage.until_applied(name, source)
        self.say(f"{name} replicates from {source}, has everything, and is read-only.")
        return begun

    @staticmethod
    def follow_statement(port):
        return (f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, "
                f"MASTER_USER='{REPLICATION}', MASTER_PASSWORD='{REPLICATION_PASSWORD}', "
                "MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1")

    # --- act 4

    def primary_dies(self):
        stage = self.stage
        self.say("One more turn: db1 disappears at once, as in a power cut or behind a cut cable. "
                 "(The application pauses just before, so that no row is lost on the way.)")
        stage.topology.stop_writers()
        stage.until_applied("db2", "db1")
        stage.until_applied("db3", "db1")
        self.line(f"   $ kill -KILL {stage.topology['db1'].pid}", "command")
        stage.topology["db1"].kill()
        self.say("A failover promotes db2, db3 follows it, and the application moves to db2.")
        port = stage.topology["db2"].port
        stage.sql("db2", "STOP SLAVE", "RESET SLAVE ALL")
        stage.sql("db3", "STOP SLAVE", self.follow_statement(port), "START SLAVE")
        begun = time.monotonic()
        stage.sql("db2", "SET GLOBAL read_only = OFF")
        self.writer = stage.topology.background_writer("db2", "shop-after-failover")
        self.writer.wait_for_progress()
        self.note("db2 promoted → former_primary_unseen (critical)",
                  stage.until(self.unseen, begun, CAP,
                              "the agent says that it cannot see the former primary"))
        self.say("Two writers may exist although no poll shows two: nobody knows what db1 does. "
                 "That is what exit code 3, unknown, says.")
        stage.primacy("status", expected=3)

    @staticmethod
    def unseen(seen):
        return any(finding["code"] == "former_primary_unseen" and finding["severity"] == "critical"
                   and finding["subject"] == "db1" for finding in seen["findings"])

    def primary_returns(self):
        stage = self.stage
        self.say("db1 comes back. Its configuration says read_only, as it should on every host.")
        begun = time.monotonic()
        stage.topology["db1"].start()
        answers = time.monotonic() - begun
        self.say(f"db1 recovered from the crash and answers after {answers:.1f} s.")
        self.note("db1 is seen read-only → former_primary_unseen is cleared",
                  max(0.0, stage.until(lambda seen: not self.unseen(seen), begun, CAP,
                                       "the finding is cleared") - answers))
        self.say("db1 lost nothing that db2 lacks, so it can follow db2 as it is.")
        stage.sql("db1", "SET GLOBAL gtid_slave_pos = @@gtid_current_pos",
                  self.follow_statement(stage.topology["db2"].port))
        begun = time.monotonic()
        stage.sql("db1", "START SLAVE")
        stage.until_applied("db1", "db2")
        self.note("db1 replicates from db2 → all-clear (healthy)",
                  stage.until(lambda seen: self.all_clear(seen, "db2", "db1"), begun, CAP,
                              "the agent gives the all-clear, with db2 as the writer"))
        stage.primacy("status", expected=0)


def summary(story, terminal):
    terminal.line()
    terminal.line("Measured just now:", "story")
    for what, seconds, allowed in story.measured:
        verdict = ""
        if allowed:
            verdict = f"   promised ≤ {allowed:.2f} s" + ("" if seconds <= allowed else
                                                          "   LATE: is this machine busy?")
        terminal.line(f"   {seconds:6.2f} s  {what}{verdict}")


    for what in story.skipped:
        terminal.line(f"   SKIPPED   {what}", "bad")


def how_to_try(stage, terminal):
    config = os.path.relpath(stage.agent.config_file, REPOSITORY)
    program = os.path.relpath(stage.agent.binary, REPOSITORY)
    base = f"http://{stage.agent.config['agent']['listen']}"
    terminal.line()
    terminal.line("Left up, as you asked (the application has stopped writing). Try:", "story")
    for command in ("status --watch", "explain", "status --json", "preflight shop"):
        terminal.line(f"   {program} {command} --config {config}")
    terminal.line(f"   curl {base}/metrics      {base}/api/v1/status      {base}/healthz")
    for server in stage.topology:
        terminal.line(f"   mariadb --no-defaults -u root -S {server.socket}      # {server.name}")
    terminal.line("Stop it with: python3 demo/demo.py --stop", "story")


def perform(keep, terminal):
    """The exit code of the whole demo."""
    stage = Stage(terminal, keep)
    story = Story(stage, terminal)
    code, problem = 1, None
    try:
        story.tell()
        summary(story, terminal)
        code = 0
        if keep:
            stage.leave_up()
            how_to_try(stage, terminal)
            return 0
    except KeyboardInterrupt:
        code, problem = 130, "interrupted"
    except Failed as failure:
        problem = str(failure)
    except Exception as failure:  # servers that do not start, say: one sentence, not a traceback
        problem = f"{type(failure).__name__}: {failure}"
    # A second Ctrl-C must not stop the cleaning up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    complaint = stage.close()
    if complaint:
        code, problem = code or 1, problem or complaint
    if problem:
        terminal.line(f"demo: {problem}", "bad")
        if code == 1 and RUN.exists():
            terminal.line(f"demo: the logs are under {RUN}", "bad")
    else:
        terminal.say("Every step that this machine can play happened. Nothing is left running."
                     if story.skipped else "Every step happened. Nothing is left running.", "good")
    return code


def interrupt(_number, _frame):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stop", action="store_true", help="stop what KEEP=1 left running")
    options = parser.parse_args()
    terminal = Terminal()
    if options.stop:
        return stop_left_up(terminal)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        scenery.FOLDER.mkdir(parents=True, exist_ok=True)
        (scenery.FOLDER / ".writable").touch()
    except OSError as failure:
        terminal.line(f"demo: cannot write to {scenery.FOLDER} ({failure.strerror}): does it "
                      "belong to another user?", "bad")
        return 1
    if LEFT_UP.exists():
        terminal.say("An earlier demo was left up; stopping it first.")
        stop_left_up(terminal)
    if scenery.running_under(RUN):
        terminal.line(f"demo: another demo runs under {RUN}; let it end first.", "bad")
        return 1
    return perform(os.environ.get("KEEP", "") not in ("", "0"), terminal)


if __name__ == "__main__":
    sys.exit(main())
