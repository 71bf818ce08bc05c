"""In observe mode the agent only reads, whatever it sees: proved by the servers' general log."""

import re

import pytest

from primacy_harness import Topology, default_config, wait_until
from primacy_harness.topology import MONITOR

pytestmark = pytest.mark.core

# What a monitor may say. Everything else fails the test, so that a new statement is looked at.
_ALLOWED = re.compile(
    r"^((?:SELECT|WITH\s+RECURSIVE)\b(?!.*\b(INTO|FOR\s+UPDATE|LOCK\s+IN|GET_LOCK|RELEASE_\w*LOCK|SLEEP|BENCHMARK|"
    r"LOAD_FILE|NEXTVAL|SETVAL|NEXT\s+VALUE)\b)"
    r"|SHOW\b"
    r"|SET\s+(SESSION\s+|@@SESSION\.|NAMES\b|CHARACTER\s+SET\b)(?!.*\b(GLOBAL|PERSIST)\b))",
    re.IGNORECASE | re.DOTALL)
_SILENT_COMMANDS = {"Connect", "Quit", "Ping", "Close stmt"}


@pytest.fixture
def logged_topology(run_dir, kind):
    topology = Topology(run_dir / f"logged-{kind.name}", kind=kind,
                        server_options=["--log-output=TABLE"]).start()
    for server in topology:
        server.query("SET GLOBAL general_log = ON")
    yield topology
    topology.close()


def _statements(server):
    """(command, argument) of everything that our account sent."""
    rows = server.query("SELECT user_host, command_type, CAST(argument AS CHAR) AS argument "
                        "FROM mysql.general_log")
    return [(row["command_type"], row["argument"]) for row in rows
            if re.match(rf"{MONITOR}\[{MONITOR}\]|\[{MONITOR}\]", row["user_host"])]


def test_nothing_but_reading_arrives_from_us(logged_topology, make_agent):
    """A whole run: healthy, split brain, divergence, a lost primary, mended, and every command."""
    topology = logged_topology
    agent = make_agent(default_config(topology, mode="observe", detail_interval="1s")).start()
    agent.wait_state("healthy")
    topology.promote("db3")
    agent.wait_state("split_brain")
    for _ in range(3):
        topology.write_row("db3", "split")
        topology.write_row("db1", "split")
    agent.wait_for(lambda seen: any(f["code"] in ("diverged", "errant_transactions")
                                    for f in seen["findings"]), what="the divergence")
    for command in (["status"], ["status", "--json"], ["explain"], ["check-config"],
                    ["preflight", "shop", "--for", "monitor"]):
        agent.cli(*command)
    agent.reload()
    topology.make_read_only("db1")
    agent.wait_for(lambda seen: seen["writers"] == ["db3"], what="one writer")
    agent.stop()
    for command in (["status"], ["explain"], ["preflight", "shop", "--for", "monitor"]):
        agent.cli(*command)

    for server in topology:
        wait_until(lambda: server.connections_of(MONITOR) == 0, 10, "our sessions to end")
        statements = _statements(server)
        queries = [argument for command, argument in statements if command in ("Query", "Execute")]
        assert len(queries) > 20, "the log has our statements"
        for command, argument in statements:
            if command in _SILENT_COMMANDS:
                continue
            assert command in ("Query", "Execute", "Prepare"), (command, argument)
            bare = re.sub(r"/\*.*?\*/", " ", argument, flags=re.DOTALL).strip()
            assert _ALLOWED.match(bare), f"{server.name} was sent: {argument}"
            assert ";" not in bare.rstrip(";"), f"more than one statement: {argument}"


@pytest.mark.parametrize("statement, allowed", [
    ("SELECT @@read_only", True), ("SHOW ALL SLAVES STATUS", True), ("set names utf8mb4", True),
    ("SET SESSION wait_timeout=5", True), ("SET @@session.max_statement_time=1", True),
    ("SET GLOBAL read_only=1", False), ("SET SESSION x=1, GLOBAL read_only=1", False),
    ("set @@global.read_only=1", False), ("SELECT GET_LOCK('x',0)", False),
    ("SELECT 1 INTO OUTFILE '/tmp/x'", False), ("KILL 5", False), ("STOP SLAVE", False),
    ("SELECT * FROM t FOR UPDATE", False), ("FLUSH TABLES", False), ("SET PASSWORD='x'", False)])
def test_the_judge_of_statements_bites(statement, allowed):
    assert bool(_ALLOWED.match(statement)) is allowed
