#!/usr/bin/env python3
"""Makes grafana/dashboards/*.json. The JSON is what Grafana reads; this is what people change.

    python3 grafana/make_dashboards.py      writes them anew; a test compares
"""

import json
from pathlib import Path

from parts import (BLUE, GREEN, GREY, ORANGE, RED, YELLOW, annotation, dashboard, enum, graph,
                   numbers, query, stat, steps, table, timeline, variable)

FOLDER = Path(__file__).resolve().parent / "dashboards"
AGENTS = 'job=~"$job",instance=~"$instance"'
SHOP = AGENTS + ',topology=~"$topology"'
STATES = [("healthy", GREEN), ("degraded", YELLOW), ("unknown", BLUE), ("no_writer", ORANGE),
          ("split_brain", RED)]
ROLES = [("unknown", BLUE), ("standalone", GREY), ("replica", "semi-dark-blue"), ("relay", "purple"),
         ("writable_replica", ORANGE), ("primary", GREEN)]
FENCES = [("none", GREY), ("requested", YELLOW), ("in_progress", ORANGE), ("confirmed", GREEN),
          ("manual", "semi-dark-green"), ("partial", "semi-dark-orange"), ("unknown", BLUE),
          ("failed", RED)]
JOBS = [("queued", GREY), ("preflight", "semi-dark-blue"), ("running", BLUE), ("paused", YELLOW),
        ("postponed", "light-yellow"), ("cutting_over", "purple"), ("verifying", "light-purple"),
        ("completed", GREEN), ("aborted", "light-orange"), ("failed", ORANGE),
        ("leftover", "semi-dark-red"), ("ambiguous", RED)]
BAD = steps((None, GREEN), (1, RED))
WORRY = steps((None, GREEN), (1, YELLOW))
YES_IS_GOOD = numbers((0, "no", RED), (1, "yes", GREEN))
AGE = ("timestamp(primacy_topology_last_judged_timestamp_seconds{%s})"
       " - primacy_topology_last_judged_timestamp_seconds{%s}")


def agents():
    return [variable("job", "Job", "primacy_build_info"),
            variable("instance", "Agent", "primacy_build_info", selector='job=~"$job"')]


def topologies(multi):
    return variable("topology", "Topology", "primacy_topology_servers", multi=multi, selector=AGENTS)


def alerts(matchers="", names="Primacy.*"):
    return annotation("Alerts", "orange", f'ALERTS{{alertname=~"{names}",alertstate="firing",'
                      f'severity=~"critical|warning"{matchers}}}', "{{alertname}} {{topology}}")


def age(selector):
    return AGE % (selector, selector)


def overview():
    return dashboard(
        "primacy-overview", "primacy / Overview", "All topologies: state, writers, age.",
        [*agents(), topologies(True)], [
            stat("Split brains", "Topologies with a confirmed split brain now, as any agent sees it.",
                 f"sum(max by (topology) (primacy_topology_split_brain{{{SHOP}}}))", thresholds=BAD),
            stat("Suspected", "Topologies in which a split brain is seen and not yet confirmed.",
                 f"sum(max by (topology) (primacy_topology_split_brain_suspected{{{SHOP}}}))",
                 thresholds=WORRY),
            stat("Without a writer", "Topologies in which no agent sees a writable primary.",
                 f"sum(max by (topology) (primacy_topology_writable_primaries{{{SHOP}}}) == bool 0)",
                 thresholds=BAD),
            stat("Unknown servers", "Servers that no agent can read. Unknown is not down.",
                 f"sum(max by (topology, server) (primacy_server_up{{{SHOP}}}) == bool 0)",
                 thresholds=WORRY),
            stat("Agents", "Agents that Prometheus can scrape.", f"sum(up{{{AGENTS}}})",
                 thresholds=steps((None, RED), (1, GREEN))),
            stat("Topologies", "Topologies that some agent watches.",
                 f"count(group by (topology) (primacy_topology_servers{{{SHOP}}}))",
                 thresholds=steps((None, BLUE))),
            timeline("State", "The worst state that any agent sees of each topology.",
                     enum("primacy_topology_state", SHOP, "state", STATES, "topology"),
                     "{{topology}}", STATES),
            table("Alerts", "Alerts of primacy that fire now.",
                  'max by (severity, alertname, topology, server) (ALERTS{alertname=~"Primacy.*",'
                  'alertstate="firing"})', hide=("Value",)),
            table("Findings", "Critical and warning findings that stand now, by any agent.",
                  "max by (topology, code, severity) (primacy_findings"
                  f'{{{SHOP},severity=~"critical|warning"}}) > 0'),
            graph("Writable primaries", "Servers that can conflict; a Galera component counts as one.",
                  [query(f"max by (topology) (primacy_topology_writable_primaries{{{SHOP}}})",
                         "{{topology}}")], "short", decimals=0),
            graph("Age of the judgement", "How old the youngest judgement was when it was scraped.",
                  [query(f"min by (topology) ({age(SHOP)})", "{{topology}}")], "s"),
            graph("Agents that would fence", "Agents that are armed: mode enforce, the lease, no maintenance.",
                  [query(f"sum by (topology) (primacy_fencing_armed{{{SHOP}}})", "{{topology}}")],
                  "short", decimals=0),
            graph("Worst lag", "The worst known lag of each topology, a deliberate delay not counted.",
                  [query(f"max by (topology) (primacy_replication_lag_seconds{{{SHOP}}}"
                         f" - primacy_replication_delay_seconds{{{SHOP}}}"
                         f" and primacy_replication_lag_known{{{SHOP}}} == 1)", "{{topology}}")], "s"),
        ], [alerts()])


def servers_of_topology():
    lag = (f"max by (server, channel) (primacy_replication_lag_seconds{{{SHOP}}}"
           f" - primacy_replication_delay_seconds{{{SHOP}}}"
           f" and primacy_replication_lag_known{{{SHOP}}} == 1)")
    errant = (f"max by (server) (primacy_gtid_errant_transactions{{{SHOP}}}"
              f" and primacy_gtid_errant_transactions_known{{{SHOP}}} == 1)")
    seen = (f"min by (server) (timestamp(primacy_server_last_seen_timestamp_seconds{{{SHOP}}})"
            f" - primacy_server_last_seen_timestamp_seconds{{{SHOP}}})")
    running = " * ".join(f"max by (server, channel) (primacy_replication_{thread}_running{{{SHOP}}})"
                         for thread in ("io", "sql"))
    known = [("not known or stopped", ORANGE), ("replicates", GREEN)]
    return [
        timeline("Who writes", "The role of each server as the agents see it; unknown is not down.",
                 enum("primacy_server_role", SHOP, "role", ROLES, "server"), "{{server}}", ROLES),
        graph("Lag", "Known lag, a deliberate delay not counted. A gap is a lag that is not known.",
              [query(lag, "{{server}} {{channel}}")], "s"),
        timeline("Replication", "Whether both threads are seen to run.", f"1 + {running}",
                 "{{server}} {{channel}}", known, width=12, height=8),
        graph("Errant transactions", "Transactions that a server holds and the one writer lacks.",
              [query(errant, "{{server}}")], "short", decimals=0),
        graph("Last read", "Time since a server was last read, by the agent that saw it last.",
              [query(seen, "{{server}}")], "s"),
        table("Servers", "What each server said of itself when it was last read.",
              f"max by (server, address, flavor, version, server_id) (primacy_server_info{{{SHOP}}})",
              hide=("Value",)),
        table("Who replicates from whom", "The source of each channel.",
              f"max by (server, channel, source) (primacy_replication_source_info{{{SHOP}}})",
              hide=("Value",)),
        graph("Accounts that pass read_only", "Accounts that write through read_only, where it is known.",
              [query(f"max by (server) (primacy_server_bypass_accounts{{{SHOP}}}"
                     f" and primacy_server_bypass_accounts_known{{{SHOP}}} == 1)", "{{server}}")],
              "short", decimals=0),
        graph("Connected replicas", "Replicas that are connected to a server, where it is known.",
              [query(f"max by (server) (primacy_server_replicas_connected{{{SHOP}}}"
                     f" and primacy_server_replicas_connected_known{{{SHOP}}} == 1)", "{{server}}")],
              "short", decimals=0),
        graph("Findings", "Findings that stand, by code.",
              [query(f'max by (code, severity) (primacy_findings{{{SHOP},severity=~"critical|warning"}}'
                     ") > 0", "{{severity}} {{code}}")], "short", decimals=0),
    ]


def fences_of_topology():
    return [
        timeline("Fences", "What the newest fence of each server came to.",
                 enum("primacy_fence_state", SHOP, "state", FENCES, "server"), "{{server}}", FENCES,
                 width=12, height=8),
        graph("Rungs tried", "Rungs that were tried on a server.",
              [query(f"sum by (server) (increase(primacy_fence_attempts_total{{{SHOP}}}[$__rate_interval]))",
                     "{{server}}")], "short"),
        graph("Rungs that did not confirm", "Rungs that were tried and not confirmed, by reason.",
              [query("sum by (server, reason) (increase(primacy_fence_failures_total"
                     f"{{{SHOP}}}[$__rate_interval])) > 0", "{{server}} {{reason}}")], "short"),
        table("Methods", "Whether each rung answered its last check, as seen by the agents.",
              f"min by (server, method) (primacy_fence_method_up{{{SHOP}}})", mappings=YES_IS_GOOD),
        table("Last confirmed fence", "When a fence of each server was last confirmed, since the agent "
              "started.", "max by (server) (primacy_fence_last_confirmed_timestamp_seconds"
              f"{{{SHOP}}}) * 1000 > 0", unit="dateTimeAsIso"),
        graph("Time of the newest ladder", "How long the newest ladder of each server took.",
              [query(f"max by (server) (primacy_fence_duration_seconds{{{SHOP}}})", "{{server}}")], "s"),
    ]


def topology():
    return dashboard(
        "primacy-topology", "primacy / Topology",
        "One topology: who writes over time, lag, GTID, findings, fences.",
        [*agents(), topologies(False)], [
            stat("State", "The worst state that any agent sees.",
                 enum("primacy_topology_state", SHOP, "state", STATES, "topology"),
                 mappings=[{"type": "value", "options": {
                     str(place): {"text": text, "color": color, "index": place}
                     for place, (text, color) in enumerate(STATES, 1)}}]),
            stat("Writable primaries", "Servers that are seen to take writes and can conflict.",
                 f"max(primacy_topology_writable_primaries{{{SHOP}}})",
                 thresholds=steps((None, ORANGE), (1, GREEN), (2, RED))),
            stat("Writable servers", "The same with writable replicas.",
                 f"max(primacy_topology_writable_servers{{{SHOP}}})", thresholds=steps((None, BLUE))),
            stat("Incumbent", "The server that was last the only writable primary.",
                 f'max by (server) (primacy_topology_incumbent_info{{{SHOP},server!=""}})',
                 legend="{{server}}", text="name", thresholds=steps((None, BLUE))),
            stat("Agents that would fence", "Agents that are armed.",
                 f"sum(primacy_fencing_armed{{{SHOP}}})", thresholds=steps((None, YELLOW), (1, GREEN))),
            stat("Maintenance", "Whether a person has paused acting.",
                 f"max(primacy_maintenance{{{SHOP}}})",
                 mappings=numbers((0, "no", GREEN), (1, "on", YELLOW))),
            *servers_of_topology(), *fences_of_topology(),
            stat("Fences left in the budget", "Fences that may still begin within the window.",
                 f"min(primacy_fence_budget_remaining{{{SHOP}}})", width=6,
                 thresholds=steps((None, RED), (1, GREEN))),
            stat("Split brains", "Split brains that were confirmed since each agent started.",
                 f"max(increase(primacy_split_brains_total{{{SHOP}}}[$__range]))", width=6,
                 thresholds=WORRY, decimals=0),
        ], [annotation("Fences", "red", "changes(primacy_fence_last_confirmed_timestamp_seconds"
                       f"{{{SHOP}}}[$__rate_interval]) > 0", "{{server}} was fenced"),
            annotation("Split brains", "dark-red", f"increase(primacy_split_brains_total{{{SHOP}}}"
                       "[$__rate_interval]) > 0", "split brain confirmed"),
            alerts(',topology=~"$topology"')])


def schema_changes():
    job = SHOP + ',osc_job=~"$osc_job"'
    return dashboard(
        "primacy-schema-changes", "primacy / Schema changes",
        "Jobs: progress, rate, time left, lag, throttle, cut-over.",
        [*agents(), topologies(True), variable("osc_job", "Job of a schema change",
                                               "primacy_osc_job_state", selector=SHOP)], [
            timeline("State", "The state of each job; its series stay for a day after its end.",
                     enum("primacy_osc_job_state", job, "state", JOBS, "topology, osc_job, database, table"),
                     "{{osc_job}} {{database}}.{{table}}", JOBS),
            graph("Progress", "Part of the copy that is done; 100 % not before its end.",
                  [query(f"max by (osc_job) (primacy_osc_progress_ratio{{{job}}})", "{{osc_job}}")],
                  "percentunit"),
            graph("Time left", "Time that the copy still takes. A gap: nobody can tell, or it is paused.",
                  [query(f"max by (osc_job) (primacy_osc_eta_seconds{{{job}}})", "{{osc_job}}")], "s"),
            graph("Rate", "Rows that are copied in a second.",
                  [query(f"max by (osc_job) (clamp_min(deriv(primacy_osc_rows_copied{{{job}}}"
                         "[$__rate_interval]), 0))", "{{osc_job}}")], "rowsps"),
            graph("Rows", "Rows that were copied, and that there are to copy by an estimate.",
                  [query(f"max by (osc_job) (primacy_osc_rows_copied{{{job}}})", "{{osc_job}} copied"),
                   query(f"max by (osc_job) (primacy_osc_rows_estimated{{{job}}})",
                         "{{osc_job}} estimated")], "short"),
            graph("Lag", "Lag of the worst replica that the job heeds. A gap: one is not known.",
                  [query(f"max by (osc_job) (primacy_osc_lag_seconds{{{job}}})", "{{osc_job}}")], "s"),
            timeline("Held", "Whether the tool may copy. A pause is a state of the job, see above; "
                     "`primacy osc show` has the reason.",
                     f"1 + max by (osc_job) (primacy_osc_throttled{{{job}}})", "{{osc_job}}",
                     [("may copy", GREEN), ("throttled", YELLOW)], width=12, height=8),
            graph("Attempts to cut over", "Attempts to swap the tables, or to begin a native ALTER.",
                  [query("max by (osc_job) (increase(primacy_osc_cut_over_attempts_total"
                         f"{{{job}}}[$__rate_interval]))", "{{osc_job}}")], "short"),
            graph("Last sign of life", "Time since the tool last said something.",
                  [query(f"max by (osc_job) (timestamp(primacy_osc_last_activity_timestamp_seconds{{{job}}})"
                         f" - primacy_osc_last_activity_timestamp_seconds{{{job}}})", "{{osc_job}}")], "s"),
            table("Left behind", "Tables and triggers that the end of a job left on the servers.",
                  f"max by (topology, osc_job) (primacy_osc_leftover_objects{{{job}}})",
                  thresholds=BAD),
        ], [alerts(names="PrimacyOsc.*")])


def quantile(share, metric, selector):
    return (f"histogram_quantile({share}, sum by (instance, topology, le) "
            f"(rate({metric}_bucket{{{selector}}}[$__rate_interval])))")


def agent():
    return dashboard(
        "primacy-agent", "primacy / Agent", "The agents: probes, loop, lease, devices, process.",
        [*agents(), topologies(True)], [
            stat("Agents", "Agents that Prometheus can scrape.", f"sum(up{{{AGENTS}}})",
                 thresholds=steps((None, RED), (1, GREEN))),
            stat("Configuration", "Whether the last reload of every agent succeeded.",
                 f"min(primacy_config_last_reload_successful{{{AGENTS}}})", mappings=YES_IS_GOOD),
            stat("Versions", "How many versions are at work; more than one during an upgrade.",
                 f"count(count by (version) (primacy_build_info{{{AGENTS}}}))",
                 thresholds=steps((None, GREEN), (2, YELLOW))),
            stat("Youngest agent", "Time since the newest start of an agent.",
                 f"min(timestamp(process_start_time_seconds{{{AGENTS}}})"
                 f" - process_start_time_seconds{{{AGENTS}}})", unit="s"),
            stat("Leases", "Agents that hold a lease, counted once for each topology.",
                 f"sum(primacy_lease_held{{{SHOP}}})", thresholds=steps((None, BLUE))),
            stat("Age of the loop", "The oldest cycle of an agent's loop, when it was scraped.",
                 f"max(timestamp(primacy_last_cycle_timestamp_seconds{{{AGENTS}}})"
                 f" - primacy_last_cycle_timestamp_seconds{{{AGENTS}}})", unit="s",
                 thresholds=steps((None, GREEN), (5, YELLOW), (30, RED))),
            graph("Time to read a server", "Median and 99th percentile of the probes that succeeded.",
                  [query(quantile(0.5, "primacy_probe_duration_seconds", SHOP),
                         "p50 {{topology}} {{instance}}"),
                   query(quantile(0.99, "primacy_probe_duration_seconds", SHOP),
                         "p99 {{topology}} {{instance}}")], "s"),
            graph("Polls that begin late", "99th percentile of how late polls began.",
                  [query(quantile(0.99, "primacy_poll_lateness_seconds", SHOP),
                         "p99 {{topology}} {{instance}}")], "s"),
            graph("Probes", "Probes that read their server, in a second.",
                  [query("sum by (instance, topology) (rate(primacy_probe_duration_seconds_count"
                         f"{{{SHOP}}}[$__rate_interval]))", "{{topology}} {{instance}}")], "ops"),
            graph("Probes that failed", "Probes that could not read their server, by reason.",
                  [query("sum by (topology, reason) (rate(primacy_probe_failures_total"
                         f"{{{SHOP}}}[$__rate_interval])) > 0", "{{topology}} {{reason}}")], "ops"),
            timeline("Lease", "Who holds the lease of each topology.",
                     f"1 + max by (topology, instance) (primacy_lease_held{{{SHOP}}})",
                     "{{topology}} {{instance}}", [("no", GREY), ("holds it", GREEN)], width=12, height=8),
            graph("Lease runs for", "How long the lease is held if no voter answers any more.",
                  [query(f"(primacy_lease_expiry_timestamp_seconds{{{SHOP}}}"
                         f" - timestamp(primacy_lease_expiry_timestamp_seconds{{{SHOP}}}))"
                         f" and primacy_lease_held{{{SHOP}}} == 1", "{{topology}} {{instance}}")], "s"),
            timeline("Devices", "Whether each rung answered its last check, from each agent. `sql` is "
                     "looked at only in mode enforce.",
                     "1 + max by (topology, server, method, instance) (primacy_fence_method_up"
                     f"{{{SHOP}}})", "{{server}} {{method}} {{instance}}",
                     [("no answer", ORANGE), ("answers", GREEN)], width=24, height=8),
            graph("Processor", "Processor time of the agent.",
                  [query(f"rate(process_cpu_seconds_total{{{AGENTS}}}[$__rate_interval])",
                         "{{instance}}")], "percentunit"),
            graph("Memory", "Memory of the agent in RAM.",
                  [query(f"process_resident_memory_bytes{{{AGENTS}}}", "{{instance}}")], "bytes"),
            graph("Descriptors", "Part of the descriptors that an agent may open and has open.",
                  [query(f"process_open_fds{{{AGENTS}}} / process_max_fds{{{AGENTS}}}",
                         "{{instance}}")], "percentunit"),
            graph("Threads", "Threads of the agent.",
                  [query(f"process_threads{{{AGENTS}}}", "{{instance}}")], "short", decimals=0),
        ], [annotation("Starts", "blue", f"changes(process_start_time_seconds{{{AGENTS}}}"
                       "[$__rate_interval]) > 0", "{{instance}} started")])


def all_dashboards():
    return [overview(), topology(), schema_changes(), agent()]


def text_of(made):
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for one in all_dashboards():
        (FOLDER / f"{one['uid']}.json").write_text(text_of(one), encoding="utf-8")
