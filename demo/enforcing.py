"""The second part of the story: the agent ends split brains by itself, however the loser is to be
reached. Begins where demo.py's first part ends: db2 writes, db1 and db3 follow it."""

import time

from devices import Devices
from stage import Failed
from primacy_harness import find_server
from primacy_harness.topology import MONITOR

CAP = 30  # seconds that any step may take before the demo gives up
FENCING = "READ_ONLY ADMIN, CONNECTION ADMIN"
PROMISED = {"sql": 2.0, "db3-ssh": 2.0, "db3-bmc": 5.0}  # seconds from confirmed to fenced


class SecondPart:
    """`story` has been told so far; its helpers and its list of measured times are used."""

    def __init__(self, story, stage, terminal):
        self.story, self.stage = story, stage
        self.say, self.line, self.note = terminal.say, terminal.line, story.note
        self.devices = None
        self.spoiled = False  # SQL can no longer stop db3
        self.turns = 0

    def tell(self):
        self.arm()
        self.by_sql()
        self.by_ssh()
        self.by_ipmi()
        self.look_back()

    def missing(self, what, why):
        """An act that cannot be played here must not be taken for one that was."""
        self.story.skipped.append(what)
        self.line(f"   !!! SKIPPED: {what}: {why}", "bad")

    # --- the agent may act

    def arm(self):
        stage = self.stage
        self.say("Second part: the agent may act. It gets the right to fence, three ways to stop "
                 "db3, and a lease on the servers, so that of several agents one acts.")
        self.devices = stage.devices = Devices(stage.topology["db3"]).start()
        for server in stage.topology:
            self.change_grant("GRANT", "TO", server.name)
        methods = self.devices.methods()
        shop = stage.agent.config["topology"]["shop"]
        shop["mode"] = "enforce"
        shop["lease"] = {"backend": "servers", "ttl": "3s"}
        # Three incidents of one server within a minute would be too many on a real host.
        shop["fencing"] = {"max_fences": 3, "cooldown": "1s"}
        find_server({"servers": shop["server"]}, "db3")["fence"] = ["sql", *methods]
        stage.agent.config["method"] = methods
        begun = time.monotonic()
        stage.reload("mode", "fence", "backend", "ttl", "max_fences", "cooldown", "type")
        self.note("told to enforce → it holds the lease and is armed",
                  stage.until_metric("primacy_fencing_armed", 1, begun, CAP))
        stage.until(lambda seen: seen["state"] == "healthy", begun, CAP, "it says healthy")

    # --- the acts

    def second_writer(self):
        """Opens db3 beside db2; returns when, and when the agent confirmed it."""
        begun = time.monotonic()
        self.stage.sql("db3", "STOP SLAVE", "SET GLOBAL read_only = OFF")
        confirmed = self.stage.until(lambda seen: seen["split_brain"]["confirmed"], begun, CAP,
                                     "the agent confirms the split brain")
        self.turns += 1
        self.note(f"turn {self.turns}: second writer → confirmed", confirmed, self.stage.promised)
        return begun, begun + confirmed

    def fenced(self, begun, confirmed, rung):
        """Waits for the fence and until the next polls agree; whether it was by that rung."""
        stage = self.stage
        ended = ("confirmed", "partial", "failed", "unknown")
        took = stage.until(lambda seen: find_server(seen, "db3")["fence"] in ended, confirmed, CAP,
                           "the fence of db3 ends")
        (fence,) = stage.agent.topology()["fences"]
        if fence["state"] != "confirmed":
            raise Failed(f"the fence of db3 is {fence['state']}: {fence['reason']}")
        if fence["rung"] != rung:
            self.line(f"   {rung} came to no certain answer here (the log says why), so the ladder "
                      f"went on to {fence['rung']}.", "bad")
        self.note(f"turn {self.turns}: confirmed → stopped by {fence['rung']}, and proved", took,
                  PROMISED[fence["rung"]])
        self.note(f"turn {self.turns}: second writer → one writer", confirmed - begun + took)
        stage.until(lambda seen: seen["split_brain"]["since"] is None, confirmed, CAP,
                    "the polls say that one server writes")
        return fence["rung"] == rung

    def by_sql(self):
        stage = self.stage
        self.say("The accident again: somebody opens db3. The application writes to db2, and "
                 "another one to db3, all the time.")
        stray = stage.topology.background_writer("db3", "stray-again")
        begun, confirmed = self.second_writer()
        self.fenced(begun, confirmed, "sql")
        wrote = stray.stop()
        answer = stray.last_error
        self.line(f"   db3 took {wrote} rows; since then it says: {answer}")
        if "read-only" not in (answer or ""):
            raise Failed("db3 should refuse writes, and does not say so")
        self.story.writer.wait_for_progress()
        self.say("db2 takes writes all the time. db3 is quarantined until it follows db2.")
        stage.primacy("status", expected=1)
        self.return_to_db2(self.story.rebuild("db3", "db2"))

    def spoil_sql(self):
        if not self.spoiled:
            self.say("Now SQL will not do: on db3 somebody takes the grant away. (`primacy "
                     "preflight shop --for fencing` and primacy_fence_method_up would tell.)")
            self.change_grant("REVOKE", "FROM")
        self.spoiled = True

    def change_grant(self, verb, preposition, name="db3"):
        """GRANT … TO or REVOKE … FROM our account, on that server only."""
        self.stage.sql(name, "SET SESSION sql_log_bin = 0",
                       f"{verb} {FENCING} ON *.* {preposition} '{MONITOR}'@'%'",
                       "SET SESSION sql_log_bin = 1")

    def by_ssh(self):
        stage = self.stage
        if self.devices.why_no_ssh:
            return self.missing("fencing by ssh", self.devices.why_no_ssh)
        self.spoil_sql()
        begun, confirmed = self.second_writer()
        if self.fenced(begun, confirmed, self.devices.ssh_name):
            self.say("The agent's key can run nothing on that host but primacy-fence-host, which "
                     "stopped the server, and was asked once more whether it runs.")
        self.bring_back()

    def by_ipmi(self):
        stage = self.stage
        if self.devices.why_no_bmc:
            return self.missing("fencing by IPMI", self.devices.why_no_bmc)
        self.spoil_sql()
        if self.devices.sshd:
            self.say("And now the host's sshd is dead, too. What is left is the power switch: an "
                     "IPMI device, here a simulated one whose power is db3's process.")
            self.devices.sshd.stop()
        begun, confirmed = self.second_writer()
        self.fenced(begun, confirmed, self.devices.bmc_name)
        if stage.topology["db3"].running():
            raise Failed("the power is off, they say, and db3 runs")
        self.line(f"   the device was asked: {', '.join(self.devices.bmc.orders()[-4:])}")

    # --- afterwards

    def look_back(self):
        stage = self.stage
        self.say("What happened, in primacy's own words:")
        runs = stage.topology["db3"].running()
        stage.primacy("status", expected=0 if runs else 1)
        stage.primacy("explain", expected=0, since="  decision:")
        stage.primacy("audit", "--since", "5m", expected=0)
        if not runs:
            self.bring_back()
        if stage.keep:
            self.disarm()

    def disarm(self):
        """For whoever goes on by hand: a split brain that stays as long as it is looked at."""
        stage = self.stage
        self.say("The agent goes back to observe mode, so that you can look at a split brain in "
                 "peace.")
        self.change_grant("GRANT", "TO")
        config = stage.agent.config
        del config["method"]
        shop = config["topology"]["shop"]
        shop["mode"] = "observe"
        del find_server({"servers": shop["server"]}, "db3")["fence"]
        begun = time.monotonic()
        stage.reload("mode")
        stage.until(lambda seen: seen["mode"] == "observe" and seen["state"] == "healthy", begun,
                    CAP, "the agent observes")
        self.devices.close()

    def bring_back(self):
        self.say("db3 is started again; it boots read-only, as it should, and follows db2.")
        self.stage.topology["db3"].start()
        self.devices.power_on()
        self.return_to_db2(time.monotonic())

    def return_to_db2(self, begun):
        self.note(f"turn {self.turns}: db3 replicates again → quarantine over, healthy",
                  self.stage.until(
                      lambda seen: self.story.all_clear(seen, "db2", "db3")
                      and find_server(seen, "db3")["fence"] == "none", begun, CAP,
                      "db3 is given back"))
