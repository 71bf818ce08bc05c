"""A thousand servers for one agent: a thousand addresses of 127.0.0.0/8, three real servers.

Also how the benchmarks read an agent's cost: processor time to the nanosecond, histograms.
"""

import math
import os
import re
import resource
import shutil
import subprocess
import time

from primacy_harness import Agent, Metrics, Topology, wait_until
from primacy_harness.kinds import REPOSITORY
from primacy_harness.topology import MONITOR_PASSWORD

BUILD = REPOSITORY / "build" / "bench"
SOURCES = REPOSITORY / "tests" / "bench"
# May read what every poll reads. What an agent reads now and then costs a server 6 ms each time,
# which a thousand servers do not feel and these three would: without grants it is refused at once.
USER = "bench"
CALM = 0.010  # seconds of lateness, p99
HOLE = "127.200.0.0/16"  # the addresses that the black hole takes
_MANY = ["--max-connections=3000", "--back-log=1000", "--open-files-limit=8192",
         "--thread-cache-size=400", "--max-connect-errors=1000000000"]


class Skipped(Exception):
    """A part cannot run here; the text says why."""


def allow_many_files():
    """Room for thousands of connections, here and in what we start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16384 if hard == resource.RLIM_INFINITY else min(16384, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Fleet:
    """Three real servers on 0.0.0.0 and the configuration of any number of topologies of them."""

    def __init__(self, run_dir):
        allow_many_files()
        self.run_dir = run_dir
        shutil.rmtree(run_dir, ignore_errors=True)
        run_dir.mkdir(parents=True)
        self.real = Topology(run_dir, server_options=_MANY,
                             per_server={name: {"bind": "0.0.0.0"} for name in
                                         ("db1", "db2", "db3")})
        self.agents = []
        try:
            self.real.start()
            for server in self.real:
                server.unlogged(f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{MONITOR_PASSWORD}'",
                                f"GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO '{USER}'@'%'")
        except BaseException:
            self.close()
            raise

    def servers_of(self, number, size, holed):
        entries = []
        for index, server in enumerate(list(self.real)[:size]):
            network = 200 if holed and index == size - 1 else 65 + index
            entries.append({"name": server.name, "port": server.port,
                            "host": f"127.{network}.{number // 200}.{number % 200 + 1}"})
        return entries

    def config(self, servers=1000, holed=0, **changes):
        """Topologies of three (the last one takes the rest), the last server of the first
        `holed` ones at an address of HOLE."""
        settings = {"poll_interval": "1s", "probe_timeout": "2s", "confirm_polls": 3,
                    "confirm_for": "2s", "detail_interval": "60s", "user": USER, **changes}
        topologies = {}
        for number in range(math.ceil(servers / 3)):
            size = min(3, servers - 3 * number)
            topologies[f"t{number:03}"] = {**settings,
                                           "server": self.servers_of(number, size, number < holed)}
        return {"agent": {"name": "bench", "log_level": "warning"}, "topology": topologies}

    def agent(self, config):
        """An agent that was not started yet; the password file is its own."""
        made = Agent(self.run_dir, config, password=MONITOR_PASSWORD)
        self.agents.append(made)
        return made

    def targets_file(self, config):
        """The same servers for bare_loop."""
        path = self.run_dir / "targets"
        path.write_text("".join(f"{server['host']} {server['port']} {USER}\n"
                                for topology in config["topology"].values()
                                for server in topology["server"]))
        return path

    def close(self):
        for agent in self.agents:
            agent.close()
        self.real.close()
        shutil.rmtree(self.run_dir, ignore_errors=True)


def build_program(name, *options):
    """Compiles NAME.c; returns the program."""
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / name
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmariadb"], check=True,
                           capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-O2", *options, "-o", str(program), str(SOURCES / f"{name}.c"), *flags],
                   check=True)
    return program


def poll_statements():
    """The two statements that the agent sends with each poll of a MariaDB, from its source."""
    source = (REPOSITORY / "checks" / "queries" / "statements.cpp").read_text()
    fast = re.search(r"fast_mariadb =\s*((?:\"[^\"]*\"\s*)+);", source).group(1)
    statement = "".join(re.findall(r'"([^"]*)"', fast))
    assert "read_only" in statement and '"SHOW ALL SLAVES STATUS"' in source, statement
    return [statement, "SHOW ALL SLAVES STATUS"]


def cpu_seconds(pid):
    """Processor time of all threads so far, in nanosecond steps."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def probes(page):
    """Polls that were made: those that succeeded and those that failed."""
    return page.sum("primacy_probe_duration_seconds_count") + page.sum(
        "primacy_probe_failures_total")


def page_of(agent):
    """The metrics, with patience: a busy machine may keep even this request waiting."""
    answer = agent.get("/metrics", timeout=60)
    assert answer.status == 200, answer.text[:300]
    return Metrics(answer.text)


class Lateness:
    """primacy_poll_lateness_seconds of a time span, of some topologies or of all."""

    def __init__(self, before, after, topologies=None):
        self.buckets = {}
        for page, sign in ((before, -1), (after, 1)):
            for labels, value in page.all("primacy_poll_lateness_seconds_bucket"):
                if topologies is None or labels["topology"] in topologies:
                    bound = float(labels["le"].replace("+Inf", "inf"))
                    self.buckets[bound] = self.buckets.get(bound, 0) + sign * value
        self.count = self.buckets[math.inf]

    def quantile(self, share):
        """Seconds, linear within a bucket as histogram_quantile() has it."""
        goal, low, below = share * self.count, 0.0, 0
        for bound in sorted(self.buckets):
            here = self.buckets[bound]
            if here >= goal:
                if math.isinf(bound):
                    return low
                return low + (bound - low) * (goal - below) / max(1, here - below)
            low, below = bound, here
        return low

    def text(self):
        return ", ".join(f"≤ {bound * 1000:g} ms: {count:.0f}" for bound, count in
                         sorted(self.buckets.items()) if bound <= 0.1) + f", all: {self.count:.0f}"


def settled(agent, cap=120):
    """Starts the agent and waits until it has read every server and none has failed for a while."""
    agent.start(cap=60)
    servers = sum(len(topology["server"]) for topology in agent.config["topology"].values())
    last = [0]

    def quiet():
        page = page_of(agent)
        failures, before = page.sum("primacy_probe_failures_total"), last[0]
        last[0] = failures
        up = page.sum("primacy_server_up")
        if up < servers or failures > before:
            print(f"bench: {up:.0f} of {servers} servers are read, {failures:.0f} polls failed",
                  flush=True)
        return up == servers and failures == before
    wait_until(quiet, cap, f"{servers} servers to be read without a failure", interval=2)
    return agent


def span(agent, seconds):
    """Lets the agent work undisturbed; returns (page before, page after, CPU s, wall s).

    Rendering the two pages is outside of the processor time.
    """
    before = page_of(agent)
    cpu, wall = cpu_seconds(agent.pid), time.monotonic()
    time.sleep(seconds)
    cpu, wall = cpu_seconds(agent.pid) - cpu, time.monotonic() - wall
    return before, page_of(agent), cpu, wall


def calm_span(agent, seconds, topologies=None):
    """A span to compare with: of up to five, the first one that the machine did not disturb.

    Returns (before, after, calm); calm is False when all were disturbed.
    """
    for _ in range(5):
        before, after, _, _ = span(agent, seconds)
        if Lateness(before, after, topologies).quantile(0.99) < CALM:
            return before, after, True
    return before, after, False


def quantile(values, share):
    """The smallest value that at least that share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
