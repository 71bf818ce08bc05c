"""Fencing by power, over a real IPMI device (ipmi_sim): with ipmitool and with fence_ipmilan.

The power that goes off is a real mariadbd.
"""

import pytest

from fence_calls import assert_report, call, need, processes_with, server, wait_gone  # noqa: F401
from primacy_harness.bmc import CIPHER, Bmc, fence_ipmilan
from primacy_harness.tools import path_with_tools, why_not


# --- ipmi


@pytest.fixture
def bmc(run_dir, server):
    need(Bmc.why_not())
    with Bmc(run_dir) as started:
        started.powers(server.pid)
        yield started


def by_ipmi(bmc, **changes):
    options = {"address": bmc.address, "port": bmc.port, "user": bmc.user,
               "password_file": str(bmc.password_file), "cipher": CIPHER, "timeout_ms": 20000,
               **changes}
    return {key: value for key, value in options.items() if value is not None}


def test_ipmi_powers_a_real_server_off(bmc, server):
    assert call("ipmi", by_ipmi(bmc), "check")["ok"]
    assert_report(call("ipmi", by_ipmi(bmc), "verify"), "failed", "still_alive")
    assert "set power 0" not in bmc.orders()
    report = call("ipmi", by_ipmi(bmc))
    assert_report(report, "confirmed", "none")
    wait_gone(server)
    assert bmc.orders().count("set power 0") == 1
    assert report["took_ms"] <= 5000, report
    assert_report(call("ipmi", by_ipmi(bmc), "verify"), "confirmed", "none")
    assert_report(call("ipmi", by_ipmi(bmc)), "confirmed", "none")


def test_ipmi_silent(bmc, server):
    bmc.pause()
    report = call("ipmi", by_ipmi(bmc), within_ms=10000)
    # No session came about: the order was never sent, and will not be heard later.
    assert_report(report, "failed", "unreachable")
    bmc.resume()
    assert server.running()
    assert "set power 0" not in bmc.orders()


def test_ipmi_silent_until_the_deadline(bmc):
    bmc.pause()
    report = call("ipmi", by_ipmi(bmc), within_ms=500)
    assert_report(report, "unknown", "timeout")
    bmc.resume()


def test_ipmi_stuck_relay(bmc, server):
    bmc.stuck()
    report = call("ipmi", by_ipmi(bmc), within_ms=3000)
    assert_report(report, "unknown", "still_alive")
    assert "set power 0" in bmc.orders()
    assert server.running()


def test_ipmi_refusing(bmc, server):
    bmc.refusing()
    assert_report(call("ipmi", by_ipmi(bmc)), "failed", "refused")
    assert server.running()


def test_ipmi_lying_cannot_be_found_out_over_ipmi_alone(bmc, server):
    bmc.lying()
    assert_report(call("ipmi", by_ipmi(bmc)), "confirmed", "none")
    # That is why a fence is also looked at by other means (a fresh connection to the server).
    assert server.running()


def test_ipmi_slow(bmc, server):
    bmc.slow(0.6)
    assert_report(call("ipmi", by_ipmi(bmc)), "confirmed", "none")
    wait_gone(server)


def test_ipmi_slow_because_it_is_asked_for_its_cipher_suites(bmc):
    checked = call("ipmi", by_ipmi(bmc, cipher=None), "check", within_ms=30000)
    assert not checked["ok"], checked
    assert "cipher = 3" in checked["sentence"], checked


@pytest.mark.parametrize("wrong", ["password", "user"])
def test_ipmi_wrong_account(bmc, server, wrong):
    changes = {"user": "nobody"}
    if wrong == "password":
        path = bmc.folder / "wrong"
        path.write_text("not-this\n", encoding="ascii")
        path.chmod(0o600)
        changes = {"password_file": str(path)}
    report = call("ipmi", by_ipmi(bmc, **changes))
    assert_report(report, "failed", "denied")
    assert "not-this" not in report["sentence"]
    assert call("ipmi", by_ipmi(bmc, **changes), "check")["class"] == "denied"
    assert server.running()


def test_ipmi_nobody_listens(bmc):
    bmc.stop()
    assert_report(call("ipmi", by_ipmi(bmc)), "failed", "unreachable")
    assert_report(call("ipmi", by_ipmi(bmc), "verify"), "unknown", "unreachable")


# --- fence agents


@pytest.fixture
def agent(run_dir):
    need(why_not("fence_ipmilan"))
    return fence_ipmilan(run_dir)


def by_agent(agent, bmc, password=None, **options):
    given = {"ip": bmc.address, "ipport": str(bmc.port), "username": bmc.user, "lanplus": "1",
             "cipher": str(CIPHER), "ipmitool_path": str(_ipmitool(bmc)), **options}
    return {"agent": agent, "password": password or bmc.password, "options": given,
            "timeout_ms": 60000}


def _ipmitool(bmc):
    """A wrapper in the test's folder: its processes can be told from all others by its path."""
    path = bmc.folder / "ipmitool"
    path.write_text(f'#!/bin/sh\nPATH={path_with_tools()}\nexec ipmitool "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def test_agent_powers_a_real_server_off(agent, bmc, server):
    assert call("fence-agent", by_agent(agent, bmc), "check")["ok"]
    assert_report(call("fence-agent", by_agent(agent, bmc), "verify"), "failed", "still_alive")
    assert_report(call("fence-agent", by_agent(agent, bmc)), "confirmed", "none")
    wait_gone(server)
    assert_report(call("fence-agent", by_agent(agent, bmc)), "confirmed", "none")


def test_agent_stuck_relay(agent, bmc, server):
    bmc.stuck()
    report = call("fence-agent", by_agent(agent, bmc, power_timeout="2"), within_ms=30000)
    assert_report(report, "unknown", "still_alive")
    assert server.running()


def test_agent_wrong_password(agent, bmc, server):
    report = call("fence-agent", by_agent(agent, bmc, password="not-this"))
    assert report["outcome"] == "unknown", report
    assert "not-this" not in report["sentence"], report
    assert not call("fence-agent", by_agent(agent, bmc, password="not-this"), "check")["ok"]
    assert server.running()


def test_agent_out_of_time_leaves_no_child(agent, bmc):
    bmc.pause()
    report = call("fence-agent", by_agent(agent, bmc), within_ms=2500)
    assert_report(report, "unknown", "timeout")
    left = processes_with(f"-p {bmc.port} ")
    assert not left, left
    bmc.resume()


def test_agent_whose_child_survives(agent, bmc, server):
    """A child that keeps the pipes open delays nobody, and is gone with the group."""
    wrapper = bmc.folder / "agent"
    wrapper.write_text(f"#!/bin/sh\n{bmc.folder}/child 600 0<&- &\n{agent}\n", encoding="utf-8")
    wrapper.chmod(0o755)
    (bmc.folder / "child").symlink_to("/bin/sleep")
    report = call("fence-agent", by_agent(str(wrapper), bmc))
    assert_report(report, "confirmed", "none")
    wait_gone(server)
    assert not processes_with(f"{bmc.folder}/child")


def test_agent_describes_itself(agent, bmc):
    good = by_agent(agent, bmc)
    assert call("fence-agent", good, "metadata")["problems"] == []
    bad = by_agent(agent, bmc, usrname="x", method="cycle")
    problems = " ".join(call("fence-agent", bad, "metadata")["problems"])
    assert '"usrname"; did you mean "username"?' in problems, problems
    assert "method=cycle" in problems, problems


@pytest.mark.parametrize("script,words", [
    ("exit 1", "metadata"), ("echo rubbish", "not understood"), ("exit 0", "not understood")])
def test_agent_that_does_not_describe_itself(run_dir, script, words):
    path = run_dir / "odd-agent"
    path.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    assert words in call("fence-agent", {"agent": str(path)}, "metadata")["error"]


def test_agent_missing(run_dir):
    options = {"agent": str(run_dir / "none"), "options": {}}
    assert_report(call("fence-agent", options), "failed", "not_found")
    assert str(run_dir / "none") in call("fence-agent", options, "metadata")["error"]
