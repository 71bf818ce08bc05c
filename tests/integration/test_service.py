"""The agent as a service: systemd's notifications, the watchdog, logs that programs read."""

import json
import signal
import socket

import pytest

from primacy_harness import default_config, wait_until


class NotifySocket:
    """Stands in for systemd: keeps every message that was sent to NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = folder / "notify.sock"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)
        self.messages = []

    def lines(self):
        """All lines so far, in order."""
        while True:
            try:
                self.messages.append(self._socket.recv(65536).decode())
            except BlockingIOError:
                return [line for message in self.messages for line in message.splitlines()]

    def count(self, line):
        return self.lines().count(line)

    def close(self):
        self._socket.close()
        self.path.unlink()


@pytest.fixture
def notify(run_dir):
    made = NotifySocket(run_dir)
    yield made
    made.close()


def _service(topology, make_agent, notify, watchdog_seconds=1.0):
    return make_agent(default_config(topology), environment={
        "NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": str(int(watchdog_seconds * 1e6))})


def test_ready_watchdog_reload_and_stop_are_told(local_topology, make_agent, notify):
    agent = _service(local_topology, make_agent, notify).launch()
    wait_until(lambda: notify.count("READY=1"), 10, "READY=1")
    assert agent.get("/readyz").status == 200, "ready means that it has judged"
    before = notify.count("WATCHDOG=1")
    wait_until(lambda: notify.count("WATCHDOG=1") >= before + 3, 5, "the watchdog to be fed")
    agent.reload()
    wait_until(lambda: notify.count("RELOADING=1") == 1 and notify.count("READY=1") == 2, 10,
               "RELOADING=1 and READY=1 again")
    agent.stop()
    assert notify.count("STOPPING=1") == 1


def test_the_watchdog_is_fed_while_every_server_hangs(local_topology, make_agent, notify):
    """Servers that are away are no reason to be restarted."""
    agent = _service(local_topology, make_agent, notify).start()
    for server in local_topology:
        server.pause()
    agent.wait_state("unknown")
    before = notify.count("WATCHDOG=1")
    wait_until(lambda: notify.count("WATCHDOG=1") >= before + 5, 6, "the watchdog to be fed")
    for server in local_topology:
        server.resume()


def test_healthz_and_watchdog_stop_with_the_agent(local_topology, make_agent, notify):
    """An agent that does not run feeds nobody: what systemd waits for really depends on it."""
    agent = _service(local_topology, make_agent, notify).start()
    wait_until(lambda: notify.count("WATCHDOG=1"), 5, "the watchdog to be fed")
    agent.process.pause()
    notify.lines()
    before = notify.count("WATCHDOG=1")
    with pytest.raises(OSError):
        agent.get("/healthz", timeout=1.5)
    assert notify.count("WATCHDOG=1") == before
    agent.process.resume()
    wait_until(lambda: notify.count("WATCHDOG=1") > before, 5, "it to go on")


def test_json_logs_are_json(local_topology, make_agent):
    config = default_config(local_topology)
    config["agent"]["log_format"] = "json"
    agent = make_agent(config).start()
    local_topology.promote("db3")
    agent.wait_state("split_brain")
    agent.stop()
    lines = [json.loads(line) for line in agent.log_text().splitlines()]
    assert lines
    assert any("split brain" in json.dumps(line).lower() and "db3" in json.dumps(line)
               for line in lines), "the split brain is in the log, with names"


def test_a_standing_fault_is_logged_once(local_topology, start_agent):
    """Warn-once: a server that stays away does not fill the disk; its return is said, too."""
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    local_topology["db2"].kill()
    agent.wait_server("db2", lambda server: (server["error"] or "").startswith("refused"),
                      what="refused")
    wait_until(lambda: agent.metrics().sum("primacy_probe_failures_total", reason="refused") > 25,
               20, "many failures")
    about = [line for line in agent.log_text().splitlines() if "db2" in line]
    assert 1 <= len(about) <= 8, about
    lines = len(about)
    local_topology["db2"].start()
    agent.wait_state("healthy", cap=15)
    about = [line for line in agent.log_text().splitlines() if "db2" in line]
    assert len(about) > lines, "its return is logged"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_first_moment_ends_it_cleanly(local_topology, make_agent, number):
    """Whoever stops a service that is just starting must not wait or find a crash."""
    agent = make_agent(default_config(local_topology))
    agent.launch()
    wait_until(lambda: agent.log_text() or not agent.running(), 5, "a sign of life", interval=0.001)
    agent.process.send(number)
    wait_until(lambda: not agent.running(), 5, "the end")
    assert agent.exit_code() in (0, -number), agent.log_tail()
