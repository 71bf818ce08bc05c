"""The soak: 1,000 servers polled for a long time while faults happen to them; nothing may grow."""

import csv
import random
import time

import pymysql

from figures import Figure
from fleet import BUILD, USER, page_of
from primacy_harness import CapExceeded, wait_until

SAMPLE_EVERY = 5.0
FILES_SLACK = 10
MEMORY_SLACK = 4.0  # MiB
CONNECTIONS_SLACK = 20
RECOVERY_CAP = 180  # seconds after the last fault, on a busy machine


class Faults:
    """One fault after the other, each undone before the next one."""

    def __init__(self, fleet, seed):
        self._fleet = fleet
        self._dice = random.Random(seed)
        self.counts = {"paused": 0, "killed": 0, "connections killed": 0, "quiet": 0}

    def next(self, rest):
        """Makes one happen and undoes it; rest(seconds) is called to let time pass."""
        server = self._fleet.real[self._dice.choice(["db1", "db2", "db3"])]
        kind = self._dice.choice(list(self.counts))
        self.counts[kind] += 1
        if kind == "paused":
            server.pause()
            try:
                rest(self._dice.uniform(0.5, 8))
            finally:
                server.resume()
        elif kind == "killed":
            server.kill()
            rest(self._dice.uniform(0.2, 5))
            server.start()
            if server is self._fleet.real.primary:
                self._fleet.real.make_writable("db1")  # it boots read-only
        elif kind == "connections killed":
            try:
                self._kill_connections(server)
            except (pymysql.MySQLError, OSError):
                pass  # our own session was one that an earlier fault had ended
        rest(self._dice.uniform(8, 20))

    def _kill_connections(self, server):
        rows = server.query("SELECT id FROM information_schema.processlist WHERE user = %s",
                            (USER,))
        for row in self._dice.sample(rows, len(rows) // 3):
            try:
                server.query(f"KILL CONNECTION {row['id']}")
            except pymysql.MySQLError as failure:
                if failure.args[0] != 1094:  # it has ended by itself
                    raise


def _sample(fleet, agent):
    """(open files, MiB, connections of ours on all servers or None while one does not answer)."""
    try:
        connections = sum(server.connections_of(USER) for server in fleet.real)
    except (pymysql.MySQLError, OSError):
        connections = None
    return agent.process.open_files(), agent.process.resident_bytes() / 2**20, connections


def _median(values):
    return sorted(values)[len(values) // 2]


def soak(fleet, options):
    agent = fleet.agent(fleet.config()).start(cap=120)
    faults = Faults(fleet, options.seed)
    samples = []
    begun = time.monotonic()
    ends = begun + 60 * options.minutes
    path = BUILD / "soak.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["seconds", "open_files", "resident_mib", "connections"])

        def rest(seconds):
            """Lets time pass, with a sample now and then while the servers answer."""
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                time.sleep(min(SAMPLE_EVERY, max(0.0, until - time.monotonic())))
                if not agent.running():
                    raise RuntimeError(f"the agent ended with {agent.exit_code()}:\n"
                                       f"{agent.log_tail()}")
                if any(not server.running() or server._process._state() == "T"
                       for server in fleet.real):
                    continue
                samples.append((time.monotonic() - begun, *_sample(fleet, agent)))
                table.writerow([f"{value:.1f}" if isinstance(value, float) else value
                                for value in samples[-1]])
                file.flush()
        while time.monotonic() < ends:
            faults.next(rest)
    try:
        wait_until(lambda: page_of(agent).sum("primacy_server_up") == 1000, RECOVERY_CAP,
                   "all 1,000 servers to be read again", interval=1, ignore=(OSError,))
    except CapExceeded:
        pass  # the page says how many are
    minutes = (time.monotonic() - begun) / 60
    page = page_of(agent)
    agent.stop(cap=60)
    return _verdict(samples, minutes, faults, page, options)


def _verdict(samples, minutes, faults, page, options):
    quarter = max(1, len(samples) // 4)
    figures = []
    for column, (what, slack, unit) in enumerate((("open descriptors", FILES_SLACK, ""),
                                                  ("resident memory", MEMORY_SLACK, " MiB"),
                                                  ("connections on the servers",
                                                   CONNECTIONS_SLACK, "")), start=1):
        first = [sample[column] for sample in samples[:quarter] if sample[column] is not None]
        last = [sample[column] for sample in samples[-quarter:] if sample[column] is not None]
        before, after = _median(first), _median(last)
        every = [sample[column] for sample in samples if sample[column] is not None]
        figures.append(Figure(f"{what}: median of the first → last quarter (most)",
                              f"{before:.1f} → {after:.1f} ({max(every):.1f}){unit}",
                              f"growth ≤ {slack:g}{unit}", after - before <= slack))
    up = page.sum("primacy_server_up")
    figures.append(Figure("servers that are read again after the last fault", f"{up:.0f}", "1000",
                          up == 1000))
    happened = ", ".join(f"{count} × {kind}" for kind, count in faults.counts.items())
    failures = page.sum("primacy_probe_failures_total")
    polls = failures + page.sum("primacy_probe_duration_seconds_count")
    return f"Soak: {minutes:.0f} minutes of 1,000 servers with faults", figures, [
        f"{polls:.0f} polls, {failures:.0f} of them failed. Faults of the three real servers: "
        f"{happened}. {len(samples)} samples. Seed {options.seed}."]
