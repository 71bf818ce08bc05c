"""What one trial does, drawn from (seed, number): pure, printable as one line, and replayable.

Knows nothing of servers; the oracle reads it, the trial makes it happen. A combination that means
nothing is settled into the nearest one that does, so that every draw is a trial.
"""

import dataclasses
import random

KINDS = ("mariadb", "mariadb-11.8", "mysql-9.7")

# dimension → values and how often each is drawn
INTRUSIONS = {
    "promoted": 5,    # a replica is detached and opened
    "left_open": 3,   # a replica is opened while its threads are stopped
    "two": 3,         # two replicas are promoted at once
    "comes_back": 4,  # after a switchover the former primary is opened again
    "majority": 4,    # promoted, and most replicas follow it
    "unseen": 3,      # the primary is frozen, another one is promoted: nobody sees two writers
    "brief": 2,       # opened for less than the confirmation takes
}
RULES = {
    "incumbent": 6,  # the agent has watched without a gap
    "pin_old": 1,    # a person has named the old primary …
    "pin_new": 3,    # … or the intruder
    "replicas": 4,   # the agent was down when it happened
    "gtid": 3,       # one history contains the others
    "nobody": 2,     # no rule decides
}
LOADS = {
    "idle": 2,
    "light": 3,
    "many": 4,      # 20 to 50 writers in all
    "bypass": 2,    # an account with ALL PRIVILEGES writes throughout, beside ordinary ones
    "blocking": 3,  # INSERT … SELECT SLEEP(60) on each loser, beside ordinary ones
    "semisync": 1,  # the loser waits for a replica that is frozen
}
SQL = {"works": 7, "refused": 2, "full": 1}
DEVICES = {
    "ssh": {"works": 5, "host_key": 1, "hangs": 1, "down": 1},
    "ipmi": {"works": 4, "slow": 1, "silent": 1, "lying": 2, "stuck": 1, "wrong_password": 1},
    "agent": {"works": 3, "child_survives": 1, "stuck": 1},
    "exec": {"works": 3, "fails": 1},
}
TROUBLES = {
    "none": 6,
    "stop_before": 2,      # a loser is frozen before the split brain can be confirmed, and wakes
    "stop_during": 2,      # … as soon as the first rung is begun
    "stop_after": 2,       # … when its fence is confirmed, and wakes
    "kill_agent": 4,       # kill -9 at a random moment, and started again
    "second_agent": 3,     # two agents race for the lease
    "kill_holder": 2,      # two agents, and the one that holds the lease is killed for good
    "voter_dies": 2,       # a replica is killed at a random moment
    "votes_lost": 1,       # so many voters are dead that nobody may act; then one comes back
    "hand_once": 2,        # somebody opens the fenced server again
    "hand_again": 2,       # … and again and again
    "survivor_frozen": 1,  # the server to be kept freezes at a random moment, and wakes
}


@dataclasses.dataclass(frozen=True)
class Plan:
    seed: int
    number: int
    kind: str
    size: int
    intrusion: str
    intruders: tuple  # names of the servers that are opened beside the old primary
    old: str          # the rightful primary before
    follows: str      # "old" | "new": whom the bystanders follow
    rule: str
    ambiguous: str    # on_ambiguous
    unseen: str       # unseen_former
    load: str
    writers: int      # ordinary ones, on all writable servers together
    sql: str
    ladder: tuple     # "sql" and types of DEVICES
    devices: tuple    # (type, state) for each device of the ladder
    trouble: str
    moment: float     # 0 to 1: when it strikes
    confirm_ms: int
    life: str         # "fresh" | "restarted": whether the agent remembers an earlier run

    @property
    def names(self):
        return tuple(f"db{number}" for number in range(1, self.size + 1))

    @property
    def writable(self):
        """All that are writable at once, the old primary first."""
        return (self.old, *self.intruders)

    @property
    def bystanders(self):
        return tuple(name for name in self.names if name not in self.writable)

    @property
    def source(self):
        """Whom the bystanders follow during the split brain."""
        return self.intruders[0] if self.follows == "new" else self.old

    @property
    def mysql(self):
        return self.kind.startswith("mysql")

    def device(self, kind):
        return dict(self.devices)[kind]

    def line(self):
        rungs = [rung if rung == "sql" else f"{rung}:{self.device(rung)}" for rung in self.ladder]
        return (f"trial {self.number} seed {self.seed}: {self.kind} x{self.size} "
                f"{self.old} | {'+'.join(self.intruders)} {self.intrusion} follow-{self.follows} "
                f"rule={self.rule} on_ambiguous={self.ambiguous} unseen={self.unseen} "
                f"load={self.load}({self.writers}) sql={self.sql} ladder={','.join(rungs)} "
                f"trouble={self.trouble}@{self.moment:.3f} confirm={self.confirm_ms}ms "
                f"agent={self.life}")


def draw(seed, number, kinds=KINDS):
    """The plan of one trial; the same arguments always give the same plan."""
    chance = random.Random(f"{seed}/{number}")

    def pick(weights):
        return chance.choices(list(weights), weights=list(weights.values()))[0]

    drawn = {
        "seed": seed, "number": number, "kind": chance.choice(list(kinds)),
        "size": chance.choice([3, 3, 5]), "intrusion": pick(INTRUSIONS), "rule": pick(RULES),
        "ambiguous": pick({"alert": 2, "fence-all": 1}), "unseen": pick({"alert": 1, "fence": 2}),
        "load": pick(LOADS), "sql": pick(SQL), "trouble": pick(TROUBLES),
        "moment": chance.random(), "confirm_ms": chance.choice([300, 300, 600]),
        "life": pick({"fresh": 3, "restarted": 1}),
        "follows": chance.choice(["old", "old", "new"]),
    }
    drawn["states"] = {kind: pick(states) for kind, states in DEVICES.items()}
    rungs = chance.sample(list(DEVICES), chance.choice([0, 1, 1, 2, 2, 3]))
    drawn["ladder"] = (["sql"] if chance.random() < 0.93 or not rungs else []) + rungs
    drawn["names"] = chance.sample(range(2, drawn["size"] + 1), 2)
    drawn["many"] = chance.randint(20, 50)
    return _settle(drawn)


def _settle(drawn):
    """Makes a draw mean something; the order matters, later steps rely on earlier ones."""
    _settle_intrusion(drawn)
    _settle_rule(drawn)
    _settle_trouble(drawn)
    _settle_load(drawn)
    _settle_ladder(drawn)
    states, many = drawn.pop("states"), drawn.pop("many")
    drawn["ladder"] = tuple(drawn["ladder"])
    drawn["devices"] = tuple((rung, states[rung]) for rung in drawn["ladder"] if rung != "sql")
    drawn["writers"] = {"idle": 0, "many": many}.get(drawn["load"], 4)
    return Plan(**drawn)


def _settle_intrusion(drawn):
    names = [f"db{number}" for number in drawn.pop("names")]
    how = drawn["intrusion"]
    drawn["old"], drawn["intruders"] = "db1", tuple(names if how == "two" else names[:1])
    if how == "comes_back":
        drawn["old"], drawn["intruders"] = names[0], ("db1",)
    if how in ("majority", "unseen"):
        drawn["follows"] = "new"
    elif how in ("brief", "left_open", "comes_back"):
        drawn["follows"] = "old"
    if how == "brief":
        drawn["confirm_ms"] = 1000


def _without_bystanders(drawn):
    return drawn["size"] - 1 - len(drawn["intruders"]) == 0


def _settle_rule(drawn):
    how = drawn["intrusion"]
    if how in ("brief", "unseen"):
        drawn["rule"] = "incumbent"
    if drawn["rule"] == "replicas" and _without_bystanders(drawn):
        drawn["rule"] = "incumbent"
    if drawn["load"] == "semisync" and how in ("promoted", "left_open") and \
            drawn["rule"] != "nobody":
        drawn["rule"], drawn["follows"] = "pin_new", "old"


def _settle_trouble(drawn):
    how, rule = drawn["intrusion"], drawn["rule"]
    allowed = set(TROUBLES)
    if how in ("brief", "unseen"):
        allowed = {"none", "second_agent"}
    if rule == "nobody":
        allowed &= {"none", "second_agent", "kill_agent"}
    if rule == "replicas":  # the agent was down anyway, and it takes the bystanders
        allowed -= {"voter_dies", "votes_lost", "second_agent", "kill_holder"}
    if _without_bystanders(drawn):  # after a restart nobody could tell whom to keep
        allowed -= {"voter_dies", "votes_lost"}
        if rule == "incumbent":
            allowed -= {"kill_agent"}
    if rule in ("gtid", "replicas", "nobody"):
        allowed -= {"survivor_frozen", "votes_lost"}
    if drawn["load"] == "semisync":  # a replica is frozen already; with one more there is no lease
        allowed -= {"voter_dies", "votes_lost", "survivor_frozen", "kill_agent", "kill_holder",
                    "stop_during"}
    if drawn["trouble"] not in allowed:
        drawn["trouble"] = "none"


def _settle_load(drawn):
    load, how, rule = drawn["load"], drawn["intrusion"], drawn["rule"]
    if load == "semisync" and not (rule == "pin_new" and how in ("promoted", "left_open")):
        load = "many"
    if how == "unseen" and load in ("blocking", "bypass"):
        load = "light"
    if rule == "gtid" and load in ("idle", "bypass", "semisync"):
        load = "light"  # who is ahead has to be certain
    if drawn["trouble"] in ("hand_once", "hand_again") and load in ("bypass", "semisync"):
        load = "light"
    drawn["load"] = load


def _sql_does_it(drawn):
    """Whether SQL alone does it, so that all servers stay up."""
    bypassed = drawn["load"] == "bypass" and not drawn["kind"].startswith("mysql")
    return drawn["ladder"][0] == "sql" and drawn["sql"] == "works" and not bypassed


def _settle_ladder(drawn):
    trouble, how, states = drawn["trouble"], drawn["intrusion"], drawn["states"]
    quiet = trouble in ("none", "second_agent", "voter_dies") and how not in ("brief", "unseen")
    if drawn["sql"] != "works" and not quiet:
        drawn["sql"] = "works"
    # An agent that starts anew would find no connection either, and see nobody.
    if drawn["sql"] == "full" and (drawn["rule"] == "replicas" or
                                   drawn["load"] in ("bypass", "semisync", "blocking")):
        drawn["sql"] = "refused"
    # Whoever powers off most of the servers loses the lease with them, and can prove nothing.
    closes = _sql_does_it(drawn)
    if drawn["rule"] == "nobody" and not closes:
        drawn["ambiguous"] = "alert"
    if drawn["rule"] == "nobody" and drawn["ambiguous"] == "fence-all" and trouble == "kill_agent":
        drawn["trouble"] = trouble = "none"
    ladder = drawn["ladder"]
    if trouble in ("hand_once", "hand_again") and not ladder[1:]:
        ladder.append("ssh")
    if trouble in ("hand_once", "hand_again") and ladder[0] != "sql":
        ladder.insert(0, "sql")
    killers = [rung for rung in ladder if rung != "sql"]
    # A device that lies about a server which is frozen cannot be found out by anybody.
    frozen = trouble.startswith("stop_") or trouble == "survivor_frozen" or how == "unseen"
    if frozen and states["ipmi"] == "lying":
        states["ipmi"] = "works"
    if how == "unseen" and drawn["unseen"] == "fence" and not killers:
        ladder.append("ssh")
        killers = ["ssh"]
    # Where a person's patience is not the point, one rung works in the end.
    needs_one = trouble in ("hand_once", "hand_again") or how == "unseen"
    if needs_one and killers:
        states[killers[-1]] = "works"
    # fencing.unseen_former = "fence" is refused where a server has no rung without SQL.
    if not killers:
        drawn["unseen"] = "alert"
