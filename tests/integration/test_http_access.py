"""Who may ask: TLS and passwords of the listener, and the control socket."""

import crypt
import os
import ssl
import stat
import time
import warnings

import pytest

from primacy_harness import default_config, processes
from primacy_harness.certs import Authority


@pytest.fixture
def hashed():
    """A bcrypt hash of 'open sesame'; a low cost, since the tests ask often."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return crypt.crypt("open sesame", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))


def test_basic_authentication(local_topology, make_agent, hashed):
    config = default_config(local_topology)
    config["agent"]["web"] = {"basic_auth_users": {"prometheus": hashed}}
    agent = make_agent(config).launch()
    agent.http_user = ("prometheus", "open sesame")
    agent.wait_ready()
    assert agent.get("/metrics").status == 200
    for user in (None, ("prometheus", "wrong"), ("nobody", "open sesame"), ("prometheus", "")):
        agent.http_user = user
        for path in ("/metrics", "/api/v1/status", "/"):
            answer = agent.get(path)
            assert answer.status == 401, (user, path)
            assert "basic" in {k.lower(): v for k, v in answer.headers.items()}[
                "www-authenticate"].lower()
            assert "primacy_topology" not in answer.text
    for junk in ("Basic", "Basic !!!", "Basic " + "A" * 4000, "Bearer x", "Basic Og=="):
        assert agent.get("/metrics", headers={"Authorization": junk}).status in (400, 401)
    agent.http_user = ("prometheus", "open sesame")
    assert agent.get("/metrics").status == 200
    # The command line uses the control socket and needs no password.
    assert agent.cli("status").exit_code == 0
    assert "open sesame" not in agent.log_text()


def test_tls_of_the_listener(local_topology, make_agent, run_dir):
    authority = Authority(run_dir / "web-authority")
    files = authority.issue("web")
    config = default_config(local_topology)
    config["agent"]["web"] = {"cert_file": str(files.certificate), "key_file": str(files.key)}
    agent = make_agent(config).launch()
    agent.tls_context = ssl.create_default_context(cafile=str(authority.file))
    agent.wait_ready()
    agent.wait_state("healthy")
    assert agent.get("/metrics").status == 200
    agent.tls_context = ssl.create_default_context()
    with pytest.raises(ssl.SSLError):
        agent.get("/metrics")
    agent.tls_context = None
    with pytest.raises(OSError):
        assert agent.get("/metrics").status != 200
        raise OSError("refused with a 4xx, as good")
    # Many who begin a handshake and never finish it delay nobody.
    stuck = [agent.raw() for _ in range(10)]
    agent.tls_context = ssl.create_default_context(cafile=str(authority.file))
    began = time.monotonic()
    assert agent.get("/healthz").status == 200
    assert time.monotonic() - began < 1
    for client in stuck:
        client.close()


def test_client_certificates(local_topology, make_agent, run_dir):
    authority = Authority(run_dir / "client-authority")
    files, ours = authority.issue("web"), authority.issue("prometheus", ["prometheus"])
    stranger = Authority(run_dir / "strangers").issue("stranger", ["prometheus"])
    config = default_config(local_topology)
    config["agent"]["web"] = {"cert_file": str(files.certificate), "key_file": str(files.key),
                              "client_ca_file": str(authority.file)}
    agent = make_agent(config).launch()

    def context(client):
        made = ssl.create_default_context(cafile=str(authority.file))
        if client:
            made.load_cert_chain(str(client.certificate), str(client.key))
        return made
    agent.tls_context = context(ours)
    agent.wait_ready()
    assert agent.get("/metrics").status == 200
    for client in (None, stranger):
        agent.tls_context = context(client)
        with pytest.raises(OSError):
            agent.get("/metrics")


def test_a_key_file_that_is_too_open_is_refused(local_topology, make_agent, run_dir):
    files = Authority(run_dir / "open-authority").issue("open")
    files.key.chmod(0o644)
    config = default_config(local_topology)
    config["agent"]["web"] = {"cert_file": str(files.certificate), "key_file": str(files.key)}
    agent = make_agent(config)
    shown = agent.cli("check-config")
    assert shown.exit_code == 2, shown
    assert "0640" in shown.stderr


# --- the control socket


def test_the_control_socket_is_not_for_everybody(local_topology, start_agent):
    agent = start_agent(local_topology)
    path = agent.config["agent"]["control"]
    mode = stat.S_IMODE(os.stat(path).st_mode)
    assert mode & 0o007 == 0, oct(mode)
    assert stat.S_ISSOCK(os.stat(path).st_mode)


def test_a_stale_control_socket_is_no_obstacle(local_topology, start_agent):
    agent = start_agent(local_topology)
    agent.kill()
    agent.start()
    agent.wait_state("healthy")
    assert agent.cli("status", "--json").json()["agent"] == "test-agent"


def test_another_file_in_the_place_of_the_control_socket_is_kept(local_topology, make_agent):
    """A path that somebody mistyped must not cost a file."""
    agent = make_agent(default_config(local_topology))
    agent.folder.joinpath("control.sock").write_text("precious", encoding="ascii")
    shown = processes.run([agent.binary, "agent", "--config", agent.config_file], cap=15)
    assert shown.returncode in (1, 2), shown
    assert agent.folder.joinpath("control.sock").read_text(encoding="ascii") == "precious"
