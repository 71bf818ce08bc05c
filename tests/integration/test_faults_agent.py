"""The agent's own surroundings go wrong: pauses, disks, ports, sockets."""

import os
import shutil
import socket

import pytest

from expectations import never_alarms, wait_no_connections
from primacy_harness import (
    DatabaseServer, Topology, default_config, find_server, hold, server_entry)


def test_an_agent_that_was_stopped_for_a_while(local_topology, start_agent):
    """SIGSTOP and SIGCONT of the agent: what it knew is stale and no evidence; then all is well."""
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    agent.process.pause()
    local_topology.promote("db3")
    local_topology.make_read_only("db1")
    agent.process.resume()
    agent.wait_for(lambda seen: seen["writers"] == ["db3"], what="the new writer")
    hold(never_alarms(agent), 1, "the quiet after the pause")
    assert agent.metric("primacy_split_brains_total", topology="shop") == 0


def test_a_state_directory_that_cannot_be_written(local_topology, make_agent):
    """Memory that fails is said, and does not stop the watch."""
    agent = make_agent(default_config(local_topology))
    agent.start()
    agent.wait_for(lambda seen: seen["incumbent"] == "db1", what="an incumbent")
    shutil.rmtree(agent.state_dir)
    agent.state_dir.write_text("in the way", encoding="ascii")
    local_topology.make_read_only("db1")
    local_topology.promote("db3")
    agent.wait_for(lambda seen: seen["incumbent"] == "db3", what="the new incumbent")
    assert agent.get("/healthz").status == 200
    assert agent.running()


def test_a_port_that_is_taken_is_said(local_topology, make_agent):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        config = default_config(local_topology)
        config["agent"]["listen"] = f"127.0.0.1:{listener.getsockname()[1]}"
        agent = make_agent(config)
        shown = agent.cli("agent")
        assert shown.exit_code == 1, shown
        assert str(listener.getsockname()[1]) in shown.stderr, shown


def test_a_second_agent_on_the_same_state_is_refused(local_topology, start_agent):
    """Two agents with one memory would overwrite each other's."""
    agent = start_agent(local_topology)
    second = agent.cli("agent")
    assert second.exit_code == 1, second
    agent.wait_state("healthy")


def test_a_unix_socket_instead_of_a_port(local_topology, make_agent):
    servers = [{"name": server.name, "socket": str(server.socket)} for server in local_topology]
    agent = make_agent(default_config(servers=servers)).start()
    seen = agent.wait_for(lambda seen: all(server["reachable"] for server in seen["servers"]),
                          what="all over their sockets")
    assert find_server(seen, "db1")["address"] == str(local_topology["db1"].socket)
    assert seen["writers"] == ["db1"]


def test_ipv6(local_kind, run_dir, make_agent):
    server = DatabaseServer("six", run_dir, kind=local_kind, bind="::1", host="::1")
    try:
        probe = socket.socket(socket.AF_INET6)
        probe.bind(("::1", 0))
        probe.close()
    except OSError:
        pytest.skip("this machine has no ::1")
    try:
        server.start()
        Topology(run_dir / "six-accounts", [], kind=local_kind).make_accounts(server)
        server.query("SET GLOBAL read_only = 0")
        agent = make_agent(default_config(servers=[server_entry(server)])).start()
        entry = agent.wait_server("six", lambda entry: entry["reachable"], what="to be read")
        assert entry["address"] == f"[::1]:{server.port}"
        assert agent.topology()["writers"] == ["six"]
        agent.stop()
    finally:
        server.close()


def test_nothing_is_left_when_the_agent_is_killed(local_topology, start_agent):
    """No child process of it, and the servers drop its sessions."""
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    group = agent.pid
    agent.kill()
    assert list(_processes_of_group(group)) == []
    wait_no_connections(local_topology)


def _processes_of_group(group):
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[2] == str(group) and fields[0] != "Z":
                yield entry
