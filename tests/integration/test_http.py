"""The listener against clients that are wrong, big, slow or many: 4xx or closed, never a stall."""

import http.client
import random
import socket
import shutil
import subprocess
import time

import pytest

from expectations import expect_polled_on_time, never_alarms
from primacy_harness import hold, wait_until


@pytest.fixture
def agent(local_topology, start_agent):
    agent = start_agent(local_topology)
    agent.wait_state("healthy")
    yield agent
    # Whatever a test did: it answers, it polls, it judges.
    assert agent.get("/healthz").status == 200
    expect_polled_on_time(agent.topology(), local_topology.names)
    assert agent.topology()["state"] == "healthy"


def _exchange(agent, data, cap=15):
    """Sends bytes, and reads until the agent closes or nothing comes for a second."""
    with agent.raw() as client:
        client.settimeout(cap)
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while part := client.recv(65536):
                answer += part
        except ConnectionError:
            pass
        return answer


def _status_of(answer):
    """The status code of the first response in those bytes, None without one."""
    if not answer.startswith(b"HTTP/1."):
        return None
    return int(answer.split(b" ", 2)[1])


# --- the pages


@pytest.mark.parametrize("path, content_type", [
    ("/metrics", "text/plain"), ("/api/v1/status", "application/json"), ("/healthz", None),
    ("/readyz", None), ("/", None)])
def test_pages(agent, path, content_type):
    answer = agent.get(path)
    assert answer.status == 200
    if content_type:
        headers = {key.lower(): value for key, value in answer.headers.items()}
        assert headers["content-type"].startswith(content_type)
    assert agent.get(path + "?x=1").status == 200, "a query string changes nothing"


def test_head_has_no_body(agent):
    answer = agent.get("/metrics", method="HEAD")
    assert answer.status == 200 and answer.body == b""


def test_unknown_pages_are_404(agent):
    for path in ("/nothing", "/metrics/x", "/api/v1/", "/..%2f..%2fetc/passwd",
                 "/../../etc/passwd"):
        assert agent.get(path).status in (400, 404), path


def test_other_methods_are_refused(agent):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert agent.get("/metrics", method=method).status in (404, 405, 501), method


def test_one_connection_serves_many_requests(agent):
    host, _, port = agent.config["agent"]["listen"].rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    for _ in range(20):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()


def test_metrics_pass_promtool(agent):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool (package prometheus) is not installed")
    done = subprocess.run([promtool, "check", "metrics"], input=agent.get("/metrics").body,
                          capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    assert not done.stdout + done.stderr, (done.stdout + done.stderr).decode()


# --- wrong


WRONG = {
    "no http": b"hello there\r\n\r\n",
    "tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    "zeros": b"\0" * 4096,
    "high bytes": bytes(range(128, 256)) * 16,
    "no version": b"GET /metrics\r\n\r\n",
    "http 9": b"GET /metrics HTTP/9.9\r\nHost: x\r\n\r\n",
    "http 2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "bad header": b"GET /metrics HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n",
    "space in header name": b"GET /metrics HTTP/1.1\r\nHo st: x\r\n\r\n",
    "null in header": b"GET /metrics HTTP/1.1\r\nHost: x\0y\r\n\r\n",
    "null in target": b"GET /met\0rics HTTP/1.1\r\nHost: x\r\n\r\n",
    "negative length": b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "huge length": b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
                   b"\r\nab",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
    "endless chunk size": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                          + b"f" * 5000 + b"\r\n",
}


@pytest.mark.parametrize("what", list(WRONG))
def test_malformed_requests(agent, what):
    answer = _exchange(agent, WRONG[what])
    status = _status_of(answer)
    assert status is None or 400 <= status < 600 and status != 500, answer[:200]
    assert b"primacy_topology_servers" not in answer, "no page for a malformed request"


def test_random_bytes(agent, seed):
    chooser = random.Random(seed)
    for _ in range(60):
        noise = chooser.randbytes(chooser.randint(1, 600))
        if chooser.random() < 0.5:
            noise = b"GET /metrics HTTP/1.1\r\n" + noise + b"\r\n\r\n"
        status = _status_of(_exchange(agent, noise))
        assert status is None or status == 200 or 400 <= status < 500 or status == 505, noise
    assert agent.running()


def test_half_a_request_then_goodbye(agent):
    for data in (b"G", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\nHost: x\r\n"):
        _exchange(agent, data)
    for _ in range(30):
        agent.raw().close()


# --- big


@pytest.mark.parametrize("request_head", [
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Big: " + b"b" * 1_000_000 + b"\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000))
    + b"\r\n"], ids=["target", "header", "headers"])
def test_oversized_requests(agent, request_head):
    before = agent.process.resident_bytes()
    status = _status_of(_exchange(agent, request_head))
    assert status is None or status in (400, 413, 414, 431), status
    assert agent.process.resident_bytes() - before < 32 << 20


def test_an_endless_body_is_not_swallowed(agent):
    before = agent.process.resident_bytes()
    with agent.raw() as client:
        client.settimeout(10)
        client.sendall(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n")
        sent = 0
        try:
            while sent < 64 << 20:
                sent += client.send(b"x" * 65536)
        except (ConnectionError, TimeoutError):
            pass
    assert sent < 64 << 20, "it was cut off"
    assert agent.process.resident_bytes() - before < 32 << 20


# --- slow


def test_slow_requests_are_closed_and_delay_nobody(agent):
    """Slowloris: a header byte now and then; the others are served meanwhile."""
    slow = [agent.raw(timeout=1) for _ in range(8)]
    for client in slow:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    began = time.monotonic()
    closed = set()

    def all_closed():
        started = time.monotonic()
        assert agent.get("/healthz").status == 200
        assert time.monotonic() - started < 0.5, "a slow client delays another one"
        for client in slow:
            if client not in closed and not _still_open(client, b"z"):
                closed.add(client)
        return len(closed) == len(slow)
    wait_until(all_closed, 30, "all slow clients to be closed", interval=0.3)
    assert time.monotonic() - began < 30
    for client in slow:
        client.close()


def test_idle_connections_are_closed_in_the_end(agent):
    clients = [agent.raw(timeout=1) for _ in range(5)]
    wait_until(lambda: not any(_still_open(client) for client in clients), 60,
               "idle connections to be closed", interval=0.5)
    for client in clients:
        client.close()


def test_a_client_that_does_not_read(agent):
    """Asks for many pages, never reads one; the agent must not wait or hoard."""
    client = agent.raw(timeout=2)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    before = agent.process.resident_bytes()
    try:
        for _ in range(400):
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    except OSError:
        pass

    def served():
        started = time.monotonic()
        assert agent.get("/metrics").status == 200
        return time.monotonic() - started < 0.5
    hold(served, 2, "other clients' service")
    assert agent.process.resident_bytes() - before < 32 << 20
    client.close()


def _still_open(client, data=b""):
    try:
        if data:
            client.sendall(data)
        client.setblocking(False)
        return client.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        try:
            client.setblocking(True)
        except OSError:
            pass


# --- many


def test_many_connections(agent, local_topology):
    """More than it will serve; it neither dies nor stops polling, and recovers when they go."""
    files = agent.process.open_files()
    clients = []
    for _ in range(400):
        try:
            clients.append(agent.raw(timeout=2))
        except OSError:
            break
    alarms = never_alarms_by_command(agent)
    hold(alarms, 1.5, "the verdict under a flood of connections", interval=0.2)
    assert agent.process.open_files() - files < 200, "the number of connections has a bound"
    for client in clients:
        client.close()

    def answers():
        return agent.get("/healthz").status == 200
    wait_until(answers, 15, "to be served again", ignore=(OSError, AssertionError))
    wait_until(lambda: agent.process.open_files() <= files + 4, 15, "descriptors to be given back")
    wait_until(lambda: never_alarms(agent)(), 5, "the quiet")


def never_alarms_by_command(agent):
    """Asks through the control socket, which a flood of HTTP connections must not block."""
    def check():
        shown = agent.cli("status", "--json")
        assert shown.exit_code == 0, shown
        assert shown.json()["topologies"][0]["state"] == "healthy"
        assert shown.json()["agent"] == "test-agent"
        return True
    return check


def test_many_quick_requests(agent):
    began = time.monotonic()
    for _ in range(300):
        assert agent.get("/healthz").status == 200
    assert time.monotonic() - began < 30
