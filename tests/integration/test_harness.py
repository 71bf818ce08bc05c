"""The harness proves itself: without this, green might only mean that nothing was started."""

import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pymysql
import pytest

from primacy_harness import (CapExceeded, DatabaseServer, Metrics, Process, dns, fakes, netns,
                             processes, wait_until)
from primacy_harness.agent import toml
from primacy_harness.certs import Authority
from primacy_harness.ports import free_port, release_port

pytestmark = pytest.mark.harness


def _gone(pid):
    return not os.path.exists(f"/proc/{pid}")


# --- waiting, processes, ports


def test_a_wait_ends_at_its_cap_and_says_what_for():
    with pytest.raises(CapExceeded, match="waited 0.05 s for rain; last seen: 0"):
        wait_until(lambda: 0, 0.05, "rain")


def test_a_process_can_be_paused_resumed_and_killed():
    process = Process(["sleep", "1000"])
    process.pause()
    assert process._state() == "T"
    process.resume()
    wait_until(lambda: process._state() in "SR", 5, "the process to go on")
    process.pause()
    process.kill()
    assert process.exit_code() == -signal.SIGKILL
    assert _gone(process.pid)


@pytest.mark.parametrize("ending", ["exit", "killed"])
def test_children_never_outlive_us(ending):
    """A program that uses the harness and ends, by itself or by SIGKILL, leaves nothing running."""
    # A child asks for its parent-death signal as the first thing it does; until it is "sleep" it
    # may not have come to that yet.
    script = ("import sys, time; sys.path.insert(0, sys.argv[1])\n"
              "from primacy_harness import Process, wait_until\n"
              "children = [Process(['sleep', '1000']), Process(['sleep', '1000'])]\n"
              "for child in children:\n"
              "    wait_until(lambda: open(f'/proc/{child.pid}/comm').read() == 'sleep\\n', 10,\n"
              "               'the child to be ready')\n"
              "children[0].pause()\n"
              "assert all(child.running() for child in children)\n"
              "print(*(child.pid for child in children), flush=True)\n"
              "if sys.argv[2] == 'killed': time.sleep(1000)\n")
    program = subprocess.Popen([sys.executable, "-c", script, str(Path(__file__).parent), ending],
                               stdout=subprocess.PIPE, text=True)
    children = [int(word) for word in program.stdout.readline().split()]
    assert len(children) == 2
    if ending == "killed":
        program.kill()
    program.wait(20)
    program.stdout.close()
    for child in children:
        wait_until(lambda: _gone(child), 10, f"process {child} to end")


def test_reserved_ports_differ_and_are_free():
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == 20
    assert all(20000 <= port < 30000 for port in ports)
    for port in ports:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
        release_port(port)


def test_a_port_in_use_is_not_handed_out():
    port = free_port()
    other = ("import sys; sys.path.insert(0, sys.argv[1])\n"
             "from primacy_harness import ports\n"
             "ports._order.randint = lambda a, b, it=iter([int(sys.argv[2]), 29001]): next(it)\n"
             "print(ports.free_port())\n")
    done = processes.run([sys.executable, "-c", other, Path(__file__).parent, port])
    assert done.stdout.strip() == "29001", done.stderr
    release_port(port)


# --- text formats


def test_metrics_are_parsed():
    page = Metrics('# HELP a b\n# TYPE a gauge\na 1\nb{x="1",y="q\\"}{"} 2.5\n'
                   'b{x="2",y=""} NaN\nc_bucket{le="+Inf"} +Inf 1700000000000\n')
    assert page.value("a") == 1
    assert page.value("b", x="1") == 2.5
    assert page.all("b", x="1")[0][0]["y"] == 'q"}{'
    assert page.get("missing") is None
    with pytest.raises(AssertionError, match="2 series"):
        page.value("b")
    with pytest.raises(AssertionError, match="not a line"):
        Metrics("what is this\n")


def test_toml_is_written_as_the_standard_reader_reads_it():
    import tomllib
    config = {"agent": {"name": 'a "b" \\', "n": 3, "yes": True},
              "topology": {"shop": {"tls": {"mode": "verify", "ca": "/x"}, "poll_interval": "1s",
                                    "server": [{"name": "db1", "port": 1, "fence": ["sql"]},
                                               {"name": "db2", "port": 2}],
                                    "lease": {"backend": "none"}}}}
    assert tomllib.loads(toml(config)) == config


# --- servers of every kind


@pytest.mark.core
def test_a_server_starts_pauses_dies_and_comes_back(kind, run_dir):
    server = DatabaseServer("alone", run_dir / f"harness-{kind.name}", kind=kind)
    try:
        server.start()
        assert (server.value("SELECT VERSION() AS v").lower().count("mariadb") > 0) != kind.is_mysql
        assert server.value("SELECT @@read_only AS r") == 1
        server.pause()
        with pytest.raises((pymysql.MySQLError, OSError)):
            server.connect(connect_timeout=1, read_timeout=1)
        server.resume()
        wait_until(lambda: server.value("SELECT 1 AS one") == 1, 10, "it to go on",
                   ignore=(pymysql.MySQLError,))
        pid = server.pid
        server.kill()
        assert _gone(pid) and not server.running()
        server.start()
        server.stop()
        assert not server.running()
    finally:
        server.close()
    assert not server.folder.exists()


@pytest.mark.core
def test_a_topology_replicates_and_is_restored(topology):
    assert topology.may_write("db1")
    assert not topology.may_write("db2") and not topology.may_write("db3")
    number = topology.write_row("db1", "probe")
    for name in ("db2", "db3"):
        wait_until(lambda: topology[name].query("SELECT * FROM app.facts WHERE writer='probe' AND "
                                                "number=%s", (number,)), 10, f"the row on {name}")
    topology.promote("db3")
    topology.write_row("db3", "diverged")
    topology.write_row("db1", "diverged")
    topology["db2"].kill()
    topology["db1"].pause()
    topology.restore()
    assert topology.replicating("db2") and topology.replicating("db3")
    assert topology.may_write("db1") and not topology.may_write("db3")
    assert topology["db3"].value("SELECT COUNT(*) AS n FROM app.facts "
                                 "WHERE writer='diverged'") == 0


@pytest.mark.core
def test_roles_can_change_hands(topology):
    """A switchover without loss, and the way back."""
    for old, new in (("db1", "db3"), ("db3", "db1")):
        topology.make_read_only(old)
        topology.wait_caught_up(new, old)
        topology.promote(new)
        topology.follow(old, new)
        topology.write_row(new, "switched")
        topology.wait_caught_up(old, new)
        if old == "db1":
            topology.follow("db2", new)
    assert not topology.may_write("db3")


@pytest.mark.core
def test_the_monitoring_account_reads_and_cannot_write(topology):
    from primacy_harness.topology import MONITOR, MONITOR_PASSWORD
    connection = topology["db1"].connect(MONITOR, MONITOR_PASSWORD, tcp=True)
    with connection.cursor() as cursor:
        cursor.execute("SHOW REPLICA STATUS" if topology.kind.is_mysql
                       else "SHOW ALL SLAVES STATUS")
        with pytest.raises(pymysql.MySQLError):
            cursor.execute("SET GLOBAL read_only = 0")
        with pytest.raises(pymysql.MySQLError):
            cursor.execute("INSERT INTO app.facts (writer, number) VALUES ('monitor', 1)")
    assert topology.monitor_connections("db1") == 1
    connection.close()
    wait_until(lambda: topology.monitor_connections("db1") == 0, 5, "the session to end")


def test_a_background_writer_counts_what_was_acknowledged(local_topology):
    writer = local_topology.background_writer("db1", "counter")
    writer.wait_for_progress(20)
    local_topology.make_read_only("db1")
    wait_until(lambda: writer.failures > 2, 10, "writes to be refused")
    count = writer.stop()
    assert count == len(set(writer.acknowledged))
    assert local_topology["db1"].value("SELECT COUNT(*) AS n FROM app.facts "
                                       "WHERE writer='counter'") == count


def test_a_long_run_directory_still_gets_a_socket(local_kind, run_dir):
    folder = run_dir / ("long-" * 22)
    server = DatabaseServer("deep", folder, kind=local_kind)
    try:
        assert server.start().value("SELECT 1 AS one") == 1
        assert len(str(server.socket)) < 108
    finally:
        server.close()
    assert not server.socket.parent.exists()


# --- certificates, fakes, network


@pytest.mark.parametrize("fault", ["good", "wrong-name", "expired", "self-signed"])
def test_certificates_are_good_and_bad_as_named(local_kind, run_dir, fault):
    """Python's own TLS client is the judge."""
    authority = Authority(run_dir / f"ca-{fault}")
    files = {"good": lambda: authority.issue("good"),
             "wrong-name": lambda: authority.issue("other", ["elsewhere.example"], ["127.9.9.9"]),
             "expired": lambda: authority.issue("old", expired=True),
             "self-signed": lambda: authority.self_signed("self")}[fault]()
    server = DatabaseServer(f"tls-{fault}", run_dir, kind=local_kind, certificates=files)
    try:
        server.start()
        assert server.value("SHOW VARIABLES LIKE 'have_ssl'") is not None
        trust = {"ca": str(authority.file), "check_hostname": True, "verify_mode": "required"}
        if fault == "good":
            _login(server, trust).close()
        else:
            with pytest.raises(pymysql.MySQLError, match="(?i)certificate"):
                _login(server, trust)
            _login(server, {"check_hostname": False, "verify_mode": "none"}).close()
    finally:
        server.close()


def _login(server, trust):
    account = "CREATE OR REPLACE USER tls_user@'%' IDENTIFIED BY 'x' REQUIRE SSL"
    server.query("SET sql_log_bin = 0")
    server.query(account)
    return server.connect("tls_user", "x", tcp=True, ssl=trust)


# The endless row is not for an ordinary client: it would eat all memory. It has its own test below.
@pytest.mark.parametrize("behaviour", [b for b in fakes.BEHAVIOURS if b is not fakes.endless_row],
                         ids=lambda b: b.__name__)
def test_fakes_defeat_an_ordinary_client(fake_server, behaviour):
    """Each fake keeps a plain client from getting an answer, and sees its connections end."""
    server = fake_server(behaviour)
    connection = pymysql.connections.Connection(
        host=server.host, port=server.port, user="x", password="y", autocommit=None,
        connect_timeout=1, read_timeout=1, write_timeout=1, defer_connect=True)
    answered = False
    try:
        connection.connect()
        # One row of the answer is one too many, except where rows are what never ends.
        connection.query("SELECT 1", unbuffered=True)
        next_row = connection._result._read_rowdata_packet_unbuffered
        answered = any(next_row() is None for _ in range(20_000))
    except (pymysql.MySQLError, AssertionError, OSError, ValueError, IndexError, struct.error,
            UnicodeDecodeError):
        pass
    finally:
        if connection._result is not None:
            connection._result.unbuffered_active = False  # or it reads on when it is collected
        connection._force_close()
    assert not answered
    assert server.accepted >= 1
    wait_until(lambda: server.open_connections == 0, 10, "the connection to end")


def test_the_endless_row_is_well_formed_and_goes_on(fake_server):
    """Read by hand, a few packets of it, and thrown away."""
    server = fake_server(fakes.endless_row)
    with socket.create_connection((server.host, server.port), timeout=10) as client:
        stream = client.makefile("rwb")

        def packet():
            header = stream.read(4)
            return header[3], stream.read(int.from_bytes(header[:3], "little"))
        assert packet()[1].startswith(b"\x0a5.5.5-")
        for command in (b"\0" * 40, b"\x03SELECT 1"):
            stream.write(fakes.packet(command, 1 if command[0] == 0 else 0))
            stream.flush()
            if command[0] == 0:
                assert packet()[1][0] == 0, "the login is accepted"
        columns, _, _ = packet(), packet(), packet()
        assert columns[1] == b"\x01"
        first = packet()
        assert len(first[1]) == 0xFFFFFF and first[1].startswith(b"\xfe")
        assert len(packet()[1]) == 0xFFFFFF
        stream.close()
    wait_until(lambda: server.open_connections == 0, 10, "the connection to end")


def test_a_fake_without_fault_lets_clients_in(fake_server):
    """Proof that the fakes' greeting and login are correct, so that only the fault is tested."""
    def polite(peer):
        peer.login()
        peer.command()
        peer.send(fakes.error(1146, b"42S02", b"no such table", 1))
        peer.until_closed()
    server = fake_server(polite)
    connection = pymysql.connect(host=server.host, port=server.port, user="x", password="y",
                                 read_timeout=5)
    with pytest.raises(pymysql.MySQLError, match="no such table"), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection._force_close()


def test_a_black_hole_swallows_everything_and_heals(local_kind, run_dir):
    if netns.why_not():
        pytest.skip(netns.why_not())
    space = netns.NetworkNamespace()
    server = DatabaseServer("hole", run_dir, kind=local_kind, bind="0.0.0.0", host=space.address,
                            prefix=space.prefix)
    try:
        server.start()
        server.query("SET sql_log_bin = 0")
        server.query("CREATE USER far@'%' IDENTIFIED BY 'x'")
        connection = server.connect("far", "x", tcp=True, read_timeout=1)
        space.black_hole()
        with pytest.raises((TimeoutError, socket.timeout)):
            socket.create_connection((server.host, server.port), timeout=0.5)
        with pytest.raises(pymysql.MySQLError), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        space.heal()
        server.connect("far", "x", tcp=True).close()
    finally:
        server.close()
        space.close()
    wait_until(lambda: space._outside not in processes.run(["ip", "link"]).stdout, 10,
               "the kernel to take the interface away")


def test_a_silent_resolver_is_asked_and_does_not_answer(run_dir):
    if dns.why_not():
        pytest.skip(dns.why_not())
    resolver = dns.SilentResolver(run_dir)
    try:
        asker = Process([*resolver.wrapper, "getent", "hosts", "db9.primacy.test"])
        wait_until(lambda: resolver.questions() > 0, 10, "a question")
        assert asker.running()
        asker.kill()
        local = processes.run([*resolver.wrapper, "getent", "ahosts", "localhost"], cap=10)
        assert local.returncode == 0, "names from /etc/hosts still resolve"
    finally:
        resolver.close()
