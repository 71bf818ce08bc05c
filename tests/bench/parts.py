"""The parts of the benchmark: cost of a poll, detection, start, page, black hole, the exporter.

Each takes a Fleet and options, and returns (title, figures, remarks).
"""

import http.client
import json
import os
import random
import shutil
import subprocess
import threading
import time

from figures import Figure, judged
from fleet import (BUILD, HOLE, Lateness, Skipped, build_program, calm_span, cpu_seconds,
                   poll_statements, probes, quantile, settled, span)
from primacy_harness import processes, wait_until
from primacy_harness.ports import free_port
from primacy_harness.topology import MONITOR, MONITOR_PASSWORD

SLACK = 0.020  # of detection, in seconds


# --- cost of a poll


def poll(fleet, options):
    program, statements = build_program("bare_loop"), poll_statements()
    same = fleet.config(detail_interval="1h")  # exactly the statements of the bare loop
    plain = fleet.config(detail_interval="60s")
    targets = fleet.targets_file(plain)
    costs = {"spread": [], "burst": [], "same": [], "plain": []}
    resident = share = 0.0
    remarks = []

    def bare(manner):
        done = processes.run([program, targets, fleet.agents[0].password_file,
                              str(options.seconds), manner, *statements],
                             cap=120 + 2 * options.seconds)
        if done.returncode != 0:
            raise RuntimeError(f"bare_loop: {done.stderr}")
        polls, cpu = done.stdout.split()
        costs[manner].append(float(cpu) / float(polls))

    def ours(kind, config):
        nonlocal resident, share
        agent = settled(fleet.agent(config))
        before, after, cpu, wall = span(agent, options.seconds)
        polls = probes(after) - probes(before)
        failed = (after.sum("primacy_probe_failures_total")
                  - before.sum("primacy_probe_failures_total"))
        if polls < 0.98 * 1000 * wall or failed:
            remarks.append(f"{kind}: {polls:.0f} polls in {wall:.1f} s, {failed:.0f} failed.")
        costs[kind].append(cpu / polls)
        if kind == "plain":
            share, resident = cpu / wall, agent.process.resident_bytes() / 2**20
            missed = share > 0.10 or resident > 64
            if missed and len(costs["plain"]) == options.rounds:
                remarks.append(hint(agent))
        agent.stop(cap=60)
        agent.close()

    fleet.agent(plain)  # for its password file
    for _ in range(options.rounds):
        bare("spread")
        ours("same", same)
        bare("burst")
        ours("plain", plain)
    micro = {kind: 1e6 * sorted(values)[len(values) // 2] for kind, values in costs.items()}
    every = "; ".join(f"{kind}: " + ", ".join(f"{1e6 * value:.1f}" for value in values)
                      for kind, values in costs.items())
    figures = [
        Figure("one poll, bare loop, polls spread over the second", f"{micro['spread']:.1f} µs"),
        Figure("one poll, bare loop, all polls in one burst", f"{micro['burst']:.1f} µs"),
        Figure("one poll, agent, same statements", f"{micro['same']:.1f} µs"),
        Figure("one poll, agent, with the details that it reads every 60 s",
               f"{micro['plain']:.1f} µs"),
        judged("agent ÷ bare loop, same statements, same spread",
               micro["same"] / micro["spread"], 1.5, " ×"),
        Figure("agent ÷ bare loop in bursts", f"{micro['same'] / micro['burst']:.2f} ×"),
        judged("1,000 servers every second: share of one core", 100 * share, 10, " %", 1),
        judged("1,000 servers: resident memory", resident, 64, " MiB", 1)]
    remarks.append("Processor time, user and system, medians of alternating runs of "
                   f"{options.seconds} s. All runs, µs a poll: {every}.")
    return "Cost of a poll", figures, remarks


def hint(agent):
    """What the processor time goes into, as perf sees it for a few seconds."""
    if not shutil.which("perf"):
        return "perf is not installed: no profile of what costs it."
    data = BUILD / "perf.data"
    processes.run(["perf", "record", "-o", data, "-e", "cpu-clock", "-F", "999", "-p",
                   str(agent.pid), "--", "sleep", "5"], cap=30)
    done = processes.run(["perf", "report", "-i", data, "--stdio", "--no-children", "-g", "none",
                          "--percent-limit", "1"], cap=60)
    lines = [line.strip() for line in done.stdout.splitlines()
             if line.strip() and not line.startswith("#")][:12]
    return "What it goes into (perf):\n\n```\n" + "\n".join(lines or [done.stderr[-300:]]) + "\n```"


# --- mysqld_exporter


def _exporter_program():
    """Debian's exporter, unpacked under build/bench."""
    folder = BUILD / "exporter"
    program = folder / "usr" / "bin" / "prometheus-mysqld-exporter"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        processes.run(["apt-get", "download", "prometheus-mysqld-exporter"], cap=120, cwd=folder)
        for package in folder.glob("*.deb"):
            processes.run(["dpkg-deb", "-x", package, folder])
    if not program.exists():
        raise Skipped("prometheus-mysqld-exporter cannot be had (apt-get download)")
    return program


def exporter(fleet, options):
    program = _exporter_program()
    target, port = fleet.real["db2"], free_port()
    environment = {**os.environ, "DATA_SOURCE_NAME":
                   f"{MONITOR}:{MONITOR_PASSWORD}@tcp(127.0.0.1:{target.port})/"}
    other = ["global_status", "global_variables", "info_schema.innodb_cmp",
             "info_schema.innodb_cmpmem", "info_schema.query_response_time"]
    process = processes.Process(
        [program, f"--web.listen-address=127.0.0.1:{port}", "--collect.slave_status",
         *(f"--no-collect.{name}" for name in other)], log=fleet.run_dir / "exporter.log",
        env=environment)

    def scrape():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
        connection.close()
        return page
    try:
        wait_until(lambda: "mysql_slave_status_slave_sql_running" in scrape(), 15,
                   "the exporter to show slave_status", ignore=(OSError,))
        for _ in range(50):
            scrape()
        theirs, ours, count = [], [], 300
        for _ in range(options.rounds):
            begun = cpu_seconds(process.pid)
            for _ in range(count):
                scrape()
            theirs.append((cpu_seconds(process.pid) - begun) / count)
            agent = settled(fleet.agent(fleet.config()))
            before, after, cpu, _ = span(agent, options.seconds)
            ours.append(cpu / (probes(after) - probes(before)))
            agent.stop(cap=60)
            agent.close()
    finally:
        process.kill()
    middle = len(ours) // 2
    scraped, polled = sorted(theirs)[middle], sorted(ours)[middle]
    return "Against mysqld_exporter", [
        Figure("mysqld_exporter 0.14: one scrape of slave_status", f"{1e6 * scraped:.0f} µs"),
        Figure("agent: one poll of one server, of 1,000", f"{1e6 * polled:.1f} µs"),
        Figure("ratio", f"1/{scraped / polled:.0f}", "≤ 1/30", scraped / polled >= 30)], [
            "Processor time of the exporter and of the agent, not of the server; every collector "
            "of the exporter but slave_status is switched off."]


# --- detection


def detection(fleet, options):
    topologies, openings = 8, options.openings
    agent = settled(fleet.agent(fleet.config(servers=3 * topologies)))
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=5)
    dice = random.Random(options.seed)

    def confirmed():
        connection.request("GET", "/api/v1/status")
        seen = json.loads(connection.getresponse().read())
        return {topology["name"] for topology in seen["topologies"]
                if topology["split_brain"]["confirmed"]}, time.monotonic()
    fleet.real.detach("db3")
    times = []
    for _ in range(openings):
        time.sleep(dice.random())  # any phase of the polls
        begun = time.monotonic()
        fleet.real.make_writable("db3")
        known = set()
        while len(known) < topologies:
            names, at = confirmed()
            times += [at - begun] * len(names - known)
            known |= names
            if at - begun > 15:
                raise RuntimeError(f"only {len(known)} of {topologies} saw a second writer in 15 s")
        fleet.real.make_read_only("db3")
        wait_until(lambda: not confirmed()[0], 15, "the split brain to be over")
    fleet.real.follow("db3", "db1")
    agent.stop(cap=60)
    promised = 2.0 + 1.0
    return "Second writer → split_brain", [
        Figure("openings × topologies", f"{openings} × {topologies} = {len(times)}", "≥ 50",
               len(times) >= 50),
        Figure("p50", f"{quantile(times, 0.5):.3f} s"),
        judged("p99", quantile(times, 0.99), promised + SLACK, " s", 3),
        Figure("shortest, longest", f"{min(times):.3f} s, {max(times):.3f} s")], [
            "From before `SET GLOBAL read_only = OFF` is sent until `/api/v1/status`, asked again "
            "and again, says `confirmed`. poll_interval 1 s, confirm_polls 3, confirm_for 2 s; the "
            f"topologies' polls are spread over the second. Seed {options.seed}."]


# --- start


def start(fleet, options):
    figures = []
    for servers, times in ((3, 15), (1000, 5)):
        config = fleet.config(servers=servers)
        taken = []
        for _ in range(times):
            agent = fleet.agent(config)
            begun = time.monotonic()
            agent.launch()
            agent.wait_ready(30)
            taken.append(time.monotonic() - begun)
            agent.stop(cap=60)
            agent.close()
        what = f"{servers:,} servers: start → every topology judged, worst of {times}"
        figures.append(judged(what, max(taken), 1.0, " s", 3) if servers == 3 else
                       Figure(what + " (they are spread over the first second)",
                              f"{max(taken):.3f} s"))
    return "A clean start", figures, ["From the start of the process until `/readyz` says 200."]


def _moved(milliseconds, calm):
    """A shift of the polls' lateness; without a calm time to compare with it means nothing."""
    if calm:
        return judged("moved by", milliseconds, 5, " ms")
    return Figure("moved by", "cannot be said: the machine disturbs the polls by itself", "≤ 5 ms")


# --- page


def page(fleet, options):
    agent = settled(fleet.agent(fleet.config()))
    taken, size = [], 0
    for _ in range(50):
        begun = time.monotonic()
        answer = agent.get("/metrics")
        taken.append(time.monotonic() - begun)
        size = len(answer.body)
        time.sleep(0.02)
    before, after, calm = calm_span(agent, options.seconds)
    quiet = Lateness(before, after)
    stop, pages = threading.Event(), [0]

    def scrape():
        while not stop.is_set():
            agent.get("/metrics")
            pages[0] += 1
    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        before, after, _, wall = span(agent, options.seconds)
    finally:
        stop.set()
        thread.join()
    busy = Lateness(before, after)
    agent.stop(cap=60)
    moved = 1000 * (busy.quantile(0.99) - quiet.quantile(0.99))
    return "The metrics page of 1,000 servers", [
        Figure("size", f"{size / 1e6:.1f} MB"),
        judged("GET /metrics, median of 50", 1000 * quantile(taken, 0.5), 50, " ms", 1),
        Figure("p99", f"{1000 * quantile(taken, 0.99):.1f} ms"),
        Figure("lateness of polls, p99, nobody scraping", f"{1000 * quiet.quantile(0.99):.2f} ms"),
        Figure(f"lateness of polls, p99, scraped {pages[0] / wall:.1f} times a second",
               f"{1000 * busy.quantile(0.99):.2f} ms"),
        _moved(moved, calm)], [
            f"Nobody scraping: {quiet.text()}.  \nScraped all the time: {busy.text()}."]


# --- black hole


def _rule(*words):
    done = processes.run(["nft", *words])
    if done.returncode != 0:
        raise RuntimeError(f"nft {' '.join(words)}: {done.stderr.strip()}")


def blackhole(fleet, options):
    if not options.own_namespace:
        raise Skipped("it drops packets in a network namespace of its own: that needs root and nft")
    config = fleet.config(holed=100)
    holed = {f"t{number:03}" for number in range(100)}
    others = set(config["topology"]) - holed
    agent = settled(fleet.agent(config))
    before, after, calm = calm_span(agent, options.seconds, others)
    healthy, neighbours = Lateness(before, after, others), Lateness(before, after, holed)
    _rule("add", "table", "ip", "hole")
    _rule("add", "chain", "ip", "hole", "out", "{ type filter hook output priority 0 ; }")
    _rule("add", "rule", "ip", "hole", "out", "ip", "daddr", HOLE, "drop")
    try:
        before, after, _, _ = span(agent, max(20, options.seconds))
        up = after.sum("primacy_server_up")
    finally:
        _rule("delete", "table", "ip", "hole")
    dark, dark_neighbours = Lateness(before, after, others), Lateness(before, after, holed)
    agent.stop(cap=60)
    moved = 1000 * (dark.quantile(0.99) - healthy.quantile(0.99))
    return "100 of 1,000 servers in a black hole", [
        Figure("servers that are read meanwhile", f"{up:.0f}", "900", up == 900),
        Figure("lateness of the other topologies' polls, p99, before",
               f"{1000 * healthy.quantile(0.99):.2f} ms"),
        Figure("the same, while 100 servers do not answer", f"{1000 * dark.quantile(0.99):.2f} ms"),
        _moved(moved, calm),
        Figure("the 100 topologies concerned, p99, before → meanwhile",
               f"{1000 * neighbours.quantile(0.99):.2f} ms → "
               f"{1000 * dark_neighbours.quantile(0.99):.2f} ms")], [
            f"An nft rule drops every packet to {HOLE} in a network namespace that ends with the "
            "benchmark: no answer, no error. It takes one server of 100 topologies.",
            f"Others before: {healthy.text()}.  \nOthers meanwhile: {dark.text()}."]
