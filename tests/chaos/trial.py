"""Makes one plan happen on real servers with real agents, and gathers what came of it.

Judges nothing: checks.py does, with what the oracle expects. Everything runs on the main thread,
which starts and ends processes, except writers, watchers and the hand.
"""

import time

import pymysql

import troubles
from harness import (WRITER, WRITER_PASSWORD, Agent, CapExceeded, default_config, server_entry,
                     wait_until)
from journal import JournalTail, lost_sight
from load import BOSS, BOSS_PASSWORD, Load
from oracle import expect
from watch import Watcher

TTL = 3
CAP = 45  # for everything that has to come of it by itself


class Trial:
    """One trial; run() leaves its evidence in the attributes."""

    def __init__(self, plan, world, run_dir):
        self.plan, self.world, self.run_dir = plan, world, run_dir
        self.expected = expect(plan)
        self.agents, self.tails = [], []
        self.load, self.watcher, self.hand = Load(), None, None
        self.records = []          # of all agents, as they were seen
        self.story = []            # (time, text)
        self.contradictions = []   # a fence called confirmed that a new connection contradicts
        self.opened = {}           # server → when the harness opened it last
        self.killed = set()        # servers that the harness itself killed
        self.let_go = {}           # server → when the harness or a person lifted its fence
        self.mended_at = None
        self.watched = True
        self.began = time.time()
        self._troubles = []

    # --- small things

    def tell(self, text):
        self.story.append((time.time(), text))

    def server(self, name):
        return self.world[name]

    @property
    def losers(self):
        """Those that are stopped, in the plan's order; of two possible ones the intruders."""
        certain = [name for name in self.plan.writable if name in self.expected.losers and
                   name not in self.expected.survivors]
        return certain or list(self.plan.intruders)

    def living_agents(self):
        return [agent for agent in self.agents if agent.running()]

    def of_kind(self, *kinds):
        return [record for record in self.records if record["kind"] in kinds]

    def holders(self):
        return [agent for agent in self.living_agents()
                if agent.metric("primacy_lease_held", topology="shop") == 1]

    def cli(self, *words):
        """A command of a person to each agent."""
        for agent in self.living_agents():
            done = agent.cli(*words)
            assert done.exit_code == 0, done

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
            self._troubles = [trouble for trouble in self._troubles if next(trouble, "over") is None]
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
            if self.watched or self.of_kind("begun"):
                raise
            self.tell("no rule decides for an agent that doubts its memory; a person does")
            self.cli("pin", self.plan.old, "--reason", "the agent is in doubt")
            self.pump(self._settled, CAP, "one writer and quiet agents")

    def _weigh_watch(self):
        """Where the machine stood still, the agent may doubt its memory; the oracle is told."""
        self.watched = not any(lost_sight(agent) for agent in self.agents)
        if not self.watched:
            self.tell("an agent could not read a majority for a while")
            self.expected = expect(self.plan, watched=False)

    # --- before

    def _prepare(self):
        plan = self.plan
        self.world.restore(may_fence=plan.sql != "refused")
        for devices in self.world.devices.values():
            for kind, state in plan.devices:
                devices.set(kind, state)
        if plan.load == "bypass":
            self.world.make_boss()
        self.world.forget_root()
        two = plan.trouble in ("second_agent", "kill_holder")
        for name in ("first", "second") if two else ("first",):
            self._start_agent(name)
        for agent in self.agents:
            agent.wait_for(lambda seen: seen["writers"] == ["db1"] and
                           seen["incumbent"] == "db1", cap=20, what="db1 to be the incumbent")
        if plan.life == "restarted":
            self.agents[0].stop()
            self.agents[0].start()
            self.agents[0].wait_for(lambda seen: seen["incumbent"] == "db1", cap=20)
        wait_until(self.holders, 6 * TTL, "an agent to hold the lease")
        self.watcher = Watcher(self.world.servers, plan.mysql)
        if plan.intrusion == "comes_back":
            self._switch_over()
        if plan.rule in ("pin_old", "pin_new") and not self._pin_by_configuration():
            self.cli("pin", self._pinned(), "--reason", "a trial")
        if plan.trouble == "votes_lost":
            troubles.lose_votes(self)

    def _pinned(self):
        return self.plan.old if self.plan.rule == "pin_old" else self.plan.intruders[0]

    def _pin_by_configuration(self):
        return self.plan.moment < 0.5

    def _start_agent(self, name):
        agent = Agent(self.run_dir, self._config(name))
        self.agents.append(agent)
        self.tails.append(JournalTail(agent))
        agent.start()

    def _config(self, name):
        plan = self.plan
        entries = []
        methods = {}
        for server in self.world.servers:
            rungs = []
            for kind in plan.ladder:
                rungs.append(kind if kind == "sql" else f"{server.name}-{kind}")
                if kind != "sql":
                    methods[rungs[-1]] = self.world.devices[server.name].method(kind)
            entries.append(server_entry(server, fence=rungs))
        config = default_config(servers=entries, mode="enforce", detail_interval="1s",
                                confirm_for=f"{plan.confirm_ms}ms")
        config["agent"]["name"] = name
        shop = config["topology"]["shop"]
        shop["fencing"] = {"on_ambiguous": plan.ambiguous, "unseen_former": plan.unseen,
                           "max_fences": 30, "cooldown": "2s", "deadline": "40s"}
        if plan.rule in ("gtid", "nobody"):
            shop["fencing"]["keep"] = ["pin", "gtid"]
        if plan.rule in ("pin_old", "pin_new") and self._pin_by_configuration():
            shop["fencing"]["pin"] = self._pinned()
        shop["lease"] = {"backend": "servers", "ttl": f"{TTL}s"}
        if plan.trouble == "votes_lost":
            shop["lease"]["witnesses"] = [self.world.witness().address]
        if methods:
            config["method"] = methods
        return config

    def _switch_over(self):
        """A real one: the old primary closed, the new one opened, the agent knows it."""
        new = self.plan.old
        self.world.topology.make_read_only("db1")
        self.world.topology.wait_caught_up(new, "db1")
        self.world.topology.promote(new)
        for name in self.plan.bystanders:
            self.world.topology.follow(name, new)
        self.world.forget_root()
        for agent in self.agents:
            agent.wait_for(lambda seen: seen["incumbent"] == new and seen["writers"] == [new],
                           cap=20, what="the new primary to be the incumbent")
        self.tell(f"switched over to {new}")

    # --- the split brain

    def _intrude(self):
        """Arranges who follows whom, makes histories part where they must, and opens intruders."""
        plan, topology = self.plan, self.world.topology
        down = plan.rule == "replicas"
        if down:
            self.agents[0].kill() if plan.moment < 0.5 else self.agents[0].stop()
            self.tell("the agent is down")
            down_until = time.monotonic() + 1  # longer than a gap in the watch is forgiven
        if plan.follows == "old":
            self._write_on(plan.old)
        if plan.intrusion == "unseen":
            self.server(plan.old).pause()
        for name in plan.intruders:
            if plan.intrusion == "left_open":
                topology.stop_replication(name)
            else:
                topology.detach(name)
        if plan.follows == "new":
            for name in plan.bystanders:
                if name not in self.killed:
                    topology.follow(name, plan.intruders[0])
            self._write_on(plan.old)
        self._part_histories()
        self._hinder()
        troubles.arrange(self)
        for name in plan.intruders:
            self.opened[name] = time.time()
            topology.make_writable(name)
            self.tell(f"{name} is opened")
            self.server(name)._forget_admin()
        for name in plan.intruders:
            self._write_on(name)
        if down:
            wait_until(lambda: time.monotonic() >= down_until, 5, "the agent to have been down")
            self.agents[0].start()

    def _writes(self, name):
        if self.plan.rule == "gtid":  # only one history grows
            return name == self.plan.source
        return True

    def _write_on(self, name):
        """Starts this server's share of the load."""
        plan, server = self.plan, self.server(name)
        if plan.intrusion == "brief" and name != plan.old:
            return
        loser = name in self.losers
        if plan.load == "blocking" and loser:
            self.load.block(server)
        if plan.load != "idle" and self._writes(name):
            share = max(1, plan.writers // len(plan.writable))
            self.load.start(server, share, pause=0.1 if plan.writers > 10 else 0.02)
        if plan.load == "bypass" and loser:
            self.load.start(server, 2, pause=0.02, user=BOSS, password=BOSS_PASSWORD)

    def _part_histories(self):
        """One row that the others lack, before anybody can have looked."""
        plan = self.plan
        ahead = {"gtid": [plan.source],
                 "nobody": [] if plan.load == "idle" else plan.writable}.get(plan.rule, [])
        for name in ahead:
            if plan.mysql:  # root passes read_only, not super_read_only
                self.server(name).query("SET GLOBAL super_read_only = OFF")
            self.server(name).query("INSERT INTO app.facts (writer, number) VALUES (%s, 1)",
                                    (f"apart-{name}",))
            self.server(name)._forget_admin()

    def _hinder(self):
        plan = self.plan
        if plan.load == "semisync":
            stalled = plan.bystanders[0]
            self.world.semisync_on(plan.old, stalled)
            self.world.forget_root()
            self.server(stalled).pause()
            self.add(troubles.wake_at_the_end(self, stalled))
        if plan.sql == "full":
            for name in self.losers:
                self.load.fill(self.server(name))

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
            return {record["server"] for record in self.of_kind("ended")} >= set(self.losers) \
                or self.plan.trouble == "kill_agent" and not self._troubles and \
                self.of_kind("ended")
        self.pump(all_tried, CAP, "the ladder to come to its end")
        self.hold(0.5)
        self.mended_at = time.time()
        self.tell("the harness mends what kept the fence from working")
        self.load.release()
        for name, devices in self.world.devices.items():
            devices.heal()
        for name in self.plan.names:
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
        expected = self.expected
        if self.watched and any(lost_sight(agent) for agent in self.agents):
            expected = expect(self.plan, watched=False)
        right = (len(writable) == 1 and writable[0] in expected.survivors) or \
            (not writable and (not expected.survivors or expected.nobody))
        if not right or not self.living_agents():
            return False
        for agent in self.living_agents():
            seen = agent.topology()
            busy = any(server["fence"] == "in_progress" for server in seen["servers"])
            if busy or seen["split_brain"]["suspected"] or seen["writers"] != writable:
                return False
        # Something had to be done about it, unless there was nothing to do or no way to do it; and
        # whoever was killed in the middle does not write its end.
        return bool(self.of_kind("ended")) or self.expected.act in ("nothing", "cannot") or \
            self.plan.trouble == "kill_holder" and bool(self.of_kind("begun"))

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
