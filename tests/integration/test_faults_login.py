"""Servers that answer and do not let us in: passwords, grants, full servers, TLS."""

import pytest

from expectations import (
    expect_no_leaked_connections, expect_only_unknown, expect_polled_on_time,
    wait_no_connections, with_bad_entry)
from primacy_harness import (
    DatabaseServer, Topology, default_config, error_class, hold, server_entry, wait_until)
from primacy_harness.certs import Authority
from primacy_harness.topology import MONITOR, MONITOR_PASSWORD, WRITER, WRITER_PASSWORD


# --- servers that are there and do not let us in


def test_a_wrong_password(local_topology, local_kind, run_dir, make_agent):
    server = DatabaseServer("bad", run_dir, kind=local_kind, server_id=9)
    try:
        server.start()
        local_topology.make_accounts(server)
        server.unlogged(f"ALTER USER '{MONITOR}'@'%' IDENTIFIED BY 'another'")
        agent = make_agent(with_bad_entry(local_topology, {"host": server.host,
                                                            "port": server.port})).start()
        expect_only_unknown(agent, local_topology, {"denied"})
        assert MONITOR_PASSWORD not in agent.log_text()
        assert MONITOR_PASSWORD not in agent.get("/api/v1/status").text
        # It is not hammered with refused logins, and is back soon after the password is mended.
        server.unlogged(f"ALTER USER '{MONITOR}'@'%' IDENTIFIED BY '{MONITOR_PASSWORD}'")
        agent.wait_server("bad", lambda entry: entry["reachable"], cap=15, what="to let us in")
    finally:
        server.close()


def test_an_account_without_the_grants(local_topology, local_kind, run_dir, make_agent):
    """It may log in and not read the replication status: unknown, and the sentence says why."""
    server = DatabaseServer("bad", run_dir, kind=local_kind, server_id=9)
    try:
        server.start()
        server.unlogged(f"CREATE USER '{MONITOR}'@'%' IDENTIFIED BY '{MONITOR_PASSWORD}'")
        agent = make_agent(with_bad_entry(local_topology, {"host": server.host,
                                                            "port": server.port})).start()
        entry = expect_only_unknown(agent, local_topology, {"denied", "query"})
        assert entry["writable"] is None
    finally:
        server.close()


def test_max_connections_exhausted(local_topology, start_agent):
    """A server that is full is alive, and has a class of its own."""
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    server = local_topology["db2"]
    held = []
    try:
        limit = server.value("SELECT @@max_connections AS n")
        server.query("KILL USER %s", (MONITOR,))
        while True:
            try:
                held.append(server.connect(WRITER, WRITER_PASSWORD, tcp=True))
            except Exception as failure:
                assert failure.args[0] == 1040, failure
                break
            assert len(held) <= limit
        server.query("KILL USER %s", (MONITOR,))
        # The seat that this frees is taken at once, before the agent comes back.
        wait_until(lambda: _take_seats(server, held) and
                   error_class(agent.server("db2")) == "too_many_connections", 15,
                   "the agent to find the server full")
        expect_only_unknown(agent, local_topology, {"too_many_connections"}, bad="db2",
                                    watch=1.5)
        assert agent.topology()["state"] == "degraded"
    finally:
        for connection in held:
            connection._force_close()
    agent.wait_state("healthy", cap=15)


def _take_seats(server, held):
    try:
        while len(held) < 200:
            held.append(server.connect(WRITER, WRITER_PASSWORD, tcp=True))
    except Exception as failure:
        return failure.args[0] == 1040
    return False


# --- TLS


@pytest.fixture(scope="module")
def tls_topology(run_dir, local_kind):
    """One good server, and one for each fault of a certificate; none replicates."""
    authority = Authority(run_dir / "authority")
    files = {"good": authority.issue("good"),
             "name-only": authority.issue("name-only", ["localhost"], []),
             "address-only": authority.issue("address-only", ["elsewhere.example"], ["127.0.0.1"]),
             "wrong-name": authority.issue("wrong-name", ["elsewhere.example"], ["127.9.9.9"]),
             "expired": authority.issue("expired", expired=True),
             "self-signed": authority.self_signed("self-signed"),
             "plain": None}
    topology = Topology(run_dir / "tls", list(files), kind=local_kind,
                        per_server={name: {"certificates": certificates}
                                    for name, certificates in files.items()})
    for server in topology:
        server.launch()
    for server in topology:
        server.wait_ready()
        topology.make_accounts(server)
    topology.open_server(topology["good"])
    topology.authority = authority
    yield topology
    topology.close()


_ENCRYPTED = {"good", "name-only", "address-only", "wrong-name", "expired", "self-signed"}
# mode → host → servers that can be read under it
_TLS = {
    "disabled": lambda host: _ENCRYPTED | {"plain"},
    "preferred": lambda host: _ENCRYPTED | {"plain"},
    "required": lambda host: _ENCRYPTED,
    "verify": lambda host: {"good", "name-only" if host == "localhost" else "address-only"},
}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("mode", list(_TLS))
def test_tls_mode(tls_topology, make_agent, mode, host):
    tls = {"mode": mode}
    if mode == "verify":
        tls["ca"] = str(tls_topology.authority.file)
    servers = [{**server_entry(server), "host": host} for server in tls_topology]
    encrypted = {server.name: _encrypted_logins(server) for server in tls_topology}
    agent = make_agent(default_config(servers=servers, tls=tls, probe_timeout="2s")).start()
    agent.wait_for(lambda seen: all(server["reachable"] or server["error"]
                                    for server in seen["servers"]), what="all to be tried")
    readable = _TLS[mode](host)
    for name in tls_topology.names:
        server = agent.wait_server(name, lambda entry: entry["reachable"] == (name in readable),
                                   what=f"reachable = {name in readable} under {mode}")
        if name not in readable:
            assert error_class(server) == "tls", server
    hold(lambda: {server["name"] for server in agent.topology()["servers"]
                  if server["reachable"]} == readable, 1, "the verdict on the certificates")
    for server in tls_topology:
        grown = _encrypted_logins(server) > encrypted[server.name]
        expected = server.name in readable and mode != "disabled" and server.name != "plain"
        if expected:
            assert grown, f"{server.name} was not asked over TLS under {mode}"
        if mode == "disabled":
            assert not grown, f"{server.name} was asked over TLS under {mode}"
    expect_no_leaked_connections(tls_topology)
    agent.stop()
    wait_no_connections(tls_topology)


def test_a_stopped_tls_server(tls_topology, make_agent):
    """It stops in the middle of an encrypted session; nothing else may stop with it."""
    names = ["good", "wrong-name", "expired"]
    agent = make_agent(default_config(
        servers=[server_entry(tls_topology[name]) for name in names],
        tls={"mode": "required"})).start()
    for name in names:
        agent.wait_server(name, lambda entry: entry["reachable"], what="to be read")
    tls_topology["expired"].pause()
    agent.wait_server("expired", lambda entry: error_class(entry) == "timeout", what="a timeout")

    def undisturbed():
        assert agent.get("/healthz").status == 200
        expect_polled_on_time(agent.topology(), names[:2])
        return True
    hold(undisturbed, 3, "the quiet of the others")
    tls_topology["expired"].resume()
    agent.wait_server("expired", lambda entry: entry["reachable"], cap=15, what="to be read again")


def test_verify_without_an_authority_trusts_nobody_unknown(tls_topology, make_agent):
    """Without `ca` the system's authorities count, and none of them knows our servers."""
    servers = [server_entry(tls_topology["good"]), server_entry(tls_topology["self-signed"])]
    agent = make_agent(default_config(servers=servers, tls={"mode": "verify"})).start()
    for name in ("good", "self-signed"):
        agent.wait_server(name, lambda entry: error_class(entry) == "tls", what="a tls error")


def test_a_password_is_not_sent_before_the_certificate_is_checked(tls_topology, make_agent):
    """Under verify an impostor must not even see a login attempt."""
    server = tls_topology["self-signed"]
    before = server.value("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'")
    connects = int(server.query("SHOW GLOBAL STATUS LIKE 'Connections'")[0]["Value"])
    agent = make_agent(default_config(
        servers=[server_entry(server)],
        tls={"mode": "verify", "ca": str(tls_topology.authority.file)})).start()
    agent.wait_server(server.name, lambda entry: error_class(entry) == "tls", what="a tls error")
    wait_until(lambda: int(server.query("SHOW GLOBAL STATUS LIKE 'Connections'")[0]["Value"])
               > connects + 1, 10, "more attempts")
    assert server.connections_of(MONITOR) == 0
    assert server.value("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'") == before


def _encrypted_logins(server):
    """TLS handshakes that clients have finished with this server so far."""
    return int(server.query("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")[0]["Value"])
