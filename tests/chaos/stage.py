"""Sets a trial's stage: healthy servers, agents that know them, and then the split brain.

Judges nothing. What goes wrong beside it is in troubles.py, what has to come of it in trial.py.
"""

import time

import troubles
from harness import Agent, default_config, server_entry, wait_until
from journal import JournalTail
from load import BOSS, BOSS_PASSWORD, Load
from oracle import expect
from watch import Watcher

TTL = 3


class Stage:
    """The state of one trial, and its beginning; the evidence is in the attributes."""

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
        # A gap in the watch of 2.5 polls makes an agent doubt its memory, and machines stall.
        config = default_config(servers=entries, mode="enforce", detail_interval="1s",
                                poll_interval="200ms", confirm_for=f"{plan.confirm_ms}ms")
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
