"""Fencing by ssh and by programs of the operator's, against a real sshd and real scripts.

What they stop is a real mariadbd.
"""

import os
import subprocess
import time
from pathlib import Path

import pytest

from fence_calls import assert_report, call, need, processes_with, server, wait_gone  # noqa: F401
from primacy_harness import Process
from primacy_harness.kinds import REPOSITORY
from primacy_harness.sshd import SshServer

FENCE_HOST = Path(os.environ.get("PRIMACY_FENCE_HOST",
                                 REPOSITORY / "build/release/agent/fence_host/primacy-fence-host"))


# --- ssh


@pytest.fixture
def fence_host(run_dir, server):
    """The forced command for the server, with its own configuration."""
    if not FENCE_HOST.exists():
        pytest.skip(f"{FENCE_HOST} is not built")
    config = run_dir / "fence-host.toml"
    config.write_text(f'server = "db1"\npid_file = "{server.folder}/server.pid"\n'
                      "stop_seconds = 3\n", encoding="utf-8")
    return f"{FENCE_HOST} --config {config}"


@pytest.fixture
def sshd(run_dir, fence_host):
    need(SshServer.why_not())
    with SshServer(run_dir, fence_host) as started:
        yield started


def by_ssh(sshd, **changes):
    return {"host": sshd.host, "port": sshd.port, "user": sshd.user, "key": str(sshd.key),
            "known_hosts": str(sshd.known_hosts), "timeout_ms": 10000, **changes}


def ask_by_ssh(sshd, request):
    return subprocess.run(
        ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={sshd.known_hosts}",
         "-i", sshd.key, "-p", str(sshd.port), "-l", sshd.user, sshd.host, request],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False)


def test_ssh_stops_a_real_server(sshd, server):
    assert call("ssh", by_ssh(sshd), "check")["ok"]
    assert_report(call("ssh", by_ssh(sshd), "verify"), "failed", "still_alive")
    assert server.running()
    report = call("ssh", by_ssh(sshd))
    assert_report(report, "confirmed", "none")
    wait_gone(server)
    assert_report(call("ssh", by_ssh(sshd), "verify"), "confirmed", "none")
    assert_report(call("ssh", by_ssh(sshd)), "confirmed", "none")  # twice does no harm


def test_ssh_kills_a_server_that_hears_nothing(sshd, server):
    server.pause()
    report = call("ssh", by_ssh(sshd))
    assert_report(report, "confirmed", "none")
    assert report["took_ms"] >= 3000, "it was not given the time to end by itself"
    wait_gone(server)


def test_ssh_finds_a_server_whose_pid_file_is_gone(sshd, server):
    (server.folder / "server.pid").unlink()
    assert_report(call("ssh", by_ssh(sshd), "verify"), "failed", "still_alive")
    assert_report(call("ssh", by_ssh(sshd)), "confirmed", "none")
    wait_gone(server)


def test_ssh_spares_another_program_with_the_old_pid(sshd, server):
    server.stop()
    other = Process(["sleep", "300"])
    (server.folder / "server.pid").write_text(f"{other.pid}\n", encoding="ascii")
    report = call("ssh", by_ssh(sshd))
    assert other.running(), report
    other.kill()


def test_ssh_host_key_changed(sshd, server):
    sshd.change_host_key()
    assert_report(call("ssh", by_ssh(sshd)), "failed", "tls")
    assert call("ssh", by_ssh(sshd), "check")["class"] == "tls"
    assert server.running()


def test_ssh_key_refused(sshd, server):
    sshd.refuse_key()
    assert_report(call("ssh", by_ssh(sshd)), "failed", "denied")
    assert server.running()


def test_ssh_nobody_listens(sshd, server):
    sshd.stop()
    assert_report(call("ssh", by_ssh(sshd)), "failed", "unreachable")
    assert server.running()


def test_ssh_hangs_after_login(sshd):
    sshd.hang_after_login()
    assert_report(call("ssh", by_ssh(sshd), within_ms=2000), "unknown", "timeout")
    assert_report(call("ssh", by_ssh(sshd, timeout_ms=1000)), "unknown", "timeout")


def test_ssh_says_nothing_at_all(sshd):
    sshd.pause()
    assert_report(call("ssh", by_ssh(sshd), within_ms=3000), "unknown", "timeout")
    sshd.resume()


@pytest.mark.parametrize("text,code", [("", 0), ("FENCED n-41 db1\n", 0), ("FENCED n-42 db2\n", 0),
                                       ("FENCED n-42 db1\n", 1), ("STOPPED n-42 db1\n", 0)])
def test_ssh_only_the_right_words_count(sshd, text, code):
    sshd.answer(text, code)
    assert_report(call("ssh", by_ssh(sshd)), "unknown", "protocol")


def test_ssh_stopped_by_its_own_word_and_running_again(sshd):
    # The same words for every request: the second look is not answered with STOPPED.
    sshd.answer("FENCED n-42 db1\n")
    report = call("ssh", by_ssh(sshd))
    assert_report(report, "unknown", "protocol")
    assert "was stopped" in report["sentence"], report


@pytest.mark.parametrize("request_text", ["stop", "stop a b", "stop $(id)", "stop a;id", "reboot",
                                          "/bin/sh -c id", "stop A", "stop a\nstatus b"])
def test_ssh_forced_command_takes_three_verbs_only(sshd, server, request_text):
    answered = ask_by_ssh(sshd, request_text)
    assert answered.returncode == 2, answered
    assert answered.stdout == "", answered
    assert server.running()


def test_ssh_forced_command_with_a_broken_configuration(sshd, server, run_dir):
    (run_dir / "fence-host.toml").write_text('sever = "db1"\n', encoding="utf-8")
    report = call("ssh", by_ssh(sshd))
    assert_report(report, "failed", "refused")
    assert "sever" in report["sentence"], report
    assert server.running()


# --- exec

_PROGRAM = """#!/usr/bin/python3
import json, os, signal, sys
told = json.load(sys.stdin)
assert told["version"] == 1 and told["action"] == os.environ["PRIMACY_ACTION"]
pid = {pid}
runs = os.path.exists(f"/proc/{{pid}}") and ") Z" not in open(f"/proc/{{pid}}/stat").read()
if told["action"] == "fence":
    if runs: os.kill(pid, signal.SIGKILL)
elif told["action"] == "verify":
    sys.exit(1 if runs else 0)
"""


@pytest.fixture
def program(run_dir, server):
    path = run_dir / "fence-program"
    path.write_text(_PROGRAM.format(pid=server.pid), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_exec_stops_a_real_server(program, server):
    options = {"command": [program], "verify": True}
    assert call("exec", options, "check")["ok"]
    assert_report(call("exec", options, "verify"), "failed", "still_alive")
    assert_report(call("exec", options), "confirmed", "none")
    wait_gone(server)


def test_exec_that_cannot_verify_is_never_confirmed(program, server):
    options = {"command": [program]}
    assert call("exec", options, "check")["ok"]
    assert server.running()
    report = call("exec", options)
    assert_report(report, "unknown", "protocol")
    assert "no way to verify" in report["sentence"]
    wait_gone(server)


def test_exec_in_the_manner_of_mha(run_dir):
    path = run_dir / "power_manager"
    said = run_dir / "power_manager.said"
    path.write_text(f'#!/bin/sh\necho "$@" >>{said}\n', encoding="utf-8")
    path.chmod(0o755)
    options = {"command": [str(path)], "style": "mha"}
    assert_report(call("exec", options), "unknown", "protocol")
    assert said.read_text(encoding="utf-8").split() == [
        "--command=stop", "--ssh_user=root", "--host=127.0.0.1", "--ip=127.0.0.1", "--port=3306"]


def test_exec_out_of_time(run_dir):
    path = run_dir / "slow-program"
    path.write_text("#!/bin/sh\ntrap '' TERM\nsleep 300 & wait; sleep 300\n", encoding="utf-8")
    path.chmod(0o755)
    begun = time.monotonic()
    assert_report(call("exec", {"command": [str(path)], "timeout_ms": 1000}), "unknown", "timeout")
    assert time.monotonic() - begun < 6
    assert not processes_with(str(path))
