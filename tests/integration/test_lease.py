"""The lease `servers` on real servers: one holder, whatever is killed, frozen or paused.

Drives build/release/tests/tools/lease_tool (PRIMACY_LEASE_TOOL names another one), which is the
agent's own code and prints a line for each change.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from primacy_harness import DatabaseServer, hold, wait_until
from primacy_harness.kinds import REPOSITORY
from primacy_harness.processes import Process

TTL = 2
TTL_SLACK = 1.5  # scheduling, and the servers' whole seconds
ACCOUNT, PASSWORD = "lease", "lease-secret"
BUILT = REPOSITORY / "build" / "release" / "tests" / "tools" / "lease_tool"


def tool_path():
    return Path(os.environ.get("PRIMACY_LEASE_TOOL", BUILT)).resolve()


class Contender:
    """One lease_tool; `told` are its lines so far."""

    def __init__(self, folder, name, servers, topology="shop", ttl=TTL, want=True):
        self.name = name
        self.log = folder / f"{name}.log"
        self.log.unlink(missing_ok=True)
        given = folder / f"{name}.json"
        given.write_text(json.dumps({
            "topology": topology, "ttl_seconds": ttl, "want": want,
            "user": ACCOUNT, "password": PASSWORD,
            "voters": [{"name": server.name, "host": server.host, "port": server.port}
                       for server in servers]}), encoding="utf-8")
        self.process = Process(["sh", "-c", 'exec "$0" <"$1"', tool_path(), given], log=self.log)

    @property
    def told(self):
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        for line in lines:
            assert "Sanitizer" not in line and "runtime error" not in line, self.log.read_text()
        return [json.loads(line) for line in lines if line.endswith("\n") and line[0] == "{"]

    @property
    def last(self):
        return self.told[-1] if self.told else {"held": False, "votes": 0, "why": "", "epoch": 0}

    @property
    def held(self):
        return self.last["held"]

    def wait(self, condition, cap, what):
        return wait_until(lambda: condition(self.last) and self.last, cap,
                          f"{self.name} {what}")

    def wait_held(self, cap=TTL + 4, votes=2):
        return self.wait(lambda seen: seen["held"] and seen["votes"] >= votes, cap,
                         f"to hold the lease with {votes} votes")

    def wait_not_held(self, cap=TTL):
        return self.wait(lambda seen: not seen["held"], cap, "not to hold the lease any more")


@pytest.fixture(scope="module")
def fleet(run_dir, kind):
    """Three servers and a witness, which do not replicate: all that a lease needs."""
    if not os.access(tool_path(), os.X_OK):
        pytest.skip(f"there is no lease_tool at {tool_path()}; build the target lease_tool")
    servers = [DatabaseServer(f"lease{i}", run_dir, kind=kind, server_id=60 + i)
               for i in (1, 2, 3, 4)]
    try:
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_ready()
            make_account(server)
        yield servers
    finally:
        for server in servers:
            server.resume()
            server.close()


def make_account(server):
    server.unlogged(f"CREATE USER '{ACCOUNT}'@'%' IDENTIFIED BY '{PASSWORD}'")


@pytest.fixture
def servers(fleet):
    """The first three, all up and without a lock."""
    for server in fleet:
        server.resume()
        if not server.running():
            server.start()
    for server in fleet:
        wait_until(lambda: lock_of(server) is None, TTL + 4, f"{server!r} to be free")
    return fleet[:3]


def lock_of(server, topology="shop"):
    return server.value("SELECT IS_USED_LOCK(%s)", (f"primacy/{topology}",))


@pytest.fixture
def contend(run_dir):
    """Starts contenders; ends them after the test."""
    made = []

    def start(name, *arguments, **options):
        made.append(Contender(run_dir, name, *arguments, **options))
        return made[-1]

    yield start
    running = [each for each in made if each.process.running()]
    for each in running:
        each.process.terminate(5)
    assert all(each.process.exit_code() == 0 for each in running), [
        each.log.read_text() for each in running]


def boottime():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def never_both(*contenders):
    """No two held it at the same time, by what they said themselves of until when."""
    spans = []
    for each in contenders:
        began = None
        until = 0
        for line in each.told:
            if line["held"]:
                began = line["acquired_at"] if began is None else began
                until = max(until, line["valid_until"])
            elif began is not None:
                spans.append((began, min(until, line["at"]), each.name))
                began, until = None, 0
        if began is not None:
            spans.append((began, until, each.name))
    spans.sort()
    for (_, until, first), (began, _, second) in zip(spans, spans[1:]):
        assert until <= began or first == second, spans


@pytest.mark.core
def test_one_of_two_contenders_holds_it_and_hands_it_on(servers, contend):
    first = contend("first", servers)
    first.wait_held(votes=3)
    second = contend("second", servers)
    second.wait(lambda seen: "another agent has the lock on 3 of 3" in seen["why"], 5,
                "to say who has the lock")
    assert second.last["why"] == ("another agent has the lock on 3 of 3 voters, and 2 free ones "
                                  "are needed")
    # Nothing of the lease is in the binary log, and each contender has one session a server.
    for server in servers:
        assert server.connections_of(ACCOUNT) == 2
    assert first.process.terminate(5) == 0
    ended = boottime()
    second.wait_held()
    # Not before the first one could have stopped, had it not known.
    assert second.last["acquired_at"] >= ended + TTL - 0.5
    never_both(first, second)


def test_two_that_start_together(servers, contend):
    both = [contend("first", servers), contend("second", servers)]
    wait_until(lambda: any(each.held for each in both), 4 * TTL + 8, "one of two to hold it")
    hold(lambda: sum(each.held for each in both) == 1, 2 * TTL, "exactly one holds it")
    never_both(*both)


def test_servers_killed_one_by_one(servers, contend):
    holder = contend("holder", servers)
    before = holder.wait_held(votes=3)
    servers[2].kill()
    seen = holder.wait(lambda seen: seen["votes"] == 2, TTL, "to miss a vote")
    assert seen["held"] and seen["epoch"] == before["epoch"]
    hold(lambda: holder.held, 2 * TTL, "two of three keep it")
    servers[1].kill()
    killed = boottime()
    seen = holder.wait_not_held()
    assert seen["at"] - killed < TTL
    assert "lost the majority" in seen["why"] or "reaches" in seen["why"]
    hold(lambda: not holder.held, TTL, "one of three is not enough")
    # Two of three again: another acquisition, with another epoch.
    servers[1].start()
    seen = holder.wait_held(cap=3 * TTL + 6)
    assert seen["epoch"] == before["epoch"] + 1
    assert seen["acquired_at"] > killed + TTL
    never_both(holder)


@pytest.mark.core
def test_a_paused_holder_never_claims_it_again(servers, contend):
    first = contend("first", servers)
    before = first.wait_held(votes=3)
    second = contend("second", servers)
    second.wait(lambda seen: seen["why"].startswith("another agent"), 5, "to see the first one")
    first.process.pause()
    second.wait_held(cap=3 * TTL + 6, votes=3)
    lines = len(first.told)
    assert first.told[-1]["held"]
    first.process.resume()
    first.wait_not_held(cap=5)
    assert not any(line["held"] for line in first.told[lines:]), first.told[lines:]
    hold(lambda: second.held and not first.held, 2 * TTL, "the second one keeps it")
    assert not any(line["held"] for line in first.told[lines:])
    assert first.last["epoch"] == before["epoch"]
    never_both(first, second)


def test_a_killed_holder_is_followed_by_the_other(servers, contend):
    first = contend("first", servers)
    first.wait_held(votes=3)
    second = contend("second", servers)
    second.wait(lambda seen: seen["why"].startswith("another agent"), 5, "to see the first one")
    first.process.kill()
    second.wait_held(cap=2 * TTL + 4)
    never_both(first, second)


def test_a_frozen_server_grants_nothing_and_revives_nothing(servers, contend):
    first = contend("first", servers)
    first.wait_held(votes=3)
    second = contend("second", servers)
    servers[0].pause()
    seen = first.wait(lambda seen: seen["votes"] == 2, 2 * TTL, "to miss a vote")
    assert seen["held"]
    hold(lambda: first.held and not second.held, 2 * TTL, "a hanging voter delays nothing")
    servers[0].resume()
    first.wait_held(cap=3 * TTL + 6, votes=3)
    # Two frozen servers: nobody holds it, and when they wake one does.
    for server in servers[:2]:
        server.pause()
    first.wait_not_held(cap=TTL + 1)
    hold(lambda: not first.held and not second.held, 2 * TTL, "nobody holds it")
    for server in servers[:2]:
        server.resume()
    wait_until(lambda: first.held or second.held, 4 * TTL + 8, "one to hold it again")
    never_both(first, second)


@pytest.mark.core
def test_a_killed_session_costs_one_vote_only(servers, contend):
    holder = contend("holder", servers)
    before = holder.wait_held(votes=3)
    servers[0].query(f"KILL {int(lock_of(servers[0]))}")
    holder.wait(lambda seen: seen["votes"] == 2, TTL, "to miss a vote")
    seen = holder.wait(lambda seen: seen["votes"] == 3, 2 * TTL, "to have it back")
    assert seen["held"] and seen["epoch"] == before["epoch"]
    assert all(line["held"] for line in holder.told if line["epoch"] == before["epoch"])


def test_a_hanging_voter_delays_no_acquisition(servers, contend):
    servers[1].pause()
    began = boottime()
    holder = contend("holder", servers)
    seen = holder.wait_held(votes=2)
    assert seen["acquired_at"] - began < TTL + TTL_SLACK


def test_two_servers_need_a_witness(servers, fleet, contend):
    alone = contend("alone", servers[:2])
    alone.wait_held()
    servers[1].kill()
    seen = alone.wait_not_held()
    hold(lambda: not alone.held, TTL, "one of two is no majority")
    assert "2 are needed" in seen["why"] or "2 are needed" in alone.last["why"]
    assert alone.process.terminate(5) == 0
    helped = contend("helped", [*servers[:2], fleet[3]])
    helped.wait_held()


def test_a_witness_alone_does_not_count_twice(servers, contend):
    """The same server configured twice grants its lock once."""
    fooled = contend("fooled", [servers[0], servers[0], servers[1]])
    fooled.wait_held()
    assert fooled.last["votes"] == 2
    servers[0].kill()
    fooled.wait_not_held()


@pytest.mark.core
def test_the_server_lets_go_of_what_a_dead_host_held(servers, contend):
    holder = contend("holder", servers)
    holder.wait_held(votes=3)
    holder.process.pause()
    for server in servers:
        wait_until(lambda: lock_of(server) is None, TTL + TTL_SLACK + 1, f"{server!r} to let go")


def test_an_agent_that_does_not_want_it_opens_no_session(servers, contend):
    idle = contend("idle", servers, want=False)
    idle.wait(lambda seen: seen["why"] == "the lease is not asked for", 5, "to say so")
    hold(lambda: all(server.connections_of(ACCOUNT) == 0 for server in servers), TTL,
         "no session is open", interval=0.1)
    assert len(idle.told) == 1


def test_a_ttl_that_servers_cannot_count_is_refused(servers, contend, run_dir):
    given = json.dumps({"topology": "shop", "ttl_seconds": 1, "voters": [
        {"name": "db1", "host": servers[0].host, "port": servers[0].port}]})
    done = subprocess.run([tool_path()], input=given, capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == 1
    assert "lease.ttl is shorter than 2s" in done.stderr


@pytest.mark.core
def test_topologies_with_long_or_alike_names_have_locks_of_their_own(servers, contend):
    names = ["shop", "SHOP", "x" * 200, "it's"]
    held = [contend(f"holder{i}", servers, topology=name) for i, name in enumerate(names)]
    for each in held:
        each.wait_held(cap=2 * TTL + 6)


def test_it_ends_at_once_although_a_voter_hangs(servers, contend):
    holder = contend("holder", servers)
    holder.wait_held(votes=3)
    servers[0].pause()
    holder.wait(lambda seen: seen["votes"] == 2, 2 * TTL, "to miss a vote")
    began = boottime()
    holder.process.send(signal.SIGTERM)
    assert holder.process.wait(TTL + 1) == 0
    assert boottime() - began < TTL
    for server in servers[1:]:
        assert lock_of(server) is None
