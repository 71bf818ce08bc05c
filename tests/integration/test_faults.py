"""One server misbehaves, each test in another way; the other servers must not notice.

In each: only that server is unknown, with the class of error that tells the truth; the others are
polled on time; nobody raises an alarm; no connection leaks.
"""

import socket

import pytest

from expectations import (
    MEMORY_LIMIT, expect_no_leaked_connections, expect_only_unknown, expect_polled_on_time,
    never_alarms, wait_no_connections, with_bad_entries, with_bad_entry)
from primacy_harness import (
    DatabaseServer, default_config, dns, fakes, find_server, hold, netns, server_entry,
    wait_until)
from primacy_harness.ports import free_port, release_port
from primacy_harness.topology import MONITOR


# --- servers that are not there


def test_a_refused_port(local_topology, make_agent):
    port = free_port()
    agent = make_agent(with_bad_entry(local_topology, {"host": "127.0.0.1", "port": port})).start()
    expect_only_unknown(agent, local_topology, {"refused"})
    assert agent.topology()["state"] == "degraded"
    release_port(port)


def test_a_stopped_server(local_topology, start_agent):
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    local_topology["db2"].pause()
    expect_only_unknown(agent, local_topology, {"timeout"}, bad="db2", watch=4)
    local_topology["db2"].resume()
    agent.wait_state("healthy", cap=15)
    wait_until(lambda: local_topology.monitor_connections("db2") <= 2, 10,
               "the timed-out sessions to end")


def test_a_full_listen_queue(local_topology, make_agent):
    """Connections are neither accepted nor refused: SYNs go unanswered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        filling = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            filling.append(client)
        entry = {"host": "127.0.0.1", "port": listener.getsockname()[1]}
        agent = make_agent(with_bad_entry(local_topology, entry)).start()
        expect_only_unknown(agent, local_topology, {"timeout"})
        for client in filling:
            client.close()


def test_a_black_holed_address(local_topology, local_kind, run_dir, make_agent):
    """First a live connection goes silent, then every new one; then the network heals."""
    if netns.why_not():
        pytest.skip(netns.why_not())
    space = netns.NetworkNamespace()
    server = DatabaseServer("bad", run_dir, kind=local_kind, server_id=9, bind="0.0.0.0",
                            host=space.address, prefix=space.prefix)
    try:
        server.start()
        local_topology.make_accounts(server)
        agent = make_agent(with_bad_entry(local_topology, {"host": space.address,
                                                            "port": server.port})).start()
        agent.wait_server("bad", lambda entry: entry["reachable"], what="to be read")
        space.black_hole()
        expect_only_unknown(agent, local_topology, {"timeout"}, watch=5)
        space.heal()
        agent.wait_server("bad", lambda entry: entry["reachable"], cap=15, what="to be read again")
        wait_until(lambda: server.connections_of(MONITOR) <= 2, 20, "dead sessions to end")
        agent.stop()
    finally:
        server.close()
        space.close()


def test_no_route_to_the_server(local_topology, run_dir, make_agent):
    """A namespace's address with nobody behind it: the kernel says so after a while, or never."""
    if netns.why_not():
        pytest.skip(netns.why_not())
    space = netns.NetworkNamespace()
    try:
        space.run("ip", "link", "set", "inside", "down")
        agent = make_agent(with_bad_entry(local_topology, {"host": space.address,
                                                            "port": 3306})).start()
        expect_only_unknown(agent, local_topology, {"timeout", "unreachable"})
        agent.stop()
    finally:
        space.close()


def test_a_name_service_that_never_answers(local_topology, run_dir, make_agent):
    if dns.why_not():
        pytest.skip(dns.why_not())
    resolver = dns.SilentResolver(run_dir)
    try:
        agent = make_agent(with_bad_entry(local_topology, {"host": "db9.primacy.test",
                                                            "port": 3306}),
                           wrapper=resolver.wrapper).start()
        expect_only_unknown(agent, local_topology, {"dns", "timeout"}, watch=4)
        assert resolver.questions() > 0, "the name was looked up"
        # The look-up hangs for over a minute in the C library; the end must not wait for it.
        agent.stop(cap=5)
    finally:
        resolver.close()


def test_many_names_that_never_resolve(local_topology, run_dir, make_agent):
    """Look-ups that hang must not use up the threads that other names need."""
    if dns.why_not():
        pytest.skip(dns.why_not())
    resolver = dns.SilentResolver(run_dir)
    try:
        servers = [{**server_entry(server), "host": "localhost"} for server in local_topology]
        servers += [{"name": f"gone{n}", "host": f"gone{n}.primacy.test", "port": 3306}
                    for n in range(2)]
        agent = make_agent(default_config(servers=servers), wrapper=resolver.wrapper).start()
        agent.wait_for(lambda seen: all(find_server(seen, name)["reachable"]
                                        for name in local_topology.names), cap=15,
                       what="the servers whose names resolve")
        # A server that is restarted has to be resolved anew while the other look-ups hang.
        local_topology["db2"].restart()
        agent.wait_server("db2", lambda server: server["reachable"], cap=15, what="to be back")
        hold(lambda: agent.get("/healthz").status == 200, 2, "/healthz")
        agent.stop(cap=5)
    finally:
        resolver.close()


def test_a_name_that_does_not_exist(local_topology, run_dir, make_agent):
    """The answer is no, and no is an answer: class dns, at once. Needs no name server."""
    if dns.why_not():
        pytest.skip(dns.why_not())
    resolver = dns.SilentResolver(run_dir)
    resolver.close()  # the port is closed now: the look-up fails at once
    agent = make_agent(with_bad_entry(local_topology, {"host": "db9.primacy.test", "port": 3306}),
                       wrapper=resolver.wrapper).start()
    expect_only_unknown(agent, local_topology, {"dns"})


# --- servers that go away


def test_a_server_killed_in_the_middle_of_polling(local_topology, start_agent):
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    for _ in range(3):
        local_topology["db3"].kill()
        expect_only_unknown(agent, local_topology, {"lost", "refused"}, bad="db3", watch=0.5)
        local_topology["db3"].start()
        agent.wait_state("healthy", cap=20)
    assert agent.metric("primacy_split_brains_total", topology="shop") == 0


def test_sessions_killed_by_a_person(local_topology, start_agent):
    """KILL of our sessions, again and again: lost at most, and back at once."""
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    killed = 0

    def kill_and_watch():
        nonlocal killed
        rows = local_topology["db2"].query("SELECT id FROM information_schema.processlist "
                                           "WHERE user = %s", (MONITOR,))
        for row in rows:
            try:
                local_topology["db2"].query("KILL %s", (row["id"],))
                killed += 1
            except Exception as failure:
                assert failure.args[0] == 1094, failure  # it has ended meanwhile
        expect_no_leaked_connections(local_topology)
        return never_alarms(agent)()
    hold(kill_and_watch, 3, "the quiet", interval=0.15)
    assert killed >= 5
    agent.wait_state("healthy")


def test_every_server_restarted_one_after_the_other(local_topology, start_agent):
    """A rolling restart; the primary comes back read-only, as it should, and is opened again."""
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    for name in ("db3", "db2", "db1"):
        local_topology[name].restart()
        if name == "db1":
            local_topology.make_writable("db1")
        else:
            local_topology.wait_replicating(name)
    seen = agent.wait_state("healthy", cap=20)
    assert seen["incumbent"] == "db1"
    assert agent.metric("primacy_split_brains_total", topology="shop") == 0


def test_no_connection_leaks_while_a_server_flaps(local_topology, start_agent):
    """Stopped and continued in the rhythm of the timeout; sessions must not pile up."""
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    server = local_topology["db2"]
    for _ in range(6):
        server.pause()
        agent.wait_server("db2", lambda entry: not entry["reachable"], what="away")
        server.resume()
        agent.wait_server("db2", lambda entry: entry["reachable"], what="back")
        wait_until(lambda: local_topology.monitor_connections("db2") <= 2, 10,
                   "the timed-out sessions to end")
    agent.stop()
    wait_no_connections(local_topology)


# --- fake servers


@pytest.mark.parametrize("behaviour", list(fakes.BEHAVIOURS), ids=lambda b: b.__name__)
def test_a_fake_server(local_topology, make_agent, fake_server, behaviour):
    fake = fake_server(behaviour)
    agent = make_agent(with_bad_entry(local_topology, {"host": fake.host,
                                                        "port": fake.port})).start()
    expect_only_unknown(agent, local_topology, fakes.BEHAVIOURS[behaviour])
    assert fake.accepted >= 1
    wait_until(lambda: fake.open_connections <= 2, 5, "connections to the fake to be closed")
    text = agent.cli("status").stdout + agent.cli("explain").stdout
    assert "\x1b" not in text and "\x07" not in text, "what a server sends reaches no terminal raw"
    agent.stop()
    wait_until(lambda: fake.open_connections == 0, 5, "the last connection to be closed")


def test_a_crowd_of_fakes(local_topology, make_agent, fake_server):
    """All of them at once beside the healthy three."""
    bad = [fake_server(behaviour) for behaviour in fakes.BEHAVIOURS]
    agent = make_agent(with_bad_entries(local_topology, [
        {"name": fake.name, "host": fake.host, "port": fake.port} for fake in bad])).start()
    agent.wait_for(lambda seen: all(find_server(seen, fake.name)["error"] for fake in bad), cap=20,
                   what="an error for each fake")

    def undisturbed():
        expect_polled_on_time(agent.topology(), local_topology.names, limit=0.6)
        assert agent.process.resident_bytes() < MEMORY_LIMIT
        return never_alarms(agent)()
    hold(undisturbed, 4, "the quiet")
    expect_no_leaked_connections(local_topology)
    assert agent.topology()["state"] == "unknown", "most servers cannot be read"
    agent.stop()
