"""Makes one plan happen on real servers with real agents, and gathers what came of it.

Judges nothing: checks.py does, with what the oracle expects. Everything runs on the main thread,
which starts and ends processes, except writers, watchers and the hand.
"""

import time

import pymysql

import troubles
from harness import WRITER, WRITER_PASSWORD, CapExceeded, wait_until
from journal import lost_sight
from load import BOSS, BOSS_PASSWORD
from oracle import expect
from stage import Stage

CAP = 45  # for everything that has to come of it by itself


class Trial(Stage):
    """One trial; run() leaves its evidence in the attributes."""

    # --- the run

    def run(self):
        try:
            self._prepare()
            self._intrude()
            {"nothing": self._nothing, "ask": self._ask, "cannot": self._cannot,
             "alert": self._alert}.get(self.expected.act, lambda: None)()
            self._settle()
            self.hold(0.4)
            self._weigh_watch()
        except CapExceeded as failure:
            self.tell(f"CAP: {failure}")
            raise
        finally:
            self.load.stop()
            if self.hand:
                self.hand.stop()
            if self.watcher:
                self.watcher.stop()

    def close(self, keep):
        for agent in self.agents:
            agent.close() if keep else agent.remove()

    def pump(self, condition, cap, what):
        """Lets troubles and checks go on until the condition holds and no trouble is left."""
        def turn():
            self.look()
            self._troubles = [one for one in self._troubles if next(one, "over") is None]
            return condition()
        return wait_until(turn, cap, f"{what}; troubles left: {len(self._troubles)}",
                          interval=0.01, ignore=(OSError, pymysql.MySQLError))

    def hold(self, seconds):
        until = time.monotonic() + seconds
        self.pump(lambda: time.monotonic() >= until, seconds + 30, "a pause")

    def add(self, trouble):
        self._troubles.append(trouble)

    def look(self):
        """Takes new records; each fence that is called confirmed is tried from outside at once."""
        for tail in self.tails:
            for record in tail.fresh():
                self.records.append(record)
                if record["kind"] == "ended" and record["result"] == "confirmed":
                    self._contradict(record)

    def _settle(self):
        try:
            self.pump(self._settled, CAP, "one writer and quiet agents")
        except CapExceeded:
            self._weigh_watch()
            in_doubt = not self.watched or self.plan.trouble == "kill_agent"
            if self.plan.rule != "incumbent" or not in_doubt:
                raise
            self.tell("no rule decides for an agent that doubts its memory; a person does")
            self.cli("pin", self.plan.old, "--reason", "the agent is in doubt")
            self.pump(self._settled, CAP, "one writer and quiet agents")

    def _weigh_watch(self):
        """Where the machine stood still, the agent may doubt its memory; the oracle is told. Doubt
        that came after the decision excuses nothing."""
        decided = [(record["agent"], record["time"]) for record in self.of_kind("begun")]
        if not decided:
            decided = [(agent.config["agent"]["name"], time.time()) for agent in self.agents]
        named = {agent.config["agent"]["name"]: agent for agent in self.agents}
        if self.watched and any(lost_sight(named[name], when) for name, when in decided):
            self.watched = False
            self.tell("an agent could not read a majority for a while")
            self.expected = expect(self.plan, watched=False)

    # --- what has to come of it

    def _nothing(self):
        """Opened for a moment only: nothing may be done about it."""
        (name,) = self.plan.intruders
        until = time.monotonic() + 0.05 + 0.4 * self.plan.moment
        wait_until(lambda: time.monotonic() >= until, 5, "the moment to pass")
        self.world.topology.make_read_only(name)
        self.server(name)._forget_admin()
        self.tell(f"{name} is closed again after {time.time() - self.opened[name]:.3f} s")
        self.hold(1.6)

    def _ask(self):
        """No rule decides: nobody is touched until a person has spoken."""
        self._wait_confirmed()
        self.hold(1.0)
        assert not self.of_kind("begun"), f"somebody was fenced: {self.of_kind('begun')}"
        self._wait_agents()
        self.cli("pin", self.plan.intruders[0], "--reason", "a person has looked")
        self.tell("a person pins " + self.plan.intruders[0])
        if not self.expected.rungs:
            self._cannot()

    def _cannot(self):
        """No rung works: it says so, claims nothing, and leaves the survivor alone."""
        def all_tried():
            tried = {record["server"] for record in self.of_kind("ended")}
            if tried and not tried >= set(self.losers):
                self._weigh_watch()  # it may have turned to others
            uncertain = not self.watched or self.plan.trouble == "kill_agent"
            return tried >= set(self.losers) or (uncertain and tried and not self._troubles)
        self.pump(all_tried, CAP, "the ladder to come to its end")
        self.hold(0.5)
        self.mended_at = time.time()
        self.tell("the harness mends what kept the fence from working")
        self.load.release()
        for name, devices in self.world.devices.items():
            devices.heal()
        for name in self.plan.writable:
            if self.server(name).running():
                self._mend_server(name)
        self.world.forget_root()

    def _mend_server(self, name):
        server = self.server(name)
        if self.plan.sql == "refused":
            troubles.grant_one(self.world.topology, server)
        if self.plan.load == "bypass":
            troubles.drop_boss(server)

    def _alert(self):
        """The former primary is dark: it is told, nobody is stopped, and then it wakes."""
        def told():
            return all("former_primary_unseen" in agent.finding_codes(self.plan.old)
                       for agent in self.living_agents())
        self.pump(told, 20, "the finding former_primary_unseen")
        self.hold(1.0)
        assert not self.of_kind("begun"), f"somebody was fenced: {self.of_kind('begun')}"
        self.server(self.plan.old).resume()
        self.tell(f"{self.plan.old} wakes")

    def _wait_agents(self):
        self.pump(lambda: not self._troubles and self.living_agents() and
                  all(agent.get("/readyz").status == 200 for agent in self.living_agents()),
                  20, "agents to be up")

    def _wait_confirmed(self):
        self._wait_agents()
        self.pump(lambda: any(agent.topology()["split_brain"]["confirmed"]
                              for agent in self.living_agents()), 20, "the split brain")

    def writable_now(self):
        """By the watcher's samples; what is frozen by the harness counts as it was."""
        return [name for name in self.plan.names if self.watcher.state(name) == "writable"]

    def _settled(self):
        if self._troubles:
            return False
        writable = self.writable_now()
        if len(writable) < 2 and not self._right(writable):
            self._weigh_watch()
        right = self._right(writable)
        if not right or not self.living_agents():
            return False
        if not all(self._calm(agent, writable) for agent in self.living_agents()):
            return False
        # Something had to be done about it, unless there was nothing to do or no way to do it; and
        # whoever was killed in the middle does not write its end.
        return bool(self.of_kind("ended")) or self.expected.act in ("nothing", "cannot") or \
            self.plan.trouble == "kill_holder" and bool(self.of_kind("begun"))

    def _right(self, writable):
        if not writable:
            return not self.expected.survivors or self.expected.nobody
        return len(writable) == 1 and writable[0] in self.expected.survivors

    def _calm(self, agent, writable):
        """It does nothing, sees who writes, and suspects nobody. An agent that did not stop a
        server itself goes on suspecting it while it is dark."""
        seen = agent.topology()
        if seen["writers"] != writable or \
                any(server["fence"] == "in_progress" for server in seen["servers"]):
            return False
        name = agent.config["agent"]["name"]
        acted = any(record["agent"] == name for record in self.of_kind("ended"))
        dark = any(not self.server(each).running() for each in self.expected.losers)
        return not seen["split_brain"]["suspected"] or (dark and not acted)

    # --- contradicting

    def _contradict(self, record):
        """Tries to write on a server whose fence was just called confirmed, as clients do."""
        server = self.server(record["server"])
        accounts = [(WRITER, WRITER_PASSWORD)]
        if self.plan.load == "bypass":
            accounts.append((BOSS, BOSS_PASSWORD))
        for user, password in accounts:
            try:
                session = server.connect(user, password, tcp=True, connect_timeout=1,
                                         read_timeout=1, write_timeout=1)
            except (pymysql.MySQLError, OSError):
                continue
            try:
                with session.cursor() as cursor:
                    cursor.execute("INSERT INTO app.facts (writer, number) VALUES (%s, %s)",
                                   (f"fresh-{user}", time.time_ns()))
                if not self.opened_since(record["server"], record["time"] - 0.3):
                    self.contradictions.append(
                        f"{record['server']} was called fenced by {record.get('rung')} at "
                        f"{record['time']:.3f}, and {user} wrote to it at {time.time():.3f}")
            except (pymysql.MySQLError, OSError):
                pass
            session._force_close()

    def writable_since(self, name):
        """When the watcher first saw it writable after it was opened, or ever."""
        since = self.opened.get(name, self.began)
        return min((at for at, state in self.watcher.changes[name]
                    if state == "writable" and at >= since - 0.05), default=float("inf"))

    def opened_since(self, name, when):
        """Whether somebody has opened it again after that moment."""
        by_hand = self.hand.opened if self.hand and self.hand.server.name == name else []
        return any(at >= when for at in by_hand)
