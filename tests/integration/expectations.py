"""What several test files assert about an agent and its topology."""

import os
import re

from primacy_harness import default_config, find_server, error_class, hold, server_entry, wait_until

# How late the machine may make everybody beyond what is promised. PRIMACY_TEST_SLACK_MS raises it
# where other work shares the processors.
SLACK_SECONDS = float(os.environ.get("PRIMACY_TEST_SLACK_MS", "20")) / 1000
# Generous: under a sanitizer an idle agent has about 60 MiB.
MEMORY_LIMIT = 400 << 20
EXIT_CODES = {"healthy": 0, "degraded": 1, "split_brain": 2, "no_writer": 2, "unknown": 3}


def expect_status_exit(agent, state):
    """`primacy status` agrees with the state, in words and by its exit code."""
    shown = agent.cli("status")
    assert shown.exit_code == EXIT_CODES[state], shown
    assert state.replace("_", " ").lower() in shown.stdout.lower(), shown
    assert "\x1b" not in shown.stdout, "no colour where there is no terminal"
    return shown


def expect_polled_on_time(topology_status, names, limit=0.4):
    """Those servers are read, and were read a moment ago (the poll interval is 0.1 s)."""
    limit += SLACK_SECONDS
    for name in names:
        server = find_server(topology_status, name)
        assert server["reachable"] is True, server
        assert server["error"] is None, server
        assert server["age_seconds"] < limit, server


def never_alarms(agent):
    """A condition for hold(): neither split brain nor no_writer, suspected or confirmed."""
    def check():
        seen = agent.topology()
        return (seen["state"] not in ("split_brain", "no_writer")
                and not seen["split_brain"]["suspected"] and not seen["split_brain"]["confirmed"])
    return check


def expect_no_leaked_connections(topology, names=None, limit=2):
    """At most two sessions of ours on each server."""
    for name in names or topology.names:
        count = topology.monitor_connections(name)
        assert count <= limit, f"{count} sessions of the monitoring account on {name}"


def wait_no_connections(topology, names=None, cap=10):
    """All our sessions are gone, after the agent has ended."""
    for name in names or topology.names:
        wait_until(lambda: topology.monitor_connections(name) == 0, cap,
                   f"the sessions on {name} to end")


def positions(text):
    """Every (line, column) that an error message names, as primacy.toml:LINE:COLUMN."""
    return [(int(line), int(column))
            for line, column in re.findall(r"primacy\.toml:(\d+):(\d+)", text)]



def with_bad_entries(topology, entries, **changes):
    """The configuration of the healthy servers, and others that cannot be read."""
    servers = [server_entry(server) for server in topology]
    # A reading is stale after two intervals and a timeout; a late machine must not make it so.
    changes.setdefault("probe_timeout", f"{round(500 + 1000 * SLACK_SECONDS)}ms")
    return default_config(servers=[*servers, *entries], **changes)


def with_bad_entry(topology, entry, **changes):
    """The configuration of the healthy servers, and `bad` as one more."""
    return with_bad_entries(topology, [{"name": "bad", **entry}], **changes)


def expect_only_unknown(agent, topology, classes, bad="bad", watch=2.0):
    """Waits for one of the classes, then watches for a while that everybody else is fine."""
    others = [name for name in topology.names if name != bad]
    server = agent.wait_server(bad, lambda server: error_class(server) in classes, cap=15,
                               what=f"an error among {sorted(classes)}")
    assert server["reachable"] is False
    assert server["writable"] is None
    agent.wait_for(lambda seen: [finding["subject"] for finding in seen["findings"]
                                 if finding["code"] == "server_unknown"] == [bad],
                   what=f"only {bad} to be unknown")
    alarms = never_alarms(agent)

    def undisturbed():
        assert agent.get("/healthz").status == 200
        expect_polled_on_time(agent.topology(), others)
        assert agent.process.resident_bytes() < MEMORY_LIMIT, "it holds what the server sends"
        return alarms()
    files = agent.process.open_files()
    hold(undisturbed, watch, "the quiet of the others")
    assert agent.process.open_files() <= files + 6, "descriptors leak"
    page = agent.metrics()
    assert page.value("primacy_server_up", server=bad) == 0
    assert page.sum("primacy_probe_failures_total") > 0
    assert any(value > 0 for labels, value in page.all("primacy_probe_failures_total")
               if labels["reason"] in classes), "counted under its reason"
    for name in others:
        assert page.value("primacy_server_up", server=name) == 1
    expect_no_leaked_connections(topology, others)
    return agent.server(bad)
