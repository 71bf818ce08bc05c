"""A real agent on real servers, scraped by a real Prometheus through a short story: a schema change, a
split brain that a person resolves, one that the agent ends, a server that cannot be read.

Then every expression of every panel has returned data, and so has every series that an alert asks for.
"""

import math
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

from conftest import REPOSITORY, all_alerts
from dashboards import expressions, filled

sys.path.insert(0, str(REPOSITORY / "tests" / "integration"))
from primacy_harness import KINDS, Agent, Topology, default_config, find_server, wait_until  # noqa: E402
from primacy_harness.schema_change import ChangingTable, grant_tools  # noqa: E402
from primacy_harness.tools import find_tool  # noqa: E402
from primacy_harness.topology import grant_fencing  # noqa: E402

import live  # noqa: E402

SLACK = int(os.environ.get("PRIMACY_TEST_SLACK_MS", "20")) / 1000
PROMISED = 15  # seconds from the second writer to the pager, with a scrape every 5 s
# Expressions that this story cannot make return a number, and why.
EXCEPTIONS = {"primacy-schema-changes / annotation Alerts": "no schema change goes wrong here"}


class Story:
    """What happens, in order; keeps when it began and how long what was promised took."""

    def __init__(self, folder):
        self.folder = folder
        self.took = {}
        self.table = self.agent = self.monitoring = None
        self.topology = Topology(folder / "servers", kind=KINDS["mariadb"])

    def tell(self):
        self.topology.start()
        grant_tools(self.topology)
        grant_fencing(self.topology)
        self.table = ChangingTable(self.topology, rows=60000, writers=1)
        self.start_agent()
        self.begun = time.time()
        self.monitoring = live.Monitoring(self.folder, [self.agent.config["agent"]["listen"]]).start()
        self.schema_change()
        self.split_brain_that_a_person_resolves()
        self.unreadable_server()
        self.split_brain_that_the_agent_ends()
        self.agent.stop()
        self.agent.start()
        self.wait_scraped("changes(process_start_time_seconds[1m]) > 0")
        wait_until(lambda: self.monitoring.receiver.calls("/page", "PrimacySplitBrain", "resolved"), 180,
                   "the pager to be told that it is over", interval=0.5)
        self.ended = time.time()

    def start_agent(self):
        config = default_config(self.topology, poll_interval="1s", probe_timeout="2s",
                                confirm_for="2s", lease={"backend": "servers", "ttl": "3s"},
                                fencing={"max_fences": 5, "cooldown": "1s"})
        config["method"] = {"broken": {"type": "exec", "command": ["/bin/false"]}}
        find_server({"servers": config["topology"]["shop"]["server"]}, "db3")["fence"] = \
            ["broken", "sql"]
        self.agent = Agent(self.folder, config)
        self.agent.config["osc"] = {"log_dir": str(self.folder / "osc-logs"),
                                    "pt_osc": find_tool("pt-online-schema-change")}
        self.agent.write_config()
        self.agent.start()
        self.agent.wait_state("healthy", cap=30)

    def wait_scraped(self, expression, cap=60):
        wait_until(lambda: self.monitoring.query(expression), cap, f"Prometheus to see {expression}",
                   interval=0.2)

    def schema_change(self):
        said = self.agent.cli("osc", "run", "app.orders", "--alter", "ADD COLUMN extra INT NULL",
                              "--tool", "pt-osc", "--chunk-rows", "10", "--max-lag", "60s",
                              "--topology", "shop", cap=90)
        assert said.exit_code == 0, said
        self.wait_scraped('primacy_osc_job_state{state="running"} == 1')
        self.wait_scraped('primacy_osc_job_state{state="completed"} == 1', cap=300)

    def split_brain_that_a_person_resolves(self):
        self.topology.stop_replication("db3")
        begun = time.monotonic()
        self.topology.make_writable("db3")
        calls = self.monitoring.receiver.calls
        wait_until(lambda: calls("/page", "PrimacySplitBrain", "firing"), 60,
                   "the pager to be called", interval=0.05)
        self.took["second writer → the pager is called"] = time.monotonic() - begun
        said = self.agent.cli("resolve", "shop", "--keep", "db1", "--reason", "test", "--yes")
        assert said.exit_code == 0, said
        self.give_back()

    def unreadable_server(self):
        self.topology["db2"].pause()
        self.wait_scraped('primacy_server_up{server="db2"} == 0')
        self.topology["db2"].resume()
        self.agent.wait_state("healthy", cap=60)

    def split_brain_that_the_agent_ends(self):
        self.agent.config["topology"]["shop"]["mode"] = "enforce"
        self.agent.write_config()
        self.agent.reload()
        self.wait_scraped("primacy_fencing_armed == 1")
        self.topology.stop_replication("db3")
        self.topology.make_writable("db3")
        self.agent.wait_for(lambda seen: find_server(seen, "db3")["fence"] == "confirmed", cap=60)
        self.wait_scraped("increase(primacy_split_brains_total[30s]) > 0")
        self.give_back()

    def give_back(self):
        """db3 follows again, and its quarantine is over."""
        self.topology.follow("db3", "db1")
        self.agent.wait_for(lambda seen: seen["state"] == "healthy" and
                            find_server(seen, "db3")["fence"] == "none", cap=60)

    def close(self):
        if self.table:
            self.table.stop()
        if self.monitoring:
            self.monitoring.close()
        if self.agent:
            self.agent.close()
        self.topology.close()


@pytest.fixture(scope="module")
def story():
    binary = Path(os.environ.get("PRIMACY_BINARY", REPOSITORY / "build/release/agent/primacy"))
    if not os.access(binary, os.X_OK):
        pytest.skip(f"there is no program at {binary}; `make build` makes one")
    if live.why_not():
        pytest.skip(live.why_not())
    if KINDS["mariadb"].why_not():
        pytest.skip(KINDS["mariadb"].why_not())
    if not find_tool("pt-online-schema-change"):
        pytest.skip("pt-online-schema-change was not found; `make deps` fetches it")
    folder = Path(tempfile.mkdtemp(prefix="primacy-al-", dir="/tmp"))
    told = Story(folder)
    try:
        told.tell()
        yield told
    except Exception:
        if told.monitoring:
            print(told.monitoring.logs())
        if told.agent:
            print(told.agent.log_tail())
        raise
    finally:
        told.close()
        shutil.rmtree(folder, ignore_errors=True)


def numbers(series):
    return [float(value) for one in series for _, value in one["values"]
            if math.isfinite(float(value))]


def test_a_split_brain_calls_the_pager_in_time(story):
    print(story.took)
    assert story.took["second writer → the pager is called"] <= PROMISED + SLACK
    (call,) = story.monitoring.receiver.calls("/page", "PrimacySplitBrain", "firing")[:1]
    assert "Writable primaries: db1, db3." in call["annotations"]["description"]
    page = Path(call["annotations"]["runbook_url"]).name
    assert (REPOSITORY / "docs" / "runbooks" / page).exists()


def test_nobody_else_was_paged_and_the_watchdog_came(story):
    """What a split brain brings along is hushed; what is left is what happened."""
    told = {(path, alert["labels"]["alertname"]) for path, alert in story.monitoring.receiver.told}
    assert {name for path, name in told if path == "/page"} == {"PrimacySplitBrain"}
    assert ("/dead-man", "PrimacyWatchdog") in told


def test_every_rule_was_evaluated_without_an_error(story):
    rules = story.monitoring.rules()
    assert len(rules) == len(all_alerts())
    assert not [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"]


def test_every_panel_returned_a_number(story):
    silent = {}
    for where, expression in expressions():
        asked = filled(expression, topology="shop")
        if not numbers(story.monitoring.series(asked, story.begun, story.ended)):
            silent[where] = asked
    unexpected = {where: asked for where, asked in silent.items() if where not in EXCEPTIONS}
    assert not unexpected
    assert set(EXCEPTIONS) <= set(silent), "an exception that is none any more"


def selectors(expression):
    """What an alert asks for: each metric with its labels, in whatever state."""
    for name, labels in re.findall(r"\b((?:primacy|process)_\w+|up)(\{[^}]*\})?", expression):
        yield name + labels


def test_every_series_that_an_alert_asks_for_exists(story):
    missing = {alert["alert"]: asked for alert in all_alerts() for asked in selectors(alert["expr"])
               if not story.monitoring.series(asked, story.begun, story.ended)}
    assert not missing
