"""The parts of the benchmark that stop a second writer, through a real agent in enforce mode.

Each incident opens db3 beside db1 and waits until the agent has stopped it; then db3 is mended and
follows db1 again. What is measured is read from the agent's log and journal afterwards.
"""

import datetime
import re
from pathlib import Path

from figures import Figure, judged
from fleet import Skipped, build_program, quantile
from primacy_harness import default_config, processes, wait_until
from primacy_harness.bmc import CIPHER, Bmc
from primacy_harness.kinds import REPOSITORY
from primacy_harness.sshd import SshServer
from primacy_harness.tools import path_with_tools
from primacy_harness.topology import WRITER, WRITER_PASSWORD, grant_fencing

FENCE_HOST = REPOSITORY / "build" / "release" / "agent" / "fence_host" / "primacy-fence-host"
LOSER = "db3"
SESSIONS = 200
_CAP = 120  # seconds for anything, on a busy machine


class Times:
    """Of one fence, in seconds: from the confirmed judgement to `begun`, on to `ended`."""

    def __init__(self, judged_at, begun, ended):
        self.begun_at = begun["at_ns"] / 1e9
        self.decided = self.begun_at - judged_at
        self.fenced = (ended["at_ns"] - begun["at_ns"]) / 1e9
        self.whole = self.decided + self.fenced


class Incidents:
    """An agent that enforces, and one split brain after the other for it to end."""

    def __init__(self, fleet, rung, method=None, confirm_for="400ms"):
        self.fleet, self.topology = fleet, fleet.real
        grant_fencing(self.topology)
        config = default_config(self.topology, mode="enforce", poll_interval="200ms",
                                probe_timeout="1s", confirm_polls=3, confirm_for=confirm_for)
        config["agent"]["log_level"] = "info"
        shop = config["topology"]["shop"]
        shop["lease"] = {"backend": "servers", "ttl": "8s"}
        shop["fencing"] = {"max_fences": 1000}
        for entry in shop["server"]:
            entry["fence"] = [rung] if entry["name"] == LOSER else ["sql"]
        if method:
            config["method"] = {rung: method}
        self.agent = fleet.agent(config)
        self.agent.environment["PATH"] = path_with_tools()
        self.agent.start(cap=60)
        wait_until(lambda: self.agent.metric("primacy_lease_held", topology="shop") == 1, _CAP,
                   "the lease")
        self.agent.wait_state("healthy", cap=_CAP)

    def one(self):
        """Opens the loser, and waits for what its fence comes to."""
        before = len(self._records("ended"))
        self.topology.promote(LOSER)
        # By the journal alone: a session of root passes read_only and would be in the way.
        wait_until(lambda: len(self._records("ended")) > before, _CAP, f"a fence of {LOSER}")
        ended = self._records("ended")[-1]
        if ended["result"] != "confirmed":
            print(f"bench: {ended['result']}: {ended['reason']}", flush=True)

    def mend(self, how):
        """how() makes the loser follow db1 again; the agent gives it back."""
        how()
        wait_until(lambda: len(self._records("released")) == len(self._records("ended")), _CAP,
                   f"{LOSER} to be given back")
        self.agent.wait_state("healthy", cap=_CAP)

    def times(self):
        """Times of every fence that was confirmed."""
        confirmed = [_moment(line) for line in self.agent.log_text().splitlines()
                     if "split brain confirmed: " in line]
        ended = {record["incident"]: record for record in self._records("ended")}
        found = []
        for begun in self._records("begun"):
            judged_at = max(at for at in confirmed if at <= begun["at_ns"] / 1e9)
            if ended[begun["incident"]]["result"] == "confirmed":
                found.append(Times(judged_at, begun, ended[begun["incident"]]))
        return found

    def facts(self, name):
        """A fact of every rung that was confirmed, as a number."""
        return [int(record["facts"][name]) for record in self._records("outcome")
                if record["result"] == "confirmed"]

    def _records(self, kind):
        return [record for record in self.agent.fence_records() if record["kind"] == kind]


def _moment(line):
    """The wall clock at the start of a log line, in seconds; logs have whole milliseconds."""
    text = re.match(r"\S+", line).group().replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text).timestamp()


def _report(times, count, limit):
    """Figures of all fences; the one with the target last."""
    def line(what, values):
        return Figure(what, f"p50 {1000 * quantile(values, 0.5):.0f} ms, "
                            f"p99 {1000 * quantile(values, 0.99):.0f} ms")
    if not times:
        return [Figure("fences confirmed", f"0 of {count}", f"{count}", False)]
    whole = [each.whole for each in times]
    return [
        Figure("fences confirmed", f"{len(times)} of {count}", f"{count}", len(times) == count),
        line("confirmed judgement → the fence begins", [each.decided for each in times]),
        line("the fence begins → confirmed by fresh evidence", [each.fenced for each in times]),
        Figure("confirmed judgement → fence confirmed, p50",
               f"{1000 * quantile(whole, 0.5):.0f} ms"),
        judged("the same, p99", 1000 * quantile(whole, 0.99), limit, " ms", 0),
        Figure("shortest, longest", f"{1000 * min(whole):.0f} ms, {1000 * max(whole):.0f} ms")]


_MEASURED = ("From the line `split brain confirmed` in the agent's log (whole milliseconds, rounded "
             "down) over `begun` to `ended` in its journal, which is when the evidence has been "
             "read; the intent is forced to disk in between. Real agent, lease `servers` of three "
             "real servers, poll_interval 200 ms.")


def _play(incidents, count, mend):
    for _ in range(count):
        incidents.one()
        incidents.mend(mend)


def sql_idle(fleet, options):
    incidents = Incidents(fleet, "sql")
    _play(incidents, options.fences, lambda: fleet.real.follow(LOSER, "db1"))
    times = incidents.times()
    incidents.agent.stop(cap=60)
    return "Confirmed split brain → SQL fence confirmed, idle", _report(
        times, options.fences, 100), [
            _MEASURED + " Nobody writes; one session of root is open and is ended. 50 ms of it "
            "are the pause between the two readings that prove that the history stands still."]


class Load:
    """SESSIONS clients that write to the loser whenever it lets them, and a blocking statement."""

    def __init__(self, fleet):
        server = fleet.real[LOSER]
        password = fleet.run_dir / "writer.password"
        password.write_text(WRITER_PASSWORD + "\n", encoding="utf-8")
        self._log = fleet.run_dir / "writers.log"
        self._process = processes.Process(
            [build_program("writers", "-pthread"), server.host, server.port, WRITER, password,
             SESSIONS], log=self._log)

    def lines(self):
        """(wall clock s, rows, sessions writing, blocker runs, blockers killed), oldest first."""
        found = []
        for line in self._log.read_text(encoding="utf-8").splitlines(keepends=True):
            words = line.split()
            if line.endswith("\n") and len(words) == 5:
                at, *rest = map(int, words)
                found.append((at / 1e9, *rest))
        assert self._process.running(), f"writers ended:\n{self._process.log_tail()}"
        return found

    def wait_full(self):
        wait_until(lambda: self.lines()[-1][2] == SESSIONS and self.lines()[-1][3], _CAP,
                   f"{SESSIONS} sessions to write", ignore=(IndexError,))

    def before(self, moment):
        """(rows a second, sessions that wrote, whether it was blocked) in the second before."""
        lines = [line for line in self.lines() if moment - 1.05 <= line[0] <= moment]
        first, last = lines[0], lines[-1]
        return (last[1] - first[1]) / (last[0] - first[0]), last[2], last[3]

    def close(self):
        self._process.kill()


def sql_busy(fleet, options):
    # Long enough for all clients to write before the judgement is confirmed.
    incidents = Incidents(fleet, "sql", confirm_for="3s")
    load = Load(fleet)
    try:
        _play(incidents, options.fences, lambda: fleet.real.rebuild(LOSER, "db1"))
        times = incidents.times()
        seen = [load.before(each.begun_at) for each in times]
        killed = load.lines()[-1][4]
    finally:
        load.close()
    incidents.agent.stop(cap=60)
    rates, writing = [each[0] for each in seen], [each[1] for each in seen]
    return (f"Confirmed split brain → SQL fence confirmed, {SESSIONS} writers and a blocking "
            "statement"), [
        *_report(times, options.fences, 2000),
        Figure("sessions that wrote in the second before, fewest", f"{min(writing)}",
               f"{SESSIONS}", min(writing) == SESSIONS),
        Figure("rows a second that they committed in it: median (slowest)",
               f"{quantile(rates, 0.5):.0f} ({min(rates):.0f})"),
        Figure("fences during which the blocking statement ran", f"{sum(e[2] for e in seen)}",
               f"{len(seen)}", sum(e[2] for e in seen) == len(seen)),
        Figure("blocking statements that were killed", f"{killed}"),
        Figure("sessions that a fence ended: median (fewest)",
               f"{quantile(incidents.facts('killed_sessions'), 0.5)} "
               f"({min(incidents.facts('killed_sessions'))})")], [
            _MEASURED + " Each session inserts one row after the other (tests/bench/writers.c), "
            "as sysbench's oltp_insert does, and connects again when it is ended; one more sends "
            "`INSERT … SELECT SLEEP(60)`."]


def _start_again(fleet):
    fleet.real[LOSER].start()
    fleet.real.follow(LOSER, "db1")


def _ssh_cannot_run():
    """None, or why primacy-fence-host could prove nothing here."""
    if SshServer.why_not() or not FENCE_HOST.exists():
        return SshServer.why_not() or f"{FENCE_HOST} is not built"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith((b"mariadbd", b"mysqld")) and not any(
                word.startswith(b"--pid-file=") for word in words):
            return (f"process {process.name} is a database server that does not say its pid file, "
                    "so that nobody can tell whether it is ours; run this part after `unshare "
                    "--pid --fork --mount-proc --kill-child`")
    return None


def ssh(fleet, options):
    if reason := _ssh_cannot_run():
        raise Skipped(reason)
    count = max(1, options.fences // 2)
    settings = fleet.run_dir / "fence-host.toml"
    settings.write_text(f'server = "{LOSER}"\npid_file = "{fleet.real[LOSER].folder}/server.pid"\n',
                        encoding="utf-8")
    with SshServer(fleet.run_dir, f"{FENCE_HOST} --config {settings}") as sshd:
        incidents = Incidents(fleet, f"{LOSER}-ssh", {
            "type": "ssh", "host": sshd.host, "port": sshd.port, "user": sshd.user,
            "key": str(sshd.key), "known_hosts": str(sshd.known_hosts)})
        _play(incidents, count, lambda: _start_again(fleet))
        times = incidents.times()
        incidents.agent.stop(cap=60)
    return "Confirmed split brain → stopped by ssh", _report(times, count, 2000), [
        _MEASURED + " A real sshd on loopback, whose forced command primacy-fence-host ends an "
        "idle mariadbd with SIGTERM and proves that it is gone; no rung is tried before."]


def ipmi(fleet, options):
    if reason := Bmc.why_not():
        raise Skipped(reason)
    count = max(1, options.fences // 2)
    with Bmc(fleet.run_dir) as bmc:
        bmc.powers(fleet.real[LOSER].pid)

        def mend():
            _start_again(fleet)
            bmc.powers(fleet.real[LOSER].pid)
        incidents = Incidents(fleet, f"{LOSER}-bmc", {
            "type": "ipmi", "address": bmc.address, "port": bmc.port, "user": bmc.user,
            "password_file": str(bmc.password_file), "cipher": CIPHER})
        _play(incidents, count, mend)
        times = incidents.times()
        incidents.agent.stop(cap=60)
    return "Confirmed split brain → powered off by IPMI", _report(times, count, 5000), [
        _MEASURED + " ipmi_sim on loopback kills the mariadbd; the power is read as off twice, "
        "300 ms apart; no rung is tried before."]
