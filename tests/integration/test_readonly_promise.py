"""In observe mode the agent only reads, whatever it sees: proved by the servers' general log."""

import json
import os
import re
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from fence_calls import need
from primacy_harness import Process, Topology, default_config, wait_until
from primacy_harness.bmc import Bmc
from primacy_harness.sshd import SshServer
from primacy_harness.tools import path_with_tools
from primacy_harness.topology import MONITOR, WRITER_PASSWORD, grant_fencing

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


def assert_only_reading(topology):
    """Nothing but reading forms arrived from our account, on any server."""
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

    assert_only_reading(topology)


@pytest.mark.parametrize("statement, allowed", [
    ("SELECT @@read_only", True), ("SHOW ALL SLAVES STATUS", True), ("set names utf8mb4", True),
    ("SET SESSION wait_timeout=5", True), ("SET @@session.max_statement_time=1", True),
    ("SET GLOBAL read_only=1", False), ("SET SESSION x=1, GLOBAL read_only=1", False),
    ("set @@global.read_only=1", False), ("SELECT GET_LOCK('x',0)", False),
    ("SELECT 1 INTO OUTFILE '/tmp/x'", False), ("KILL 5", False), ("STOP SLAVE", False),
    ("SELECT * FROM t FOR UPDATE", False), ("FLUSH TABLES", False), ("SET PASSWORD='x'", False)])
def test_the_judge_of_statements_bites(statement, allowed):
    assert bool(_ALLOWED.match(statement)) is allowed


# --- with everything configured that could stop a server


_LADDER = ["sql", "by-ssh", "by-ipmi", "by-program", "by-verifier", "by-proxy", "detach"]
# Looks at whatever the other end of ssh is asked, and answers that the server runs.
_FORCED = """#!/bin/sh
echo "$SSH_ORIGINAL_COMMAND" >>{folder}/ssh.asked
set -- $SSH_ORIGINAL_COMMAND
echo "RUNNING $2 db1"
exit 1
"""


class StandIns:
    """A real sshd and a real IPMI device, a program and a proxy's socket; each keeps a list of
    what it was asked."""

    def __init__(self, folder):
        self.folder = folder
        log = '#!/bin/sh\necho "$PRIMACY_ACTION" >>"$0.asked"\n'
        self.program, self.verifier = self._script("program", log), self._script("verifier", log)
        forced = self._script("forced", _FORCED.format(folder=folder))
        self.sshd = SshServer(folder, str(forced)).start()
        self.bmc = Bmc(folder).start()
        self.host = Process(["sleep", "3600"])  # on as long as it lives
        self.bmc.powers(self.host.pid)
        self.proxy_asked = []
        self.proxy_socket = folder / "proxy.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.proxy_socket))
        self._listener.listen(8)
        threading.Thread(target=self._be_a_proxy, daemon=True).start()

    def methods(self):
        return {
            "by-ssh": {"type": "ssh", "host": self.sshd.host, "port": self.sshd.port,
                       "user": self.sshd.user, "key": str(self.sshd.key),
                       "known_hosts": str(self.sshd.known_hosts)},
            "by-ipmi": {"type": "ipmi", "address": self.bmc.address, "port": self.bmc.port,
                        "user": self.bmc.user, "password_file": str(self.bmc.password_file),
                        "cipher": 3},
            "by-program": {"type": "exec", "command": [str(self.program)]},
            "by-verifier": {"type": "exec", "command": [str(self.verifier)], "verify": True},
            "by-proxy": {"type": "haproxy", "socket": str(self.proxy_socket),
                         "backend": "write", "server": "db1"},
        }

    def asked(self, name):
        path = self.folder / f"{name}.asked"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def assert_only_looked_at(self):
        for request in self.asked("ssh"):
            assert request.startswith("status "), request
        assert self.asked("ssh"), "the host was looked at"
        orders = self.bmc.orders()
        assert self.host.running()
        assert orders and not [order for order in orders if order.startswith("set")], orders
        assert self.asked("program") == []
        assert set(self.asked("verifier")) == {"check"}
        assert self.proxy_asked, "the proxy was looked at"
        for command in self.proxy_asked:
            assert command.startswith("show "), command

    def close(self):
        self._listener.close()
        self.sshd.close()
        self.bmc.close()
        self.host.kill()

    def _script(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def _be_a_proxy(self):
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            with link:
                link.settimeout(5)
                try:
                    said = link.recv(4096).decode(errors="replace").strip()
                    link.sendall(b"\n")
                except OSError:
                    continue
                self.proxy_asked += said.split(";")


@pytest.fixture
def stand_ins():
    need(SshServer.why_not())
    need(Bmc.why_not())
    with tempfile.TemporaryDirectory(prefix="primacy-observe-", dir="/tmp") as folder:
        made = StandIns(Path(folder))
        yield made
        made.close()


def _look_from_every_side(agent):
    """Every command that only looks, or that says what it would do."""
    for command in (["status"], ["explain"], ["audit"], ["check-config"],
                    ["preflight", "shop", "--for", "monitor"],
                    ["preflight", "shop", "--for", "fencing"],
                    ["resolve", "shop", "--keep", "db3", "--reason", "test", "--dry-run"],
                    ["resolve", "shop", "--keep", "db1", "--reason", "test", "--dry-run"],
                    ["fence", "db1", "--reason", "test", "--dry-run"],
                    ["unfence", "db2", "--reason", "test", "--dry-run"],
                    ["confirm-fenced", "db1", "--reason", "test", "--dry-run"],
                    ["pin", "db1", "--reason", "test", "--dry-run"],
                    ["maintenance", "on", "--for", "1m", "--reason", "test", "--dry-run"]):
        said = agent.cli(*command, cap=120, env={**os.environ, "PATH": path_with_tools()})
        assert said.exit_code in (0, 1, 2, 3), said


def test_observe_mode_stops_nobody_whatever_it_is_given(logged_topology, make_agent, stand_ins):
    """Every right, every rung, a lease and the harshest policy: in observe mode it only looks."""
    topology = logged_topology
    grant_fencing(topology)
    config = default_config(topology, mode="observe", detail_interval="1s",
                            lease={"backend": "servers", "ttl": "3s"},
                            fencing={"unseen_former": "fence", "on_ambiguous": "fence-all",
                                     "cooldown": "1s"})
    for server in config["topology"]["shop"]["server"]:
        server["fence"] = _LADDER
    config["method"] = stand_ins.methods()
    agent = make_agent(config, environment={"PATH": path_with_tools()}).start()
    agent.wait_state("healthy")
    bystander = topology["db1"].connect("writer", WRITER_PASSWORD, tcp=True)

    topology["db1"].pause()
    topology.promote("db3")
    topology.follow("db2", "db3")
    agent.wait_finding("former_primary_unseen", "db1", cap=30)
    _look_from_every_side(agent)
    assert "would be stopped by" in agent.cli("explain").stdout

    topology["db1"].resume()
    agent.wait_state("split_brain", cap=30)
    for name in ("db1", "db3"):
        topology.write_row(name, "split")
    _look_from_every_side(agent)
    assert "mode is observe" in agent.cli("explain").stdout
    wait_until(lambda: all(method["up"] is not None for method in _methods(agent)
                           if method["method"] in stand_ins.methods()), 60,
               "every device to have been looked at")

    seen = agent.topology()
    assert [server["fence"] for server in seen["servers"]] == ["none"] * 3
    assert seen["lease"]["held"] is False
    for name in ("db1", "db3"):
        assert topology.may_write(name), f"{name} was left alone"
    with bystander.cursor() as cursor:
        cursor.execute("SELECT 1 AS alive")  # its session was not killed
    bystander.close()
    agent.stop()
    assert "intent" not in agent.cli("audit").stdout
    stand_ins.assert_only_looked_at()
    assert_only_reading(topology)


def _methods(agent):
    return json.loads(agent.get("/api/v1/explain").text)["topologies"][0]["methods"]
