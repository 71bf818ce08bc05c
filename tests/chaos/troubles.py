"""What goes wrong during a trial beside the split brain: each trouble is a generator that is asked
again and again on the main thread, and is over when it returns.
"""

import time

import pymysql

from harness import MONITOR, wait_until
from load import BOSS
from primacy_harness.topology import _FENCING_PRIVILEGES
from watch import Hand


def arrange(trial):
    """Called right before intruders are opened; starts the plan's trouble."""
    made = _MAKERS.get(trial.plan.trouble)
    if made:
        trial.add(made(trial))


def _sleep(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield


def _until(condition, cap=30):
    """Goes on after the cap: what was waited for may never come in this trial."""
    until = time.monotonic() + cap
    while not condition() and time.monotonic() < until:
        yield


def _opened(trial):
    yield from _until(lambda: set(trial.opened) >= set(trial.plan.intruders))


def _freeze(trial, name, seconds):
    server = trial.server(name)
    if not server.running():
        return
    server.pause()
    trial.tell(f"{name} freezes")
    yield from _sleep(seconds)
    if server.running():
        server.resume()
        trial.tell(f"{name} wakes")


def _stop_before(trial):
    yield from _opened(trial)
    yield from _sleep(0.15 * trial.plan.moment)
    yield from _freeze(trial, trial.losers[0], 0.3 + 1.7 * trial.plan.moment)


def _stop_during(trial):
    yield from _until(lambda: trial.of_kind("intent"))
    if not trial.of_kind("intent"):
        return
    name = trial.of_kind("intent")[0]["server"]
    killers = trial.expected.rungs - {"sql"}
    length = 0.3 + 4 * trial.plan.moment
    if killers and trial.plan.moment > 0.5:
        server = trial.server(name)
        server.pause()
        trial.tell(f"{name} freezes for good")
        yield from _until(lambda: not server.running(), 45)
        return
    yield from _freeze(trial, name, length)


def _stop_after(trial):
    def confirmed():
        return [record for record in trial.of_kind("ended") if record["result"] == "confirmed"]
    yield from _until(confirmed)
    if confirmed():
        yield from _freeze(trial, confirmed()[0]["server"], 0.5 + trial.plan.moment)


def _kill_agent(trial):
    yield from _opened(trial)
    moment = trial.plan.moment
    if moment < 0.5:
        yield from _sleep(2.4 * moment)
    else:
        yield from _until(lambda: trial.of_kind("begun"), 8)
        yield from _sleep(0.4 * (moment - 0.5) if moment < 0.8 else 6 * (moment - 0.8))
    agent = trial.agents[0]
    agent.kill()
    trial.tell("kill -9 of the agent")
    yield
    agent.start()
    trial.tell("the agent is up again")


def _kill_holder(trial):
    yield from _opened(trial)
    yield from _sleep(1.2 * trial.plan.moment)
    holders = trial.holders()
    if holders:
        holders[0].kill()
        trial.tell(f"the holder of the lease is killed: {holders[0].config['agent']['name']}")


def _voter_dies(trial):
    yield from _sleep(1.2 * trial.plan.moment)
    kill_server(trial, trial.plan.bystanders[-1])


def kill_server(trial, name):
    trial.killed.add(name)
    trial.server(name).kill()
    trial.tell(f"{name} is killed")


def lose_votes(trial):
    """Before the split brain: the witness and so many replicas die that no majority is left."""
    trial.world.witness().kill()
    for name in trial.plan.bystanders[:1 if trial.plan.size == 3 else 2]:
        kill_server(trial, name)
    wait_until(lambda: not trial.holders(), 15, "the lease to be lost")
    trial.tell("nobody holds the lease")


def _votes_lost(trial):
    yield from _opened(trial)
    yield from _sleep(1.5)
    begun = trial.of_kind("begun")
    assert not begun, f"somebody was fenced without the lease: {begun}"
    trial.world.witness()
    trial.tell("the witness is back")


def _hand_once(trial):
    def confirmed():
        return [record for record in trial.of_kind("ended") if record["result"] == "confirmed"]
    yield from _until(confirmed)
    if confirmed():
        yield from _by_hand(trial, confirmed()[0]["server"], 1)


def _hand_again(trial):
    yield from _until(lambda: trial.of_kind("begun"))
    if trial.of_kind("begun"):
        yield from _by_hand(trial, trial.of_kind("begun")[0]["server"], 1000)


def _by_hand(trial, name, times):
    """The hand works until the server is gone, or has had its turns and was fenced again."""
    trial.tell(f"a hand opens {name} whenever it is closed")
    trial.hand = Hand(trial.server(name), times)

    def beaten():
        last = [record for record in trial.of_kind("ended") if record["server"] == name]
        done = last and last[-1]["result"] == "confirmed" and last[-1].get("rung") != "sql"
        return done and not trial.server(name).running()
    yield from _until(beaten, 40)
    trial.hand.stop()


def _survivor_frozen(trial):
    yield from _opened(trial)
    yield from _sleep(0.8 * trial.plan.moment)
    yield from _freeze(trial, trial.plan.old, 1.2)


def wake_at_the_end(trial, name):
    """A replica that stands still until all losers are fenced."""
    def over():
        ended = {record["server"] for record in trial.of_kind("ended")
                 if record["result"] == "confirmed"}
        return ended >= set(trial.losers) or trial.mended_at
    yield from _until(over, 45)
    trial.server(name).resume()
    trial.tell(f"{name}, the semi-sync replica, wakes")


_MAKERS = {"stop_before": _stop_before, "stop_during": _stop_during, "stop_after": _stop_after,
           "kill_agent": _kill_agent, "kill_holder": _kill_holder, "voter_dies": _voter_dies,
           "votes_lost": _votes_lost, "hand_once": _hand_once, "hand_again": _hand_again,
           "survivor_frozen": _survivor_frozen}


# --- mending


def grant_one(topology, server):
    """The monitoring account may fence this server again."""
    if topology.kind.is_mysql:
        closed = server.value("SELECT @@GLOBAL.super_read_only AS closed")
        server.query("SET GLOBAL super_read_only = OFF")
    server.unlogged(f"GRANT {_FENCING_PRIVILEGES[topology.kind.flavor]} ON *.* TO '{MONITOR}'@'%'")
    if topology.kind.is_mysql and closed in (1, "1", "ON"):
        server.query("SET GLOBAL super_read_only = ON")


def drop_boss(server):
    """The account that passes read_only is taken away; its sessions end with it."""
    try:
        server.unlogged(f"DROP USER IF EXISTS '{BOSS}'@'%'")
        for row in server.query("SELECT id AS id FROM information_schema.processlist "
                                f"WHERE user = '{BOSS}'"):
            server.query(f"KILL {row['id']}")
    except pymysql.MySQLError:
        pass
