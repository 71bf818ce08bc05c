"""The isolating rungs: a real HAProxy before real servers, detach on a real topology, and proxysql
against a stand-in (fake_proxysql.py), since Debian has no ProxySQL."""

import json
import os
import subprocess
import threading
from pathlib import Path

import pymysql
import pytest

from primacy_harness.fake_proxysql import FakeProxySQL
from primacy_harness.fakes import closes_at_once, silent
from primacy_harness.haproxy import HAProxy
from primacy_harness.polling import wait_until
from primacy_harness.ports import free_port
from primacy_harness.topology import (REPLICATION, REPLICATION_PASSWORD, WRITER,
                                      WRITER_PASSWORD)

ROOT = Path(__file__).resolve().parents[2]
FENCER, FENCER_PASSWORD = "fencer", "fencer-s3cret-Hd7"


@pytest.fixture(scope="session")
def tool():
    """proxy_fence_tool: makes a driver, calls it once, prints its report."""
    path = Path(os.environ.get("PRIMACY_PROXY_FENCE_TOOL",
                               ROOT / "build/release/tests/tools/proxy_fence_tool"))
    if not path.exists():
        pytest.skip(f"{path} is not built (PRIMACY_PROXY_FENCE_TOOL names another one)")

    def call(kind, what, target, within_ms=8000, **options):
        asked = {"kind": kind, "call": what, "within_ms": within_ms, "options": options,
                 "target": {"server": target.name, "host": target.host, "port": target.port}}
        done = subprocess.run([path], input=json.dumps(asked), capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, done.stderr
        # The answer comes by the deadline and a short grace, whatever the other side does.
        answer = json.loads(done.stdout)
        assert answer["took_ms"] < within_ms + 2500, answer
        return answer

    return call


def assert_outcome(answer, outcome, reason):
    assert (answer["outcome"], answer["reason"]) == (outcome, reason), answer


# --- haproxy


@pytest.fixture
def haproxy(local_topology, tmp_path_factory):
    if HAProxy.why_not():
        pytest.skip(HAProxy.why_not())
    made = HAProxy(tmp_path_factory.mktemp("ha"), local_topology["db1"], local_topology["db2"])
    yield made
    made.close()


def way_to(haproxy, **changes):
    return {"socket": str(haproxy.socket), "backend": "mysql_write", "server": "primary", **changes}


def server_id(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@server_id")
        return cursor.fetchone()[0]


def test_haproxy_lets_nobody_through_any_more(haproxy, local_topology, tool):
    db1 = local_topology["db1"]
    way = way_to(haproxy)
    idle, busy = haproxy.connect(), haproxy.connect()
    with busy.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO app.facts (writer, number) VALUES ('open', 1)")
    assert server_id(idle) == db1.server_id
    assert_outcome(tool("haproxy", "verify", db1, **way), "failed", "still_alive")

    answer = tool("haproxy", "fence", db1, **way)
    assert_outcome(answer, "partial", "bypass")
    assert answer["facts"] == {"haproxy": "mysql_write/primary maint", "haproxy_sessions": "0",
                               "haproxy_address": db1.address}
    assert answer["took_ms"] < 2000
    # Another look than the driver's.
    assert db1.connections_of(WRITER) == 0
    for old in (idle, busy):
        with pytest.raises(pymysql.MySQLError):
            server_id(old)
    fresh = haproxy.connect()
    assert server_id(fresh) == local_topology["db2"].server_id
    fresh.close()
    # Why it is partial: the server itself knows nothing of it.
    assert local_topology.may_write("db1")

    assert_outcome(tool("haproxy", "verify", db1, **way), "partial", "bypass")
    assert_outcome(tool("haproxy", "fence", db1, **way), "partial", "bypass")
    haproxy.ask("set server mysql_write/primary state ready")
    assert_outcome(tool("haproxy", "verify", db1, **way), "failed", "still_alive")
    # Taken out by somebody else, with a session that goes on.
    left = haproxy.connect()
    haproxy.ask("set server mysql_write/primary state maint")
    assert server_id(left) == db1.server_id
    assert_outcome(tool("haproxy", "verify", db1, **way), "failed", "still_alive")
    assert_outcome(tool("haproxy", "fence", db1, **way), "partial", "bypass")
    assert db1.connections_of(WRITER) == 0


def test_haproxy_by_tcp_and_under_new_sessions(haproxy, local_topology, tool):
    """Clients that come back at once find no way in, and delay nothing."""
    stop = threading.Event()

    def hammer():
        while not stop.is_set():
            try:
                haproxy.connect().close()
            except (pymysql.MySQLError, OSError):
                continue  # cut off in the middle

    clients = [threading.Thread(target=hammer) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        way = {"host": "127.0.0.1", "port": haproxy.admin_port, "backend": "mysql_write",
               "server": "primary"}
        answer = tool("haproxy", "fence", local_topology["db1"], **way)
        assert_outcome(answer, "partial", "bypass")
        wait_until(lambda: local_topology["db1"].connections_of(WRITER) == 0, 5, "no session")
    finally:
        stop.set()
        for client in clients:
            client.join(30)


def test_haproxy_check_says_what_is_wrong(haproxy, local_topology, tool):
    db1 = local_topology["db1"]
    assert tool("haproxy", "check", db1, **way_to(haproxy))["ok"]
    low = tool("haproxy", "check", db1, **way_to(haproxy, socket=str(haproxy.operator_socket)))
    assert (low["ok"], low["class"]) == (False, "denied")
    assert "level admin" in low["sentence"]
    for wrong in ({"backend": "nope"}, {"server": "nope"}):
        unknown = tool("haproxy", "check", db1, **way_to(haproxy, **wrong))
        assert (unknown["ok"], unknown["class"]) == (False, "config")
    gone = tool("haproxy", "check", db1, **way_to(haproxy, socket="/nonexistent/s"))
    assert (gone["ok"], gone["class"]) == (False, "refused")
    assert haproxy.ask("show servers state mysql_write").splitlines()[2].split()[6] == "0"


def test_haproxy_failures_are_told_apart(haproxy, local_topology, tool):
    db1 = local_topology["db1"]

    def fence(**changes):
        return tool("haproxy", "fence", db1, within_ms=1500, **way_to(haproxy, **changes))

    assert_outcome(fence(socket=str(haproxy.operator_socket)), "failed", "denied")
    assert_outcome(fence(backend="nope"), "failed", "not_found")
    assert_outcome(fence(server="nope"), "failed", "not_found")
    assert_outcome(fence(server="primary state ready; show info"), "failed", "internal")
    haproxy.process.pause()
    assert_outcome(fence(), "unknown", "timeout")
    verified = tool("haproxy", "verify", db1, within_ms=1000, **way_to(haproxy))
    assert_outcome(verified, "unknown", "timeout")
    haproxy.process.kill()
    assert_outcome(fence(), "failed", "unreachable")
    assert_outcome(tool("haproxy", "verify", db1, **way_to(haproxy)), "unknown", "unreachable")


def test_what_is_no_haproxy_is_not_understood(local_topology, tool, fake_server):
    def floods(peer):
        peer.send(b"x" * 200_000)
        peer.until_closed()

    def babbles(peer):
        peer.send(b"<html>no</html>\n")

    def half_an_answer(peer):
        peer.send(b"1\n# be_id be_name srv_id srv_name srv_admin_state\n2 mysql_write 1 primary 1")

    way = {"backend": "mysql_write", "server": "primary", "host": "127.0.0.1"}
    for behaviour in (floods, babbles, half_an_answer, silent, closes_at_once):
        fake = fake_server(behaviour)
        for what in ("fence", "verify"):
            answer = tool("haproxy", what, local_topology["db1"], within_ms=800, port=fake.port,
                          **way)
            assert answer["outcome"] == "unknown", (behaviour.__name__, answer)


# --- detach


_FENCER_GRANT = {"mariadb": "REPLICATION SLAVE ADMIN, SLAVE MONITOR",
                 "mysql": "REPLICATION_SLAVE_ADMIN, REPLICATION CLIENT"}


def replicas_of(topology):
    """What the driver is told of db2 and db3; each has the account."""
    for name in ("db2", "db3"):
        if topology.kind.is_mysql:
            topology[name].query("SET GLOBAL super_read_only = OFF")
        topology[name].unlogged(
            f"DROP USER IF EXISTS {FENCER}",
            f"CREATE USER {FENCER} IDENTIFIED BY '{FENCER_PASSWORD}'",
            f"GRANT {_FENCER_GRANT[topology.kind.flavor]} ON *.* TO {FENCER}")
    return [{"server": name, "host": topology[name].host, "port": topology[name].port,
             "user": FENCER, "password": FENCER_PASSWORD} for name in ("db2", "db3")]


@pytest.fixture
def replicas(local_topology):
    return replicas_of(local_topology)


def threads(topology, name):
    """{channel: (IO, SQL)} as the server says."""
    prefix = "Replica" if topology.kind.is_mysql else "Slave"
    channel = "Channel_Name" if topology.kind.is_mysql else "Connection_name"
    return {row[channel]: (row[f"{prefix}_IO_Running"], row[f"{prefix}_SQL_Running"])
            for row in topology.channels(name)}


@pytest.mark.core
def test_detach_stops_every_replica_of_the_loser(topology, tool):
    replicas = replicas_of(topology)
    db1 = topology["db1"]
    assert tool("detach", "check", db1, replicas=replicas)["ok"]
    assert_outcome(tool("detach", "verify", db1, replicas=replicas), "failed", "still_alive")

    answer = tool("detach", "fence", db1, replicas=replicas)
    assert_outcome(answer, "partial", "bypass")
    assert answer["facts"] == {"detached": "db2, db3", "detached_channels": "2"}
    for name in ("db2", "db3"):
        assert threads(topology, name) == {"": ("No", "No")}
    # It fences nothing by itself.
    assert topology.may_write("db1")
    before = topology.gtid_position("db2")
    topology.write_row("db1")
    assert topology.gtid_position("db2") == before

    assert_outcome(tool("detach", "verify", db1, replicas=replicas), "partial", "bypass")
    assert_outcome(tool("detach", "fence", db1, replicas=replicas), "partial", "bypass")
    topology.start_replication("db3")
    topology.wait_replicating("db3")
    assert_outcome(tool("detach", "verify", db1, replicas=replicas), "failed", "still_alive")


def test_detach_leaves_channels_from_others_alone(local_topology, replicas, tool):
    """Also when a replica names its source otherwise than we do."""
    db2, db3 = local_topology["db2"], local_topology["db3"]
    db3.query("STOP SLAVE")
    db3.query("CHANGE MASTER TO MASTER_HOST = 'localhost'")
    db3.query("CHANGE MASTER 'from db2' TO MASTER_HOST=%s, MASTER_PORT=%s, MASTER_USER=%s, "
              "MASTER_PASSWORD=%s, MASTER_USE_GTID=slave_pos",
              (db2.host, db2.port, REPLICATION, REPLICATION_PASSWORD))
    db3.query("START ALL SLAVES")
    wait_until(lambda: {io for io, _ in threads(local_topology, "db3").values()} == {"Yes"}, 20,
               "both channels of db3 to be connected")

    answer = tool("detach", "fence", local_topology["db1"], replicas=replicas)
    assert_outcome(answer, "partial", "bypass")
    assert threads(local_topology, "db2") == {"": ("No", "No")}
    assert threads(local_topology, "db3")[""] == ("No", "No")
    assert threads(local_topology, "db3")["from db2"][0] == "Yes"
    # Nobody follows db3, so there is nothing to do, and it is done.
    nothing = tool("detach", "fence", db3, replicas=replicas[:1])
    assert_outcome(nothing, "partial", "bypass")
    assert nothing["facts"]["detached_channels"] == "0"


def test_detach_is_not_held_up_by_a_replica_that_hangs(local_topology, replicas, tool):
    local_topology["db2"].pause()
    answer = tool("detach", "fence", local_topology["db1"], within_ms=1500, replicas=replicas)
    local_topology["db2"].resume()
    assert_outcome(answer, "unknown", "timeout")
    assert "db2" in answer["sentence"]
    assert threads(local_topology, "db3") == {"": ("No", "No")}


def test_detach_says_what_it_may_not_do(local_topology, replicas, tool):
    db1 = local_topology["db1"]
    for name in ("db2", "db3"):
        local_topology[name].unlogged(f"REVOKE REPLICATION SLAVE ADMIN ON *.* FROM {FENCER}")
    answer = tool("detach", "fence", db1, replicas=replicas)
    assert_outcome(answer, "failed", "denied")
    assert FENCER_PASSWORD not in json.dumps(answer)
    wrong = [{**replica, "password": "wrong"} for replica in replicas]
    assert_outcome(tool("detach", "fence", db1, replicas=wrong), "failed", "denied")
    assert tool("detach", "check", db1, replicas=wrong)["class"] == "denied"
    for name in ("db2", "db3"):
        assert local_topology.replicating(name)


# --- proxysql, against the stand-in


class Server:
    """A server that only ProxySQL knows."""

    def __init__(self, name, host, port=3306):
        self.name, self.host, self.port = name, host, port


DB1, DB2 = Server("db1", "10.0.0.1"), Server("db2", "10.0.0.2")


@pytest.fixture
def proxysql():
    made = FakeProxySQL([(10, DB1.host, 3306), (20, DB1.host, 3306), (20, DB2.host, 3306)])
    yield made
    made.close()
    assert not made.crashed
    for statement in made.statements:
        assert statement.strip() and ";" not in statement, statement


def admin_of(proxysql, **changes):
    return {"host": proxysql.host, "port": proxysql.port, "user": proxysql.user,
            "password": proxysql.password, **changes}


def status_of(proxysql, table, host):
    return dict(proxysql.sql(f"SELECT hostgroup_id, status FROM {table} WHERE hostname = ?", host))


def test_proxysql_takes_the_server_out_and_keeps_it_out(proxysql, tool):
    kept = proxysql.open_session(20, DB2.host, 3306)
    proxysql.open_session(10, DB1.host, 3306)
    proxysql.open_session(10, DB1.host, 3306, idle=True)
    assert tool("proxysql", "check", DB1, **admin_of(proxysql))["ok"]
    assert_outcome(tool("proxysql", "verify", DB1, **admin_of(proxysql)), "failed", "still_alive")
    assert "LOAD" not in " ".join(proxysql.statements)

    answer = tool("proxysql", "fence", DB1, **admin_of(proxysql))
    assert_outcome(answer, "partial", "bypass")
    for table in ("mysql_servers", "runtime_mysql_servers", "disk_mysql_servers"):
        assert status_of(proxysql, table, DB1.host) == {10: "OFFLINE_HARD", 20: "OFFLINE_HARD"}
        assert status_of(proxysql, table, DB2.host) == {20: "ONLINE"}
    assert proxysql.sessions() == {kept}
    assert answer["facts"]["proxysql_rows_set_back"] == "0"
    assert "SAVE MYSQL SERVERS FROM RUNTIME" not in proxysql.statements

    assert_outcome(tool("proxysql", "verify", DB1, **admin_of(proxysql)), "partial", "bypass")
    assert_outcome(tool("proxysql", "fence", DB1, **admin_of(proxysql)), "partial", "bypass")
    # Somebody undoes it: in the runtime, and only in memory.
    proxysql.sql("UPDATE mysql_servers SET status = 'online' WHERE hostname = ?", DB1.host)
    assert_outcome(tool("proxysql", "verify", DB1, **admin_of(proxysql)), "failed", "still_alive")


def test_proxysql_loads_nobody_elses_edits(proxysql, tool):
    proxysql.sql("UPDATE mysql_servers SET weight = 7 WHERE hostname = ?", DB2.host)
    answer = tool("proxysql", "fence", DB1, **admin_of(proxysql))
    assert_outcome(answer, "partial", "bypass")
    assert proxysql.sql("SELECT weight FROM runtime_mysql_servers WHERE hostname = ?",
                        DB2.host) == [(1,)]
    assert answer["facts"]["proxysql_rows_set_back"] == "1"
    assert "set back" in answer["sentence"]


def test_proxysql_leaves_the_writer_where_its_monitor_put_it(proxysql, tool):
    """After a failover memory still has the loser as the writer; LOAD alone would bring it back."""
    proxysql.sql("DELETE FROM runtime_mysql_servers WHERE hostgroup_id = 10")
    proxysql.sql("UPDATE runtime_mysql_servers SET hostgroup_id = 10 WHERE hostname = ?", DB2.host)
    proxysql.sql("UPDATE runtime_mysql_servers SET status = 'SHUNNED' WHERE hostname = ?", DB1.host)
    assert_outcome(tool("proxysql", "fence", DB1, **admin_of(proxysql)), "partial", "bypass")
    assert status_of(proxysql, "runtime_mysql_servers", DB2.host) == {10: "ONLINE"}
    assert status_of(proxysql, "runtime_mysql_servers", DB1.host) == {20: "OFFLINE_HARD"}


def test_proxysql_can_be_told_one_hostgroup_and_its_own_name(proxysql, tool):
    other = Server("db1", "db1.example", 3307)
    way = admin_of(proxysql, server_host=DB1.host, server_port=3306, writer_hostgroup=10)
    assert_outcome(tool("proxysql", "fence", other, **way), "partial", "bypass")
    assert status_of(proxysql, "runtime_mysql_servers", DB1.host) == {10: "OFFLINE_HARD",
                                                                      20: "ONLINE"}
    for wrong in ({"writer_hostgroup": 11}, {"server_port": 3307}):
        answer = tool("proxysql", "fence", other, **{**way, **wrong})
        assert_outcome(answer, "failed", "not_found")
        verified = tool("proxysql", "verify", other, **{**way, **wrong})
        assert_outcome(verified, "unknown", "not_found")
    injected = tool("proxysql", "fence", other, **{**way, "server_host": "x' OR '1'='1"})
    assert_outcome(injected, "failed", "not_found")
    assert status_of(proxysql, "runtime_mysql_servers", DB2.host) == {20: "ONLINE"}


def test_proxysql_failures_are_told_apart(proxysql, tool):
    def fence(**changes):
        return tool("proxysql", "fence", DB1, within_ms=1500, **admin_of(proxysql, **changes))

    # All with number 1045: what differs is when it comes.
    denied = fence(password="wrong")
    assert_outcome(denied, "failed", "denied")
    assert "wrong" not in denied["sentence"]
    assert_outcome(fence(user=proxysql.stats_user), "failed", "refused")
    assert not any("OFFLINE_HARD'" in s and s.startswith("UPDATE") for s in proxysql.statements)
    for beginning in ("UPDATE", "LOAD", "SAVE MYSQL SERVERS TO DISK"):
        proxysql.die_on = beginning
        assert_outcome(fence(), "unknown", "unreachable")
    proxysql.die_on, proxysql.hang_on = None, "LOAD"
    assert_outcome(fence(), "unknown", "timeout")
    proxysql.hang_on = None
    assert_outcome(fence(), "partial", "bypass")
    closed = tool("proxysql", "fence", DB1, within_ms=1500,
                  **admin_of(proxysql, port=free_port()))
    assert_outcome(closed, "failed", "unreachable")
