#!/usr/bin/env python3
"""24 hours of ordinary life as a promtool test: nothing in it may call anybody.

    python3 tests/alerts/ordinary_day.py RULE_FILE... > day.test.yml; promtool test rules day.test.yml

Three servers and an agent on the host of each. Servers restart, primaries are switched over, hosts
reboot, replicas lag for minutes, agents are upgraded, Prometheus itself misses scrapes, a schema
change waits for its window. Every series is made from one model of that day, each agent read at a
moment of its own, so that a switchover is seen from both sides at once.
"""

import sys
from pathlib import Path

SCRAPE = 15
DAY = 24 * 3600
SERVERS = ("db1", "db2", "db3")
OFFSETS = {"db1": 0, "db2": 5, "db3": 10}  # when an agent is read, before the sample's own time
FINDINGS = {  # code: severities, as on the page
    "split_brain": "warning critical", "former_primary_unseen": "critical",
    "no_writer": "warning critical", "server_unknown": "warning", "diverged": "critical",
    "duplicate_server_id": "critical", "galera_two_components": "warning critical",
    "galera_non_primary": "warning", "writable_replica": "warning",
    "replication_stopped": "info warning critical", "errant_transactions": "warning",
    "lag_high": "warning", "lag_unknown": "warning", "circular_replication": "info warning",
    "semisync_degraded": "warning", "clock_skew": "warning", "version_mismatch": "warning",
    "bypass_accounts": "info", "boots_writable": "info"}


def at(clock, seconds):
    """A span of the day: from hh:mm or hh:mm:ss, for that long."""
    hours, minutes, rest = (*map(int, clock.split(":")), 0)[:3]
    begin = hours * 3600 + minutes * 60 + rest
    return begin, begin + seconds


RESTARTS = {"db1": [at("03:00", 75), at("12:10", 40)], "db2": [at("01:00", 40), at("22:20", 60)],
            "db3": [at("02:10", 90), at("10:30", 240), at("22:05", 60)]}
# Old writer, new one, begin, how long nobody writes. 19:00 is one whose old writer closes late.
SWITCHOVERS = [("db1", "db2", at("08:00:24", 3)), ("db2", "db1", at("09:30", 25)),
               ("db1", "db3", at("19:00", -2)), ("db3", "db1", at("21:30", 12))]
AGENT_RESTARTS = {"db1": [at("12:00", 3), at("14:00", 20)], "db2": [at("12:03", 3)],
                  "db3": [at("10:30", 250), at("12:06", 3)]}
NO_SCRAPE = [at("10:00", 120), at("16:40", 30), at("23:10", 60)]  # Prometheus itself restarts
UNSEEN_BY = {"db3": [("db1", at("18:00", 90))]}                   # agent: the server, when
SPANS = {  # a finding for a while, on every agent
    ("lag_high", "warning"): [at("04:00", 180), at("05:30", 120), at("06:00", 240)],
    ("lag_unknown", "warning"): [at("04:03", 45), at("13:30", 120)],
    ("semisync_degraded", "warning"): [at("01:00", 60), at("02:10", 120), at("22:05", 90)],
    ("clock_skew", "warning"): [at("17:00", 300)],
    ("version_mismatch", "warning"): [at("22:05", 1200)],
    ("writable_replica", "warning"): [at("23:00", 45)],
    ("errant_transactions", "warning"): [at("08:00", 20), at("09:30", 30)],
    ("circular_replication", "warning"): [at("09:30", 25)]}
STALLS = {"db2": [at("11:00", 60)]}                               # its disk hangs
RELOAD_FAILED = {"db1": [at("13:00", 200)]}
MAINTENANCE = [at("15:00", 2700)]
METHOD_DOWN = [at("16:00", 400)]
JOB = [("queued", "04:50"), ("running", "05:00"), ("postponed", "07:00"), ("cutting_over", "21:00"),
       ("verifying", "21:02"), ("completed", "21:03")]
THROTTLED = [at("05:30", 1200), at("06:00", 2400)]
JOB_STATES = ("queued", "preflight", "running", "paused", "postponed", "cutting_over", "verifying",
              "completed", "failed", "aborted", "leftover", "ambiguous")


def within(moment, spans):
    return any(begin <= moment < end for begin, end in spans)


def writers(moment):
    """Who is open, unknown servers included: nobody or two within a switchover."""
    now = {SERVERS[0]}
    for old, new, (begin, end) in SWITCHOVERS:
        opened, closed = (end, begin) if end >= begin else (begin, begin + (begin - end))
        if moment >= opened:
            now.add(new)
        if moment >= closed:
            now.discard(old)
    return now


def following(moment, server):
    """Whether it replicates: not for a while after a switchover, which points it anew."""
    return server not in writers(moment) and not any(
        begin <= moment < max(begin, end) + 30 for _, _, (begin, end) in SWITCHOVERS)


def job_state(moment):
    states = [state for state, clock in JOB if moment >= at(clock, 0)[0]]
    return states[-1] if states else None


class Agent:
    """What one agent shows at one moment."""

    def __init__(self, name):
        self.name = name

    def runs(self, moment):
        return not within(moment, AGENT_RESTARTS[self.name])

    def started(self, moment):
        return max([0] + [end for _, end in AGENT_RESTARTS[self.name] if end <= moment])

    def knows(self, moment, server):
        hidden = [span for other, span in UNSEEN_BY.get(self.name, []) if other == server]
        return not within(moment, RESTARTS[server]) and not within(moment, hidden)

    def judged(self, moment):
        stalls = [begin for begin, end in STALLS.get(self.name, []) if begin <= moment < end]
        return stalls[0] if stalls else moment

    def holds_lease(self, moment):
        """db1's agent holds it; another takes it ten seconds after that one is gone."""
        gone = [span for span in AGENT_RESTARTS["db1"] if span[0] <= moment]
        holder = "db1" if not gone else "db2"
        return self.name == holder and (not gone or moment >= gone[0][0] + 10)

    def findings(self, moment):
        known = [server for server in SERVERS if self.knows(moment, server)]
        open_now = [server for server in known if server in writers(moment)]
        nobody = not open_now and len(known) == len(SERVERS)
        found = {key: int(within(moment, spans)) for key, spans in SPANS.items()}
        found["split_brain", "warning"] = int(len(open_now) > 1)
        found["server_unknown", "warning"] = len(SERVERS) - len(known)
        found["no_writer", "critical"] = int(nobody)
        stopped = [server for server in known if server not in open_now and
                   not (following(moment, server) and open_now)]
        found["replication_stopped", "warning"] = len(stopped)
        found["bypass_accounts", "info"] = len(known)
        return found

    def page(self, moment):
        yield "primacy_last_cycle_timestamp_seconds", "", self.judged(moment)
        yield "process_start_time_seconds", "", self.started(moment)
        yield "process_open_fds", "", 40 + moment // 3600
        yield "process_max_fds", "", 1024
        yield ("primacy_config_last_reload_successful", "",
               int(not within(moment, RELOAD_FAILED.get(self.name, []))))
        yield from self.topology(moment)
        yield from self.fencing(moment)
        yield from self.servers(moment)
        if self.name == "db1" and job_state(moment):
            yield from self.job(moment)

    def topology(self, moment):
        known = [server for server in SERVERS if self.knows(moment, server)]
        open_now = [server for server in known if server in writers(moment)]
        shop = 'topology="shop"'
        first = moment - self.started(moment) < 1
        yield "primacy_topology_last_judged_timestamp_seconds", shop, 0 if first else self.judged(moment)
        yield "primacy_topology_servers", shop, len(SERVERS)
        yield "primacy_topology_writable_primaries", shop, len(open_now)
        yield "primacy_topology_unknown_servers", shop, len(SERVERS) - len(known)
        yield "primacy_topology_split_brain", shop, 0
        yield "primacy_topology_split_brain_suspected", shop, int(len(open_now) > 1)
        yield "primacy_split_brains_total", shop, 0
        late = moment - self.started(moment)
        for bound, share in (("0.001", 0.9), ("0.1", 0.999), ("1", 1), ("+Inf", 1)):
            yield ("primacy_poll_lateness_seconds_bucket", f'{shop},le="{bound}"',
                   int(3 * late * share))
        found = self.findings(moment)
        for code, severities in FINDINGS.items():
            for severity in severities.split():
                yield ("primacy_findings", f'{shop},code="{code}",severity="{severity}"',
                       found.get((code, severity), 0))

    def fencing(self, moment):
        shop = 'topology="shop"'
        paused = within(moment, MAINTENANCE)
        yield "primacy_maintenance", shop, int(paused)
        yield "primacy_lease_held", shop, int(self.holds_lease(moment))
        yield "primacy_fencing_armed", shop, int(self.holds_lease(moment) and not paused)
        yield "primacy_fence_budget_remaining", shop, 2
        for server in SERVERS:
            down = within(moment, METHOD_DOWN) and server == "db2"
            asked = moment - self.started(moment) > 10
            for method, works in (("sql", self.knows(moment, server)), ("bmc", not down)):
                yield ("primacy_fence_method_up", f'{shop},server="{server}",method="{method}"',
                       int(works and asked))
            for state in ("none", "requested", "in_progress", "confirmed", "partial", "failed",
                          "unknown", "manual"):
                yield ("primacy_fence_state", f'{shop},server="{server}",state="{state}"',
                       int(state == "none"))
            yield ("primacy_fence_failures_total", f'{shop},server="{server}",reason="timeout"', 0)

    def servers(self, moment):
        for server in SERVERS:
            labels = f'topology="shop",server="{server}"'
            known, opened = self.knows(moment, server), server in writers(moment)
            strays = within(moment, SPANS["writable_replica", "warning"]) and server == "db2"
            errant = within(moment, SPANS["errant_transactions", "warning"]) and not opened
            yield "primacy_server_up", labels, int(known)
            yield ("primacy_server_role", f'{labels},role="primary"', int(known and opened))
            yield ("primacy_server_role", f'{labels},role="writable_replica"', int(known and strays))
            yield "primacy_gtid_errant_transactions", labels, int(errant)
            yield "primacy_gtid_errant_transactions_known", labels, int(known)

    def job(self, moment):
        labels, now = 'topology="shop",osc_job="orders-1"', job_state(moment)
        for state in JOB_STATES:
            yield ("primacy_osc_job_state", f'{labels},tool="gh-ost",database="shop",table="orders",'
                   f'state="{state}"', int(state == now))
        over = at("21:03", 0)[0]
        yield "primacy_osc_throttled", labels, int(within(moment, THROTTLED))
        yield "primacy_osc_last_activity_timestamp_seconds", labels, min(moment, over)
        yield ("primacy_osc_cut_over_attempts_total", labels,
               (moment >= at("21:00", 0)[0]) + (moment >= at("21:01", 0)[0]))
        yield "primacy_osc_leftover_objects", labels, 0


def scrape():
    """Every series of the day: name → {index of the sample: value}."""
    day = {}
    for index in range(DAY // SCRAPE):
        if within(index * SCRAPE, NO_SCRAPE):
            continue
        for name in SERVERS:
            moment, agent = index * SCRAPE - OFFSETS[name], Agent(name)
            target = f'job="primacy",instance="{name}:9963"'
            runs = moment >= 0 and agent.runs(moment)
            day.setdefault(f"up{{{target}}}", {})[index] = int(runs)
            for metric, labels, value in agent.page(moment) if runs else ():
                series = f"{metric}{{{target}{',' if labels else ''}{labels}}}"
                day.setdefault(series, {})[index] = value
    return day


def notation(samples):
    """promtool's words for a series: runs of equal steps, and what is missing."""
    words, index, last = [], 0, DAY // SCRAPE
    while index < last:
        end = index + 1
        if index not in samples:
            while end < last and end not in samples:
                end += 1
            # A scrape that failed ends the series at once; Prometheus' own gap does not.
            gap = within(index * SCRAPE, NO_SCRAPE)
            words += [f"_x{end - index}"] if gap else ["stale"] + [f"_x{end - index - 1}"] * (
                end - index > 1)
        else:
            step = samples[end] - samples[index] if end in samples else 0
            while end in samples and samples[end] - samples[end - 1] == step:
                end += 1
            count = end - index - 1
            words.append(f"{samples[index]}{f'{step:+d}x{count}' if count else ''}")
        index = end
    return " ".join(words)


FIRING = "group by (alertname) (count_over_time(ALERTS{alertstate=\"firing\"%s}[86385s]))"
WAITED = "group by (alertname) (count_over_time(ALERTS{alertstate=\"pending\"}[86385s]))"
# That these began to count, and no more, shows that the day was no easy one.
WAITING = ("AgentDown", "AgentStalled", "CircularReplication", "ClockSkew", "ErrantTransactions",
           "FenceMethodDown", "FencingDisarmed", "LagHigh", "LagUnknown", "LeaseNotHeld",
           "MaintenanceLong", "NoWriter", "NoWriterVisible", "OscHeld", "OscPostponed",
           "ReplicationStopped", "SemisyncDegraded", "ServerUnknown",
           "VersionMismatch", "WritableReplica", "AgentsDisagree", "AgentsSeeDifferentWriters",
           "SplitBrainSuspected", "ServerCannotBeFenced")


def expectation(expression, names):
    lines = [f"      - expr: '{expression}'", f"        eval_time: {DAY - SCRAPE}s"]
    lines += ["        exp_samples:"] if names else ["        exp_samples: []"]
    for name in names:
        lines.append(f"          - {{labels: '{{alertname=\"Primacy{name}\"}}', value: 1}}")
    return lines


def document(rule_files):
    lines = ["rule_files:"] + [f"  - {Path(name).resolve()}" for name in rule_files]
    lines += ["evaluation_interval: 30s", "tests:", "  - name: an ordinary day",
              f"    interval: {SCRAPE}s", "    input_series:"]
    for series, samples in scrape().items():
        lines.append(f"      - {{series: '{series}', values: '{notation(samples)}'}}")
    lines.append("    promql_expr_test:")
    lines += expectation(FIRING % ',severity=~"critical|warning"', ())
    lines += expectation(FIRING % "", ("Maintenance", "Watchdog"))
    lines += expectation(WAITED, WAITING)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document(sys.argv[1:]))
